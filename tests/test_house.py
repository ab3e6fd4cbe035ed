"""Guard rails: who may import whom, what is committed, and that the README says what is there."""

import ast
import doctest
import importlib
import json
import os
import platform
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from mesokit import cli

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "mesokit"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# In the order data flows: a module may import from those above it only.
ORDER = [
    "files",
    "backend",
    "graphs",
    "video",
    "faces",
    "dataset",
    "synthetic",
    "fast",
    "models",
    "ports",
    "weights",
    "training",
    "evaluation",
    "scan",
    "stress",
    "interpret",
    "plots",
    "lesson",
    "reproduce",
    "report",
    "doctor",
    "commands",
    "cli",
]
WITHOUT_TENSORFLOW = {"files", "graphs", "video", "faces", "dataset", "synthetic", "plots"}
HEAVY = {"tensorflow", "keras", "mtcnn", "openvino", "tf_keras_vis", "backend"}


def _room(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _imports(path):
    """(names imported from mesokit, top names imported from elsewhere) anywhere in a file."""
    ours, others = set(), set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            (ours if parts[0] == "mesokit" else others).add(parts[1] if parts[0] == "mesokit" else parts[0])
    return ours & set(ORDER), others


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_lower_rooms_import_only_from_rooms_above(path):
    room = _room(path)
    if room == "__init__":
        assert _imports(path)[0] == set()
        return
    ours, others = _imports(path)
    assert {name for name in ours if ORDER.index(name) > ORDER.index(room)} == set()
    if room not in {"backend", "fast"}:
        assert others & {"tensorflow", "keras"} == set(), "import them from mesokit.backend, which does it quietly"
    if room in WITHOUT_TENSORFLOW:
        assert ours <= {*WITHOUT_TENSORFLOW, "backend"}


def test_the_package_names_its_rooms_in_the_order_of_the_house():
    import mesokit

    assert re.findall(r"^    (\w+)  ", mesokit.__doc__, re.MULTILINE) == ORDER
    assert {_room(path) for path in PACKAGE.rglob("*.py")} - {"__init__"} <= set(ORDER)


def _loaded_by(code):
    program = f"import sys; {code}; print(*sorted({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_mesokit_loads_nothing_heavy():
    assert _loaded_by("import mesokit") & (HEAVY | {"numpy", "pandas", "cv2"}) == set()
    assert _loaded_by("from mesokit import cli; cli.main(['--help'])") & (HEAVY | {"numpy", "pandas", "cv2"}) == set()


@pytest.mark.slow
def test_tensorflow_starts_quietly():
    program = "from mesokit import models; models.meso4(size=32)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_a_build_without_xla_is_found_out_quietly(monkeypatch, capfd):
    from mesokit import fast

    monkeypatch.setattr(fast, "onednn", lambda: False)
    with monkeypatch.context() as broken:
        broken.setattr(fast.tf, "function", lambda *_, **__: _without_xla)
        fast.compiles.cache_clear()
        assert not fast.compiles()
    fast.compiles.cache_clear()
    fast.compiles()
    assert capfd.readouterr().err == ""
    fast.compiles.cache_clear()  # the next test asks without the monkey


def test_xla_does_not_compile_what_onednn_computes_faster(monkeypatch):
    from mesokit import fast

    monkeypatch.setattr(fast, "onednn", lambda: True)
    fast.compiles.cache_clear()
    assert not fast.compiles()
    fast.compiles.cache_clear()


def test_onednn_does_not_compute_where_a_gpu_does(monkeypatch):
    from mesokit import backend, fast

    monkeypatch.setattr(backend.tf.config, "list_physical_devices", lambda kind=None: ["one"])
    assert not fast.onednn()
    fast.compiles.cache_clear()
    assert fast.compiles(), "XLA compiles for the GPU, whatever the processor has"
    fast.compiles.cache_clear()


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="TensorFlow has oneDNN for x86-64")
def test_onednn_computes_unless_it_is_turned_off():
    program = "from mesokit import fast as b; print(bool(b.tf.config.list_physical_devices('GPU')), b.onednn())"
    before = {name: value for name, value in os.environ.items() if name != "TF_ENABLE_ONEDNN_OPTS"}
    for told, computes in (({}, True), ({"TF_ENABLE_ONEDNN_OPTS": "0"}, False)):
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=before | told)
        gpu, onednn = done.stdout.split()
        assert onednn == str(computes and gpu == "False")


def _without_xla(_):
    from mesokit.backend import tf

    raise tf.errors.UnimplementedError(None, None, "Could not find compiler for platform Host")


