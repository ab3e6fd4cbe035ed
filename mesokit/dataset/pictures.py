"""The tables and images of a finished dataset: read tables, read and write PNG files, measure sharpness."""

import os
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from mesokit.dataset import manifest

SIZE = 256  # the paper's faces, pixels a side
# One filter for all lines, and run-length coding: 3.3 ms and 69 kB a face. zlib's level 3 takes 8.6 ms and 74 kB.
PNG = [
    *(cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_PAETH),
    *(cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE),
    *(cv2.IMWRITE_PNG_COMPRESSION, 1),
]


def read(root: str | os.PathLike[str]) -> pd.DataFrame:
    """The face table of the dataset in `root`, without rejected faces (`keep` is False).

    Raises ValueError where the table is wrong, or where a path leaves `root` through a link. `root` may be a link.
    """
    table = manifest.read_faces(Path(root) / "faces.csv")
    manifest.check_links(table, root)
    return table[table["keep"].astype(bool)].reset_index(drop=True)


def clips(root: str | os.PathLike[str]) -> pd.DataFrame:
    """The clip table of the dataset in `root`. Raises ValueError like `read`."""
    table = manifest.read_clips(Path(root) / "clips.csv")
    manifest.check_links(table, root)
    return table


def images(table: pd.DataFrame, root: str | os.PathLike[str], column: str = "path") -> np.ndarray:
    """The faces of the rows of `table`, (n, size, size, 3) uint8 RGB; for column="mask" the masks, (n, size, size)."""
    return np.stack([_read_png(Path(root) / path, gray=column == "mask") for path in table[column]])


def _read_png(path: Path, gray: bool) -> np.ndarray:
    data = np.fromfile(path, np.uint8)  # not cv2.imread, which crashes on some file names
    image = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE if gray else cv2.IMREAD_COLOR_RGB) if len(data) else None
    if image is None:
        raise ValueError(f"{path}: not an image; build the dataset again")
    return image


def write_png(path: Path, image: np.ndarray) -> None:
    """Write an (h, w, 3) RGB or (h, w) gray uint8 image, and make its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    ok, data = cv2.imencode(".png", pixels, PNG)
    assert ok
    path.write_bytes(data.tobytes())  # not tofile(), whose error for a full disk has no error number


def sharpness(image: np.ndarray) -> float:
    """Variance of the Laplacian of an (h, w, 3) uint8 RGB image, in gray levels squared: low for blurred images."""
    return float(cv2.Laplacian(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var())
