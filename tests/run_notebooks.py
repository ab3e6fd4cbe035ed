"""Run notebooks on a dataset, one after the other in one process: python run_notebooks.py DATA WORK.

That is faster than a kernel for each. Prints a JSON object: name of the notebook -> [the error or null, the sentences
of the skipped cells].
"""

import io
import json
import os
import re
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell

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


def run(path, parameters):
    """The error of the first cell that fails, or None."""
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(colors="nocolor")
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            done = shell.run_cell("".join(cell["source"]))
            if not done.success:
                error = done.error_in_exec or done.error_before_exec
                return f"{type(error).__name__}: {error} in {cell['source'][0].strip()}"
            if "parameters" in cell["metadata"].get("tags", []):
                shell.user_ns.update(parameters)
    return None


def main(data, work):
    os.chdir(NOTEBOOKS)
    found = {}
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        printed = io.StringIO()
        with redirect_stdout(printed), redirect_stderr(io.StringIO()):
            error = run(path, {"data": data, "work": work, **QUICK.get(path.stem, {})})
        found[path.stem] = [error, sorted(set(re.findall(r"Skipped\. [^\n]*", printed.getvalue())))]
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
