"""The data of a notebook: found in its folder, or made there once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def ready(work: str | Path, preset: str, frames: int, seed: int = 0) -> Path:
    """The folder `work`/`preset` with the default dataset, which is made first if it is missing; shows a progress bar.

    preset: a name in `studio.PRESETS`; frames: faces taken of each clip; seed: of the people. Existing files are not
    made again. Raises ValueError for another preset, and where the folder holds clips made with other settings.
    """
    from tqdm.auto import tqdm  # imported here: the report reads this room and does not need them

    from mesokit.dataset import manifest
    from mesokit.synthetic import studio

    if preset not in studio.PRESETS:
        raise ValueError(f"no preset is called {preset!r}; there are {', '.join(studio.PRESETS)}")
    root = Path(work) / preset
    studio.check(root, seed)
    if not (root / "faces.csv").exists():
        with tqdm(total=1) as bar:
            for what, done, total in studio.make(root, studio.PRESETS[preset], seed):
                bar.total, bar.n = total, done
                bar.set_description(what)
        clips = manifest.read_clips(root / "clips.csv")
        about = {"name": preset, **studio.ABOUT}
        build(clips, root, root, frames=frames, about=about)
    return root


def build(clips: pd.DataFrame, root: Path, out: Path, **options: Any) -> None:
    """`dataset.build` with these options, with a progress bar and a line for each clip that failed."""
    from tqdm.auto import tqdm

    from mesokit import dataset

    for built in tqdm(dataset.build(clips, root, out, **options), total=clips["clip"].nunique()):
        if built.error:
            print(built.clip, built.error)