@pytest.mark.parametrize(
    ("gpus", "policy"),
    [
        ([], "float32"),
        ([{}], "float32"),  # not NVIDIA's: capability unknown
        ([{"compute_capability": (6, 1)}], "float32"),
        ([{"compute_capability": (7, 0)}, {"compute_capability": (9, 0)}], "mixed_float16"),
        ([{"compute_capability": (8, 6)}, {"compute_capability": (6, 1)}], "float32"),
    ],
)
def test_precision_follows_the_gpus(monkeypatch, gpus, policy):
    from mesokit import backend

    monkeypatch.setattr(backend.tf.config, "list_physical_devices", lambda kind: gpus)
    monkeypatch.setattr(backend.tf.config.experimental, "get_device_details", lambda gpu: gpu)
    assert backend.precision() == policy


@pytest.mark.slow
@pytest.mark.parametrize("module", sorted(WITHOUT_TENSORFLOW))
def test_light_modules_load_no_tensorflow(module):
    assert _loaded_by(f"from mesokit import {module}") & HEAVY == set()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebooks_are_committed_without_outputs_and_with_parameters(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    tagged = [cell for cell in code if "parameters" in cell["metadata"].get("tags", [])]
    assert len(tagged) == 1
    for statement in ast.parse("".join(tagged[0]["source"])).body:
        assert isinstance(statement, ast.Assign)
        ast.literal_eval(statement.value)
    lines = [line for line in "".join(tagged[0]["source"]).splitlines() if line.strip()]
    assert all("#" in line for line in lines), "each parameter carries a comment"


def test_there_are_notebooks_and_presets_name_them():
    from mesokit import report

    assert NOTEBOOKS
    for preset in (ROOT / "notebooks" / "presets").glob("*.yaml"):
        report.load_preset(preset)


def test_readme_commands_exist(capsys):
    """Every make target, mesokit command and script that the README shows is there."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = "\n".join(re.findall(r"```\w*\n(.*?)```", readme, re.DOTALL))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = set(re.findall(r"^make ([a-z-]+)", blocks, re.MULTILINE))
    assert {"report", "test", "lab"} <= shown <= targets
    for script in re.findall(r"\S+/\w+\.py", blocks):
        assert (ROOT / script).is_file(), script
    calls = re.findall(r"^mesokit (\w+)([^\n#]*)", blocks, re.MULTILINE)
    named = {name for name, _ in calls}
    assert {"lab", "make", "index", "extract", "train", "report", "reproduce", "scan", "check"} <= named
    for command in named:
        with pytest.raises(SystemExit, match="0"):
            cli.main([command, "--help"])
        text = capsys.readouterr().out
        for name, options in calls:
            for option in re.findall(r"(?<=\s)--?[a-z]+", options) if name == command else ():
                assert option in text, f"mesokit {command} {option}"


def test_the_version_stands_in_one_place_and_the_change_log_dates_it():
    import mesokit

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "mesokit.__version__"}
    assert not re.search(r"^version:", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    dated = re.findall(r"^## (\S+) \(\d{4}-\d\d-\d\d\)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert dated[0] == mesokit.__version__


def test_dependencies_are_pinned_in_one_place_and_say_why_they_are_there():
    text = (ROOT / "pyproject.toml").read_text()
    project = tomllib.loads(text)["project"]
    assert "-r requirements.txt" in (ROOT / "environment.yml").read_text()
    pinned = re.findall(r"^([A-Za-z0-9_.-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert [name for name in pinned if name.startswith("opencv")] == ["opencv-python-headless"]
    for need in project["dependencies"]:
        assert re.split(r"[<>=!]", need)[0] in pinned, need
    for need in [*project["dependencies"], *project["optional-dependencies"]["dev"]]:
        assert re.search(rf'^ *"{re.escape(need)}", +# \w', text, re.MULTILINE), f"{need}: say why in a comment"


WITH_EXAMPLES = [path for path in sorted(PACKAGE.rglob("*.py")) if "\n    >>> " in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_examples_in_docstrings_give_what_they_show(path):
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
    failed, tried = doctest.testmod(module)
    assert (failed, tried > 0) == (0, True)


def test_a_letter_that_the_console_lacks_ends_no_command():
    program = "from mesokit import cli; cli.run(cli.script('x', None), lambda _: print('\u017dlut\u00fd'), [])"
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=env)
    assert (done.stdout, done.stderr) == ("\\u017dlut\\xfd\n", "")


def test_no_absolute_path_in_any_file():
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if files.returncode:
        pytest.skip("not a git checkout")
    for name in files.stdout.splitlines():
        path = ROOT / name
        if (
            path.suffix in {".py", ".md", ".toml", ".yml", ".yaml", ".ipynb", ".txt", ".cff", ".html"}
            or name == "Makefile"
        ):
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"(?<![\w.])/(home|root|work|Users)/\w", text), name
