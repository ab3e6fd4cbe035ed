"""The explorers of the interpretation notebooks: every choice changes the figure.

The notebooks are not run here. The cell of an explorer is run alone, with small stand-ins for the variables it reads.
"""

import ast
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest

from mesokit import models
from mesokit.interpret import fidelity, interventions, maximize, regions

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
SIZE = 32


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def faces(rng, number):
    return rng.integers(0, 256, (number, SIZE, SIZE, 3), np.uint8)


def feature_maps(rng):
    return {"network": models.meso4(size=SIZE), "layer": "conv2", "real": faces(rng, 2), "forged": faces(rng, 2)}


def climbs(rng):
    grid = pd.DataFrame([(p, pull) for p in (1.0, 2.0) for pull in (0.0, 0.2)], columns=["p", "pull"])
    table = grid.assign(f=1.0, lam=grid["p"] + grid["pull"])
    found = maximize.Found(rng.random((4, SIZE, SIZE, 3)), table, pd.DataFrame())
    return {
        "powers": [1.0, 2.0],
        "pulls": [0.0, 0.2],
        "grid": grid,
        "table": found,
        "pictures": lambda x: (255 * x).astype(np.uint8),
    }


def mean_maps(rng):
    clips = pd.DataFrame({"label": ["real", "forged"] * 2, "group": list("aabb")})
    maps = {name: rng.random((4, 8, 8, 16)) for name in ("conv3", "conv4")}
    return {"maps": maps, "clips": clips, "layers": list(maps), "layer": "conv4", "seed": 0}


def explanations(rng):
    methods = ["Grad-CAM", "SmoothGrad"]
    maps = {f"{name}{more}": rng.random((2, SIZE, SIZE)) for name in methods for more in ("", ", randomised")}
    known = {"methods": methods, "explanations": maps, "towards_real": {name: 1 - maps[name] for name in methods}}
    return known | {"faces": faces(rng, 2), "tampered": rng.random((2, SIZE, SIZE)) > 0.5}


def measures(rng):
    names = ["Grad-CAM", "Grad-CAM, randomised", "centre", "edges"]
    scores = pd.DataFrame(
        [(name, face, face) for name in names for face in range(3)], columns=["explanation", "face", "group"]
    )
    return {
        "methods": names[:1],
        "scores": scores.assign(**{one: rng.random(len(scores)) for one in fidelity.MEASURES}),
    }


def edits(rng):
    real_faces = faces(rng, 2)
    parts = [{name: rng.random((SIZE, SIZE)) > 0.5 for name in regions.NAMES} for _ in real_faces]
    logit = lambda images: images.std(axis=(1, 2, 3)) * 50  # noqa: E731
    kinds = [interventions.effects(logit, real_faces, parts, kind, 2.0) for kind in interventions.OPERATIONS]
    whole = pd.concat([table for one in kinds for table in one])
    return {"real_faces": real_faces, "all_parts": parts, "whole": whole, "sigma": 2.0, "reals": whole["face"].unique()}


# Notebook, cells to run (the last has the explorer), function that makes the stand-ins.
EXPLORERS = [
    ("05_filter_visualization", ["c30"], feature_maps),
    ("06_activation_maximization", ["c19"], climbs),
    ("07_mean_activations", ["explorer-maps"], mean_maps),
    ("07_mean_activations", ["explorer-faces"], explanations),
    ("07_mean_activations", ["twins", "explorer-gains"], measures),
    ("07_mean_activations", ["explorer-edit"], edits),
]


def source(name, cell_id):
    cells = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4).cells
    return next(cell.source for cell in cells if cell.id == cell_id)


def result(code, known):
    """Run `code` as a cell is run: the value of its last expression, or None."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), known)
    return None if last is None else eval(compile(ast.Expression(last.value), "cell", "eval"), known)


def test_no_explorer_is_forgotten():
    for name in sorted({name for name, _, _ in EXPLORERS}):
        cells = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4).cells
        found = [cell.id for cell in cells if cell.cell_type == "code" and "explorers.explore(" in cell.source]
        assert found == [ids[-1] for book, ids, _ in EXPLORERS if book == name]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "ids", "stand_ins"), EXPLORERS, ids=[ids[-1] for _, ids, _ in EXPLORERS])
def test_each_choice_redraws(name, ids, stand_ins, rng):
    known = stand_ins(rng)
    result(source(name, "c02" if name[:2] != "07" else "imports").split("root =")[0], known)
    for cell_id in ids:
        explorer = result(source(name, cell_id), known)
    for control in explorer.controls.values():
        before = explorer.figure.to_json()
        control.value = next(value for _, value in control._options_full if value != control.value)
        assert explorer.figure.to_json() != before, control.description
