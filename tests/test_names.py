"""Every public name has a user: another module, a notebook or a script. Tests and benchmarks do not count."""

import ast
import json
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = sorted((ROOT / "mesokit").rglob("*.py"))
SCRIPTS = [*sorted((ROOT / "data_scripts").glob("*.py")), *sorted((ROOT / "notebooks").glob("*.ipynb"))]
# Called by a name in a text: of pyproject.toml, of the program in video/apart.py, and by cli.command.
CALLED = {"cli.py: main", "video/apart.py: send"}
CALLED |= {f"commands/{path.name}: {name}" for path in PACKAGE for name in ("options", "work")}


def _parsed(path):
    """The syntax tree of a module, or of the code cells of a notebook."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = ["".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
        text = "\n".join(line for line in "\n".join(cells).splitlines() if not line.startswith(("%", "!")))
    return ast.parse(text)


TREES = {path: _parsed(path) for path in [*PACKAGE, *SCRIPTS]}


def _taken(tree, door=False):
    """(module or folder, name) of all that a file takes from mesokit. `door`: what it imports, it only hands on."""
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    aliases = [(node.module, alias) for node in imports if "mesokit" in str(node.module) for alias in node.names]
    local = {alias.asname or alias.name: (module.rpartition(".")[2], alias.name) for module, alias in aliases}
    found = set() if door else set(local.values())
    for node in ast.walk(tree):
        chain = []
        while isinstance(node, ast.Attribute):
            chain.insert(0, node.attr)
            node = node.value
        if isinstance(node, ast.Name) and node.id in local:
            found |= set(pairwise([*local[node.id], *chain]))
    return found


TAKEN = {path: _taken(tree, path.name == "__init__.py") for path, tree in TREES.items()}


def _public(tree):
    """The names without an underscore that a module defines and does not use itself."""
    found = set()
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", ast.Pass())]
        found |= {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}
        found |= {node.name} if isinstance(node, ast.FunctionDef | ast.ClassDef) else set()
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return {name for name in found - used if not name.startswith("_")}


def _exported(tree):
    """The names in __all__ of the door of a room."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def _without_users(path, names, own):
    """Those of `names` that no file takes from the module `path` or a folder around it; files `own` do not count."""
    homes = [path.stem, *path.relative_to(ROOT).parts[:-1]]
    taken = set().union(*(found for other, found in TAKEN.items() if not own(other)))
    where = path.relative_to(ROOT / "mesokit").as_posix()
    return {f"{where}: {name}" for name in names if not any((home, name) in taken for home in homes)}


def test_public_names_have_a_user_in_another_file():
    found = set()
    for path in PACKAGE:
        found |= _without_users(path, _public(TREES[path]), lambda other, path=path: other == path)
    assert found - CALLED == set(), "remove it, or begin its name with an underscore"


def test_what_a_room_exports_has_a_user_in_another_room():
    found = set()
    for path in PACKAGE:
        if path.name == "__init__.py":
            found |= _without_users(path, _exported(TREES[path]), lambda other, room=path.parent: room in other.parents)
    assert found == set(), "do not export it"
