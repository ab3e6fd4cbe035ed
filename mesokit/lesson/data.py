"""The data of a notebook: a preset, made there once, or the folder of a dataset; and cells that need what it lacks."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesokit import files

if TYPE_CHECKING:
    import pandas as pd

    from mesokit.dataset import Dataset

MOST = 200  # clips of a split and forgery: a notebook holds their faces in memory, and a reader waits for it
_opened: list[Dataset] = []  # the dataset of this notebook, once it is open
_left_out: dict[str, str] = {}  # what cells may need besides what `Dataset.lacks` knows, and why it is not there


def ready(data: str, work: str | Path, frames: int, seed: int = 0, clips: int | None = MOST) -> Dataset:
    """Open the dataset `data`; the default data of a preset are made first if they are missing, with a progress bar.

    data: a name in `studio.PRESETS`, whose dataset is in `work`/`data`, or the folder of any dataset; frames: faces
    taken of each clip, at most; seed: of the people of a preset; clips: about so many clips of each split and forgery
    are used of a large dataset, None for all. Existing files are not made again. From then on a cell
    whose first line is "# needs: masks" is skipped, with one sentence, where the data lack masks; the words are those
    of `Dataset.lacks`. Raises ValueError or FileNotFoundError where `data` is neither, and where the folder of a preset
    holds another dataset or clips made with other settings.
    """
    from mesokit import dataset  # imported here: the report reads this room and does not need them
    from mesokit.synthetic import studio

    preset = data in studio.PRESETS
    if not preset and isinstance(files.place(data), Path) and not Path(data).is_dir():
        close = difflib.get_close_matches(data, studio.PRESETS, 1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise FileNotFoundError(
            f"data = {data!r}: no preset is called so{hint}, and {Path(data).absolute()} is no folder; give one of "
            f"{', '.join(studio.PRESETS)}, or the folder of a dataset; relative paths start at the notebook's folder"
        )
    if preset:
        _make(data, Path(work) / data, frames, seed)
    opened = dataset.open(Path(work) / data if preset else data)
    if preset and opened.name != data:
        raise ValueError(f"{opened.folder}: it holds {opened.name}, not the data of {data!r}; give another `work`")
    opened = opened.thinned(frames, clips)
    for line in (opened.sentence(), *opened.notes):
        print(line)
    _opened[:] = [opened]
    _left_out.clear()
    _watch_cells()
    return opened


def opened_name() -> str | None:
    """The name of the dataset that this notebook opened last."""
    return _opened[0].name if _opened else None


def _make(preset: str, root: Path, frames: int, seed: int) -> None:
    """Make the default data of a preset in the folder `root` unless they are there, or wait while others make them."""
    import filelock

    from mesokit.dataset import manifest
    from mesokit.synthetic import studio

    def there() -> bool:
        return manifest.face_table(root).is_file() and (root / "dataset.json").is_file()  # the last file written

    if there():
        studio.check(root, seed)
        return
    root.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(root.with_name(f".{root.name}.lock"))
    try:
        held = lock.acquire(timeout=0)
    except filelock.Timeout:
        print(f"{root}: another notebook makes these data now; this one waits for it")
        held = lock.acquire()
    with held:
        studio.check(root, seed)
        if not there():
            _make_now(preset, root, frames, seed)


def _make_now(preset: str, root: Path, frames: int, seed: int) -> None:
    from tqdm.auto import tqdm

    from mesokit.dataset import manifest
    from mesokit.synthetic import studio

    if root.is_dir() and any(root.iterdir()) and not (root / "masters").is_dir():
        raise ValueError(f"{root}: it holds other files, so no data are made there; move them, or give another `work`")
    with tqdm(total=1) as bar:
        for what, done, total in studio.make(root, studio.PRESETS[preset], seed):
            bar.total, bar.n = total, done
            bar.set_description(what)
    clips = manifest.read_clips(root / "clips.csv")
    build(clips, root, root, frames=frames, about={"name": preset, **studio.ABOUT})


def build(clips: pd.DataFrame, root: Path, out: Path, **options: Any) -> None:
    """`dataset.build` with these options, with a progress bar and a line for each clip that failed."""
    import pandas as pd
    from tqdm.auto import tqdm

    from mesokit import dataset

    clips = clips.assign(crf=clips["crf"].replace(dataset.UNKNOWN, pd.NA))
    for built in tqdm(dataset.build(clips, root, out, **options), total=clips["clip"].nunique()):
        if built.error:
            print(built.clip, built.error)


def _watch_cells() -> None:
    """Let IPython pass every cell through `skipped` before it runs it."""
    try:
        shell = get_ipython()  # type: ignore[name-defined]
    except NameError:  # no notebook
        return
    if skipped not in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.append(skipped)


def leave_out(what: str, why: str) -> None:
    """Skip from now on each cell whose first line is "# needs: `what`"; `why`: a sentence, shown in place of it.

    An empty `why`: it is there, so nothing is skipped.
    """
    _left_out[what] = why


def skipped(lines: list[str]) -> list[str]:
    """The lines of a cell; where it needs what is not there, one line that prints the reason instead."""
    needs = re.fullmatch(r"# needs: (.+)\n?", lines[0]) if lines else None
    if not needs or not _opened:
        return lines
    words = [word.strip() for word in needs[1].split(",")]
    why = (_left_out[word] if word in _left_out else _opened[0].lacks(word) for word in words)
    reason = next(filter(None, why), "")
    return [f"print({f'Skipped. {reason}.'!r})\n"] if reason else lines
