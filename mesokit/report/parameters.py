"""Parameters of notebooks: what a cell tagged `parameters` declares, and presets that must fit it."""

import ast
import difflib
import re
from pathlib import Path
from typing import Any

from mesokit import files

Parameters = dict[str, Any]
PATHS = {"work", "own_clip", "own_clips", "results"}  # parameters of the notebooks that are paths, whatever they hold


def read_notebook(path: Path) -> Any:
    """The notebook at `path` in format 4; ValueError where it is none."""
    import nbformat

    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat lets many kinds through: JSON, validation, attribute and key errors
        reason = str(error).strip().splitlines()[:1]
        raise ValueError(f"{path}: not a readable notebook ({' '.join(reason) or type(error).__name__})") from None


def notebook_parameters(path: str | Path) -> dict[str, Any]:
    """Names and default values of the notebook's cell tagged `parameters`; empty where no cell has the tag.

    Raises ValueError for an unreadable notebook and for a line that is not `name = literal`.
    """
    path = Path(path)
    cells = [cell for cell in read_notebook(path).cells if cell.cell_type == "code"]
    tagged = [cell for cell in cells if "parameters" in cell.metadata.get("tags", [])]
    if not tagged:
        return {}
    found = {}
    try:
        for statement in ast.parse(tagged[0].source).body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    found[name] = ast.literal_eval(value)
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    found[name] = ast.literal_eval(value)
                case ast.Expr(value=ast.Constant()):  # a docstring
                    pass
                case _:
                    raise ValueError(f"line {statement.lineno}")
    except (ValueError, SyntaxError) as error:
        raise ValueError(f"{path}: the cell tagged 'parameters' may hold only name = literal ({error})") from None
    return found


def _unknown(where: str, what: str, name: Any, known: list[str]) -> ValueError:
    """The error for a name that is not in `known`, with the closest known name."""
    close = difflib.get_close_matches(str(name), known, 1)
    suggestion = f" (did you mean {close[0]!r}?)" if close else ""
    return ValueError(f"{where}: no {what} {name!r}{suggestion}; known: {', '.join(known) or 'none'}")


def _fitted(value: Any, default: Any, where: str) -> Any:
    """`value` as the type of `default`, or ValueError starting with `where`. A default of None accepts any value.

    One text is enough where the default is a list of texts.
    """
    if isinstance(default, float) and not isinstance(value, bool):
        if isinstance(value, str) and re.fullmatch(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+", value):
            return float(value)  # YAML 1.1 reads 1e-3 as text
        if isinstance(value, int | float):
            return float(value)
    elif isinstance(default, list | tuple) and isinstance(value, list | tuple):
        return list(value)
    elif isinstance(default, list | tuple) and isinstance(value, str) and all(isinstance(one, str) for one in default):
        return [value]
    elif default is None or type(value) is type(default):
        return value
    raise ValueError(f"{where}: {value!r} is {type(value).__name__}, where {type(default).__name__} is expected")


def fit(values: Parameters, known: Parameters, where: str) -> Parameters:
    """`values` checked against a notebook's parameters `known` (from `notebook_parameters`).

    Raises ValueError, starting with `where`, for an unknown name or a value of another type than the default's.
    """
    for name in values:
        if name not in known:
            what = "parameter" if known else "cell is tagged 'parameters', so no parameter"
            raise _unknown(where, what, name, list(known))
    return {name: _fitted(value, known[name], f"{where}: parameter {name!r}") for name, value in values.items()}


def spread(values: Parameters, known: dict[str, Parameters], where: str) -> dict[str, Parameters]:
    """`values` for every notebook in `known` (name -> its parameters) that has a parameter of that name.

    Raises ValueError, starting with `where`, for a name that no notebook has or a value of the wrong type.
    """
    names = sorted({name for parameters in known.values() for name in parameters})
    for name in values:
        if name not in names:
            raise _unknown(where, "notebook has a parameter", name, names)
    return {
        notebook: fit({n: v for n, v in values.items() if n in parameters}, parameters, f"{where}: {notebook}")
        for notebook, parameters in known.items()
    }


def from_here(name: str, value: Any) -> Any:
    """The value of a parameter that is given on the command line, where a relative path starts in the current folder.

    A notebook runs in its own folder and would look there. So folders and clips get their whole path; so does any other
    text that has a dot or a slash and names a file here, such as weights, alone or in a list.
    """
    if isinstance(value, list):
        return [from_here(name, one) for one in value]
    if not isinstance(value, str) or not value:
        return value
    here = name in PATHS or (re.search(r"[./\\]", value) and Path(value).is_file())
    return str(Path(value).absolute()) if here else value


def load_preset(path: str | Path, notebooks: str | Path | None = None) -> dict[str, Parameters]:
    """The preset file `{notebook: {parameter: value}, "all": {...}}` as parameters of each notebook that it names.

    The values of "all" are for every notebook that has the parameter; a notebook's own value wins. `notebooks` is
    their folder, by default the one above the preset's. Raises ValueError in one sentence for whatever does not fit.
    """
    import yaml

    path = Path(path)
    if not path.is_file():
        there = ", ".join(sorted(preset.stem for preset in path.parent.glob("*.yaml"))) or "none"
        raise ValueError(f"{path}: no such preset; there are {there}")
    folder = Path(notebooks) if notebooks is not None else path.resolve().parent.parent
    known = {notebook.stem: notebook_parameters(notebook) for notebook in sorted(folder.glob("*.ipynb"))}
    try:
        content = yaml.safe_load(files.read_text(path)) or {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ValueError(f"{path}: not a readable preset ({' '.join(str(error).split())})") from None
    if not isinstance(content, dict) or not all(isinstance(values, dict | None) for values in content.values()):
        raise ValueError(f"{path}: a preset is a table of notebooks, each with a table of parameters")
    preset = spread(content.pop("all", None) or {}, known, f"{path}: all")
    for name, values in content.items():
        if name not in known:
            raise _unknown(str(path), "notebook", name, list(known))
        preset[name] |= fit(values or {}, known[name], f"{path}: {name}")
    return {name: values for name, values in preset.items() if values}
