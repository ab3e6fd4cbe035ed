"""The data of a notebook: found in its folder, or made there once."""

from pathlib import Path


def ready(work: str | Path, preset: str, frames: int, seed: int = 0) -> Path:
    """The folder `work`/`preset` with the default dataset in it, made first where it is not there; shows its progress.

    preset: a name in `studio.PRESETS`; frames: faces taken of each clip; seed: of the people. What is there already is
    not made again. Raises ValueError for another preset, and where the folder holds clips that were made otherwise.
    """
    from tqdm.auto import tqdm  # these here, not above: the report reads this room, and need not wait for them

    from mesokit import dataset
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
        for built in tqdm(dataset.build(clips, root, root, frames, about=about), total=clips["clip"].nunique()):
            if built.error:
                print(built.clip, built.error)
    return root
