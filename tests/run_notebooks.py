"""Run notebooks on a dataset, one after the other in one process: python run_notebooks.py DATA WORK [NOTEBOOKS].

That is faster than a kernel for each. Prints a JSON object: name of the notebook -> [the error or null, the sentences
of the skipped cells, the results of the checks: [passed, message]]. NOTEBOOKS: another folder, such as the student
edition. There each exercise is run as it is, open, and then with an answer that cannot be right.
"""

import io
import json
import os
import re
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell

STUB = "# YOUR CODE HERE"
NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
QUICK = {
    "01_dataset_construction": {"steps": 10},
    "02_training": {"iterations": 4},
    "03_compression_levels": {"curve": [0, 40]},
    "05_filter_visualization": {"untrained": 20},
    "06_activation_maximization": {"steps": 2, "restarts": 1},
    "08_where_it_fails": {"levels": [51], "faces_a_clip": 1},
    "07_mean_activations": {"flips": 50, "samples": 2, "steps": 2, "explained": 2},
}


def wrong(source):
    """An open exercise with -1 as its answer."""
    return re.sub(
        r"^answer = \.\.\.$|^( +)\.\.\.$",
        lambda at: f"{at[1]}return -1" if at[1] else "answer = -1",
        source,
        flags=re.M,
    )


def run(path, parameters, checks):
    """The error of the first cell that fails, or None. Results of checks are added to `checks`."""
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(colors="nocolor")
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] != "code":
            continue
        source = "".join(cell["source"])
        for text in (source, wrong(source)) if STUB in source else (source,):
            done = shell.run_cell(text)
            if not done.success:
                error = done.error_in_exec or done.error_before_exec
                return f"{type(error).__name__}: {error} in {cell['source'][0].strip()}"
            if hasattr(done.result, "passed"):
                checks.append([done.result.passed, done.result.message])
        if "parameters" in cell["metadata"].get("tags", []):
            shell.user_ns.update(parameters)
    return None


def main(data, work, notebooks=NOTEBOOKS):
    os.chdir(notebooks)
    found = {}
    for path in sorted(Path(notebooks).glob("*.ipynb")):
        printed, checks = io.StringIO(), []
        with redirect_stdout(printed), redirect_stderr(io.StringIO()):
            error = run(path, {"data": data, "work": work, **QUICK.get(path.stem, {})}, checks)
        found[path.stem] = [error, sorted(set(re.findall(r"Skipped\. [^\n]*", printed.getvalue()))), checks]
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
