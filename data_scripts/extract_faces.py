"""Cut aligned faces out of clips: a clip table in, a dataset folder out.

python data_scripts/extract_faces.py work/smoke/clips.csv --out work/smoke
"""

import argparse
import json
import sys
from pathlib import Path

from tqdm import tqdm

from mesokit import dataset, manifest


def main(argv: list[str] | None = None) -> int:
    """Build the dataset, with a progress bar; a second call does what is missing. 1 when a clip gave no face."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path, help="clip table; its paths are relative to its folder, or to --root")
    parser.add_argument("--out", type=Path, required=True, help="dataset folder to write")
    parser.add_argument("--root", type=Path, help="folder that the paths of the table start from")
    parser.add_argument("--frames", type=int, default=30, help="frames to take of each clip, evenly (%(default)s)")
    parser.add_argument("--min-face", type=int, default=40, help="smallest face in pixels (%(default)s)")
    arguments = parser.parse_args(argv)
    root = arguments.root or arguments.clips.parent
    try:
        clips = manifest.read_clips(arguments.clips)
        about = root / "dataset.json"
        origin = json.loads(about.read_text()) if about.is_file() else {"name": arguments.out.name}
        building = dataset.build(clips, root, arguments.out, arguments.frames, arguments.min_face, origin)
        failed = []
        for built in tqdm(building, total=clips["clip"].nunique(), unit="clip"):
            if built.error:
                failed.append(built)
                tqdm.write(f"{built.clip}: {built.error}", file=sys.stderr)
    except (ValueError, OSError) as error:
        print(f"extract_faces: {error}", file=sys.stderr)
        return 2
    faces = manifest.read_faces(arguments.out / "faces.csv")
    print(f"{arguments.out / 'faces.csv'}: {len(faces)} faces; {len(failed)} clips without any")
    print(faces.groupby(["crf", "split", "label"], dropna=False).size().unstack(fill_value=0).to_string())
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
