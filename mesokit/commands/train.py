"""Train a network on one forgery; write its weights with a model card, and its scores of the test faces.

mesokit train work/bundled --network meso4 --method deepfake
mesokit train work/bundled --crf 0 --recipe long --iterations 3000
mesokit train work/bundled --crf 0 --seed 1 --out work/seeds
"""

import argparse
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd

from mesokit import backend, dataset, evaluation, files, models, training, weights
from mesokit.evaluation import baselines
from mesokit.evaluation.rules import SHARED


def options(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("dataset", type=files.place, help="dataset folder, as mesokit extract or shard writes it")
    parser.add_argument("--network", choices=models.NETWORKS, default="meso4")
    parser.add_argument("--method", default="deepfake", help="the forgery to tell from real faces (%(default)s)")
    parser.add_argument("--crf", type=int, help="train on this level of compression alone (default: all)")
    parser.add_argument("--recipe", choices=training.RECIPES, default="class")
    parser.add_argument("--iterations", type=int, help="other than the recipe's; its schedule shrinks or grows along")
    parser.add_argument("--learning-rate", type=float, help="other than the recipe's, to begin with")
    parser.add_argument("--seed", type=int, default=0, help="of the first weights and of the batches (%(default)s)")
    parser.add_argument("--shrink", type=int, default=1, help="Xception only: average blocks of so many pixels first")
    parser.add_argument("--out", type=Path, default=Path("work/weights"), help="folder to write (%(default)s)")
    parser.add_argument("--scores", type=Path, help="folder to write p_real of each test face to, as NAME.csv")
    parser.add_argument(
        "--tour",
        action="store_true",
        help="also copy the two clips of the test person of median difficulty",
    )
    parser.add_argument("--deterministic", action="store_true", help="the same weights bit by bit, each time, here")


def work(arguments: argparse.Namespace) -> int:
    """Train on one forgery, score the unseen test identities, write weights and card."""
    if arguments.tour and arguments.crf not in (None, 23):
        raise ValueError("--tour: its clips are chosen by scores at CRF 23; leave --crf out")
    if arguments.tour and (lacks := dataset.open(arguments.dataset).lacks("clips")):
        raise ValueError(f"--tour: {lacks}; name their folder in dataset.json, or leave --tour out")
    if arguments.deterministic:
        backend.deterministic()
    where, columns = {"method": ["real", arguments.method]}, ["frame", *SHARED]
    table = dataset.read(arguments.dataset, where, columns)  # of millions of faces, those that are used
    learnt = table if arguments.crf is None else table[table["crf"] == arguments.crf]
    if arguments.crf is not None and learnt.empty:
        raise ValueError(f"--crf {arguments.crf}: {arguments.dataset} has no faces at this level")
    if arguments.seed and arguments.out == weights.BUNDLED:
        raise ValueError(
            f"--seed {arguments.seed}: the package brings the weights of seed 0; name another folder (--out)"
        )
    shrink = {"shrink": arguments.shrink} if arguments.shrink > 1 else {}
    network = models.NETWORKS[arguments.network](seed=arguments.seed, **shrink)
    recipe = training.scaled(training.RECIPES[arguments.recipe], arguments.iterations)
    if arguments.learning_rate:
        recipe = replace(recipe, learning_rate=arguments.learning_rate)
    training.fit(network, learnt, arguments.dataset, recipe, arguments.seed, verbose=2)
    test = table[table["split"] == "test"]
    scores = pd.concat(evaluation.score_faces(evaluation.scorer(network), test, arguments.dataset))
    simple = {name: _baseline(name, learnt, test, arguments.dataset) for name in baselines.FEATURES}
    name = f"{arguments.network}-{arguments.method}" + ("" if arguments.crf is None else f"-crf{arguments.crf}")
    name += f"-seed{arguments.seed}" if arguments.seed else ""
    path = arguments.out / f"{name}.weights.h5"
    weights.save(network, path)
    at = "" if arguments.crf is None else f" at CRF {arguments.crf}"
    about = f"{arguments.network}, trained by this project on synthetic {arguments.method} faces{at}"
    with files.at_hand(arguments.dataset, ["dataset.json"]) as folder:
        about_data = files.read_json(folder / "dataset.json")
    card = {
        **weights.card(path, arguments.network, about),
        "crf": arguments.crf,
        "data": about_data,
        "recipe": {"name": arguments.recipe, **asdict(recipe)},
        "seed": arguments.seed,
        "deterministic": arguments.deterministic,
        "metrics": _metrics(scores),
        "baselines": {name: _metrics(rows) for name, rows in simple.items()},
    }
    files.write_json(card, arguments.out / f"{name}.json")
    if arguments.scores:
        evaluation.save_scores(scores, arguments.scores / f"{name}.csv")
    if arguments.tour:
        _tour(arguments.dataset, scores, arguments.method, arguments.out)
    for title, metrics in {name: card["metrics"], **card["baselines"]}.items():
        print(title, pd.DataFrame(metrics).T.round(3).to_string(), sep="\n")
    print(path)
    return 0


def _baseline(features: str, learnt: pd.DataFrame, test: pd.DataFrame, root: Path) -> pd.DataFrame:
    """Scores of the test faces by what a trivial detector learnt from the training faces, of all levels together."""
    score = baselines.fit(features, learnt[learnt["split"] == "train"], root)
    return pd.concat(evaluation.score_faces(score, test, root))


def _tour(root: Path, scores: pd.DataFrame, method: str, out: Path) -> None:
    """Copy the two clips at CRF 23 of the test person of median difficulty: by p_real of the real less the forged."""
    clips = evaluation.per_clip(scores[scores["crf"] == 23])
    p_real = {kind: clips[clips["method"] == kind].set_index("identity")["p_real"] for kind in ("real", method)}
    gap = (p_real["real"] - p_real[method]).sort_values(kind="stable")
    person = gap.index[len(gap) // 2]
    opened = dataset.open(root)
    table = opened.clips
    paths = table[(table["crf"] == 23) & (table["identity"] == person)].set_index("method")["path"]
    for name, wanted in (("real", "real"), ("forged", method)):
        files.write(out / f"tour_{name}.mp4", (opened.clip_folder / paths[wanted]).read_bytes())


def _metrics(scores: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Accuracy at each level, per frame and per clip."""
    found = {}
    for crf, rows in scores.groupby("crf"):
        found[f"crf {crf}, frames"] = evaluation.accuracy(rows)
        found[f"crf {crf}, clips"] = evaluation.accuracy(evaluation.per_clip(rows))
    return {key: {name: round(float(value), 4) for name, value in row.items()} for key, row in found.items()}
