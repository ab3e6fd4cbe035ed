"""What forgeries leave of a face's detail, octave by octave, and how many of the faces the detector finds.

python data_scripts/measure_forgeries.py work/class

For each forgery and level: the energy of the forged frame over that of the original one inside the tampered region,
faces scaled to 70 pixels between the eyes, octaves between Gaussians of .7, 1.4, 2.8 and 5.6 pixels; medians of ten
frames of each person, and of the people (the first twelve). The ring around the region is the control: 1 where nothing
changed. `found` is the share of the frames asked for in which the detector found a face.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from tqdm import tqdm

from mesokit import cli, dataset, video

EYES = 70  # pixels between the eyes
WIDTHS = (0.7, 1.4, 2.8, 5.6)  # pixels: standard deviations of the Gaussians
RING = 9  # pixels around the region that the control looks at, and pixels of its rim that are left out


def energies(image: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Mean square of what `image` (h, w, 3) uint8 loses to each Gaussian after the one before: (octaves,)."""
    gray: np.ndarray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    found = []
    for width in WIDTHS:
        smooth = cv2.GaussianBlur(gray, (0, 0), width)
        found.append(((gray - smooth) ** 2)[where].mean())
        gray = smooth
    return np.array(found)


def ratios(root: Path, clips: pd.DataFrame, number: int) -> Iterator[dict[str, object]]:
    """A row for each forged one of `clips`: its octaves inside the region and in the ring, of `number` frames."""
    faces, real = dataset.read(root), clips[clips["method"] == "real"].set_index(["identity", "crf"])
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * RING + 1,) * 2)
    for clip in clips[clips["label"] == "forged"].to_dict("records"):
        original = real.loc[(clip["identity"], clip["crf"])]
        rows = faces[faces["clip"] == original["clip"]]
        eyes = np.hypot(rows["right_eye_x"] - rows["left_eye_x"], rows["right_eye_y"] - rows["left_eye_y"]).median()
        chosen = video.even_indices(clip["frames"], number)
        each = (video.read_frames(root / path, chosen) for path in (original["path"], clip["path"], clip["mask"]))
        found = []
        for frames in zip(*each, strict=True):
            before, after, mask = (cv2.resize(frame.image, None, fx=EYES / eyes, fy=EYES / eyes) for frame in frames)
            region = (mask[..., 0] > 127).astype(np.uint8)
            core, around = cv2.erode(region, brush) > 0, cv2.dilate(region, brush) > region
            found.append([energies(after, where) / energies(before, where) for where in (core, around)])
        inside, ring = np.median(found, axis=0)
        octaves = dict(zip((f"up to {width}" for width in WIDTHS), inside, strict=True))
        yield {"method": clip["method"], "crf": clip["crf"], **octaves, "ring": ring.mean()}


def main(argv: list[str] | None = None) -> int:
    """Measure and print; returns the exit status."""
    parser = cli.script("measure_forgeries.py", __doc__)
    parser.add_argument("dataset", type=Path, help="folder made by make_synthetic.py and extract_faces.py")
    parser.add_argument("--people", type=int, default=12, help="how many (%(default)s)")
    parser.add_argument("--frames", type=int, default=10, help="of each clip (%(default)s)")
    return cli.run(parser, _main, argv)


def _main(arguments: argparse.Namespace) -> int:
    clips = dataset.clips(arguments.dataset)
    few = clips[clips["identity"].isin(sorted(clips["identity"].unique())[: arguments.people])]
    forged = int((few["label"] == "forged").sum())
    table = pd.DataFrame(tqdm(ratios(arguments.dataset, few, arguments.frames), total=forged))
    print(table.groupby(["method", "crf"]).median().round(2).to_string())
    faces = dataset.read(arguments.dataset)
    share = faces.groupby(["method", "clip", "crf"]).size() / faces.groupby(["clip", "crf"]).size().max()
    print(share.groupby("method").mean().round(4).rename("found").to_string())
    return 0


if __name__ == "__main__":
    sys.exit(main())
