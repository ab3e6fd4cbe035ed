"""Draw the two pictures of the README from the clips of `class` or `bundled`: people, and forgeries with their masks.

python data_scripts/draw_pictures.py work/class
"""

import argparse
import io
import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mesokit import cli, dataset, files, video

DOCS = Path(__file__).parent.parent / "docs"
MASK = "its tampered mask"
TITLES = (
    "filmed (target)",
    "the other (source)",
    "Deepfake: source's face",
    MASK,
    "Face2Face: source's expression",
    MASK,
)


def square(path: Path, frame: int, side: int) -> np.ndarray:
    """The middle of a frame of a clip, (side, side, 3) uint8."""
    (read,) = video.read_frames(path, [frame])
    h, w = read.image.shape[:2]
    x = (w - h) // 2
    return cv2.resize(read.image[:, x : x + h], (side, side), interpolation=cv2.INTER_AREA)


def save(picture: np.ndarray, name: str, titles: tuple[str, ...] = ()) -> None:
    """Write a JPEG into docs, with a title over each column."""
    head = Image.new("RGB", (picture.shape[1], 26 if titles else 0), "white")
    for i, title in enumerate(titles):
        place = ((i + 0.5) * picture.shape[1] / len(titles), 13)
        ImageDraw.Draw(head).text(place, title, "black", ImageFont.load_default(12), anchor="mm")
    data = io.BytesIO()
    Image.fromarray(np.vstack([np.asarray(head), picture])).save(data, "JPEG", quality=88)
    files.write(DOCS / name, data.getvalue())


def main(argv: list[str] | None = None) -> int:
    """Draw both; returns the exit status."""
    parser = cli.script("draw_pictures.py", __doc__)
    parser.add_argument("dataset", type=Path, help="folder of clips, as make_synthetic.py writes it")
    parser.add_argument("--people", nargs="+", default=["p008", "p000", "p006", "p017"], help="whose forgeries")
    parser.add_argument("--frame", type=int, default=18, help="of each clip (%(default)s)")
    return cli.run(parser, _main, argv)


def _main(arguments: argparse.Namespace) -> int:
    clips = dataset.clips(arguments.dataset).query("crf == 0").set_index(["identity", "method"])
    real = clips.xs("real", level="method")["path"].sort_index()
    many = [square(arguments.dataset / path, arguments.frame, 150) for path in real[:24]]
    save(np.vstack([np.hstack(many[i : i + 8]) for i in range(0, len(many), 8)]), "people.jpg")
    rows = []
    for who in arguments.people:
        swapped, moved = clips.loc[(who, "deepfake")], clips.loc[(who, "face2face")]
        paths = [real[who], real[swapped["source"]], swapped["path"], swapped["mask"], moved["path"], moved["mask"]]
        rows.append(np.hstack([square(arguments.dataset / path, arguments.frame, 190) for path in paths]))
    save(np.vstack(rows), "forgeries.jpg", TITLES)
    return 0


if __name__ == "__main__":
    sys.exit(main())
