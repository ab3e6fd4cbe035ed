"""Make the default dataset's clips: synthetic people, their forgeries, three levels of compression.

python data_scripts/make_synthetic.py --preset smoke
python data_scripts/extract_faces.py work/smoke/clips.csv --out work/smoke
"""

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from mesokit import manifest
from mesokit.synthetic import studio


def main(argv: list[str] | None = None) -> int:
    """Make the clips, with a progress bar; a second call makes only what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=studio.PRESETS, default="smoke", help="how much to make (%(default)s)")
    parser.add_argument("--out", type=Path, help="folder to write (default: work/PRESET)")
    parser.add_argument("--seed", type=int, default=0, help="other people for another seed (%(default)s)")
    arguments = parser.parse_args(argv)
    out = arguments.out or Path("work") / arguments.preset
    try:
        with tqdm(unit="step") as bar:
            for what, done, total in studio.make(out, studio.PRESETS[arguments.preset], arguments.seed):
                bar.total, bar.n = total, done
                bar.set_description(what)
    except (ValueError, OSError) as error:
        print(f"make_synthetic: {error}", file=sys.stderr)
        return 2
    clips = manifest.read_clips(out / "clips.csv")
    print(f"{out / 'clips.csv'}: {clips['clip'].nunique()} clips at {clips['crf'].nunique()} levels")
    print(clips.groupby(["split", "method"])["clip"].nunique().unstack(fill_value=0).to_string())
    return 0


if __name__ == "__main__":
    sys.exit(main())
