"""What forgeries leave of a face's detail, octave by octave, and how many forged faces the detector finds.

python benchmarks/forgeries.py work/class

For each forgery and level: the energy of the forged frame over that of the original one inside the tampered region,
faces scaled to 70 pixels between the eyes, octaves between Gaussians of .7, 1.4, 2.8 and 5.6 pixels; medians of ten
frames of each person, and of the people. The ring around the region is the control: 1 where nothing changed. `found` is
the share of the frames asked for in which the detector found a face.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from tqdm import tqdm

from mesokit import cli, dataset, manifest, video

EYES = 70  # pixels between the eyes
WIDTHS = (0.7, 1.4, 2.8, 5.6)  # pixels: standard deviations of the Gaussians
RING = 9  # pixels around the region that the control looks at, and pixels of its rim that are left out


def energies(image: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Mean square of what `image` (h, w, 3) uint8 loses to each Gaussian after the one before: (octaves,)."""
    gray, found = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32), []
    for width in WIDTHS:
        smooth = cv2.GaussianBlur(gray, (0, 0), width)
        found.append(((gray - smooth) ** 2)[where].mean())
        gray = smooth
    return np.array(found)


def scaled(path: Path, chosen: np.ndarray, scale: float) -> list[np.ndarray]:
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return [
        cv2.resize(frame.image, None, fx=scale, fy=scale, interpolation=way)
        for frame in video.read_frames(path, chosen)
    ]


def ratios(root: Path, frames: int) -> Iterator[dict[str, object]]:
    """A row for each forged clip at each level: its octaves inside the region and in the ring around it."""
    clips, faces = dataset.clips(root), dataset.read(root)
    real = clips[clips["method"] == "real"].set_index(["identity", "crf"])
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * RING + 1,) * 2)
    for clip in clips[clips["label"] == "forged"].to_dict("records"):
        rows = faces[(faces["clip"] == real.loc[(clip["identity"], clip["crf"]), "clip"])]
        eyes = np.hypot(rows["right_eye_x"] - rows["left_eye_x"], rows["right_eye_y"] - rows["left_eye_y"]).median()
        chosen = np.linspace(0, clip["frames"] - 1, frames).round().astype(int)
        paths = [root / real.loc[(clip["identity"], clip["crf"]), "path"], root / clip["path"], root / clip["mask"]]
        inside, ring = [], []
        for original, forged, mask in zip(*(scaled(path, chosen, EYES / eyes) for path in paths), strict=True):
            region = (mask[..., 0] > 127).astype(np.uint8)
            core, around = cv2.erode(region, brush) > 0, (cv2.dilate(region, brush) - region) > 0
            for found, where in ((inside, core), (ring, around)):
                found.append(energies(forged, where) / energies(original, where))
        yield {
            **{key: clip[key] for key in ("method", "crf", "identity")},
            **dict(zip((f"up to {width}" for width in WIDTHS), np.median(inside, axis=0), strict=True)),
            "ring": float(np.median(ring)),
        }


def main(argv: list[str] | None = None) -> int:
    parser = cli.script("forgeries.py", __doc__)
    parser.add_argument("dataset", type=Path, help="folder made by make_synthetic.py and extract_faces.py")
    parser.add_argument("--frames", type=int, default=10, help="of each clip (%(default)s)")
    return cli.run(parser, _main, argv)


def _main(arguments: argparse.Namespace) -> int:
    clips = manifest.read_clips(arguments.dataset / "clips.csv")
    number = int((clips["label"] == "forged").sum())
    table = pd.DataFrame(tqdm(ratios(arguments.dataset, arguments.frames), total=number))
    print(table.groupby(["method", "crf"]).median(numeric_only=True).round(2).to_string())
    faces = dataset.read(arguments.dataset)
    asked = faces.groupby("clip")["frame"].nunique().max()
    there = faces.groupby(["method", "clip", "crf"])["face"].size().div(asked)
    print(there.groupby("method").mean().round(4).rename("found").to_string())
    return 0


if __name__ == "__main__":
    sys.exit(main())
