"""Make the default dataset's clips: synthetic people, two forgeries of each, three levels of compression.

mesokit make --preset smoke
mesokit extract work/smoke/clips.csv --out work/smoke

The package brings the face swaps of the presets smoke and class for seed 0. For other people the networks are trained
here, on each core those of a pair, for a minute or so.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from mesokit.dataset import manifest
from mesokit.synthetic import studio


def options(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--preset", choices=studio.PRESETS, default="smoke", help="how much to make (%(default)s)")
    parser.add_argument("--out", type=Path, help="folder to write (default: work/PRESET)")
    parser.add_argument("--seed", type=int, default=0, help="other people for another seed (%(default)s)")
    parser.add_argument("--pairs", type=int, help="of people, instead of the preset's number")


def work(arguments: argparse.Namespace) -> int:
    """Make the clips, with a progress bar; a second call makes only what is missing."""
    out = arguments.out or Path("work") / arguments.preset
    name, preset = arguments.preset, studio.PRESETS[arguments.preset]
    if arguments.pairs is not None:
        name, preset = f"{name}-{arguments.pairs}", replace(preset, pairs=tuple(range(arguments.pairs)))
    with tqdm(unit="step") as bar:
        for what, done, total in studio.make(out, preset, arguments.seed, name):
            bar.total, bar.n = total, done
            bar.set_description(what)
    clips = manifest.read_clips(out / "clips.csv")
    print(f"{out / 'clips.csv'}: {clips['clip'].nunique()} clips at {clips['crf'].nunique()} levels")
    print(clips.groupby(["split", "method"])["clip"].nunique().unstack(fill_value=0).to_string())
    return 0
