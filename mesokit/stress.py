"""Changes that faces undergo before a detector sees them, and the accuracy of detectors at each strength.

A change takes faces (n, h, w, 3) uint8 RGB and a strength, and returns faces of the same shape. Real and forged faces
are changed alike, so the forgery is not the reason when p_real moves.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from mesokit import evaluation, faces, video
from mesokit.dataset import manifest
from mesokit.evaluation import Score

Change = Callable[[np.ndarray, float], np.ndarray]


def _resolution(images: np.ndarray, side: float) -> np.ndarray:
    """Shrink to `side` pixels by area and enlarge again (cubic), as a face that was small in its frame."""
    height, width = images.shape[1:3]
    small = (cv2.resize(image, (int(side), int(side)), interpolation=cv2.INTER_AREA) for image in images)
    return np.stack([cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC) for image in small])


def _band(images: np.ndarray, share: float) -> np.ndarray:
    """Cover a horizontal band with middle gray: `share` of the height, cut at the border."""
    height, centre = images.shape[1], 0.35  # of an aligned face's height: between the eyes and the tip of the nose
    top, bottom = (round(height * (centre + side * share / 2)) for side in (-1, 1))
    covered = images.copy()
    covered[:, max(top, 0) : max(bottom, 0)] = 128
    return covered


def _gamma(images: np.ndarray, exponent: float) -> np.ndarray:
    """Raise pixels in [0, 1] to the power `exponent`: below 1 brightens, above 1 darkens, 1 changes nothing."""
    curve = np.round(255 * (np.arange(256) / 255) ** exponent).astype(np.uint8)
    return curve[images]


def _jpeg(images: np.ndarray, quality: float) -> np.ndarray:
    """Save as JPEG at `quality` (1 to 100) and open again."""
    option = [cv2.IMWRITE_JPEG_QUALITY, int(quality)]
    saved = [cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), option)[1] for image in images]
    return np.stack([np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)) for data in saved])


CHANGES: dict[str, Change] = {"resolution": _resolution, "band": _band, "gamma": _gamma, "jpeg": _jpeg}


def crops(clip: Path, rows: pd.DataFrame) -> np.ndarray:
    """The faces (n, 256, 256, 3) uint8 RGB of `clip`, cut at the landmarks in `rows`, without a new detection.

    `rows`: rows of faces.csv in the order of their frames, of this clip or of another compression level of it.
    """
    read = video.read_frames(clip, rows["frame"].to_numpy())
    pairs = zip(read, rows.to_dict("records"), strict=True)
    return np.stack([faces.align(frame.image, _face(row)) for frame, row in pairs])


def recompress(clip: Path, rows: pd.DataFrame, levels: Sequence[float]) -> Iterator[np.ndarray]:
    """Encode `clip` again at each CRF of `levels`; yields its faces as `crops` does."""
    frames, fps = [frame.image for frame in video.read_frames(clip)], video.probe(clip).fps
    for crf in levels:
        with tempfile.TemporaryDirectory() as folder:
            again = Path(folder) / "again.mp4"
            video.write_clip(again, frames, fps, crf)
            found = crops(again, rows)
        yield found


def _face(row: dict) -> faces.Face:
    points = [[row[f"{point}_{c}"] for c in "xy"] for point in manifest.POINTS]
    box = tuple(row[f"box_{c}"] for c in "xywh")
    return faces.Face(box, row["confidence"], np.array(points, np.float32))


def scores(
    detectors: Mapping[str, Score], table: pd.DataFrame, images: np.ndarray, change: Change, strengths: Sequence[float]
) -> Iterator[pd.DataFrame]:
    """Score the faces `images` of the rows of `table` at each strength; yields one table for each strength.

    It has the rows of `table` for each detector, with the columns `p_real`, `detector` (a name) and `strength`.
    """
    for strength in strengths:
        changed = change(images, strength)
        found = [table.assign(detector=name, p_real=score(changed)) for name, score in detectors.items()]
        yield pd.concat(found, ignore_index=True).assign(strength=strength)


def curve(scored: pd.DataFrame, threshold: float = 0.5) -> pd.DataFrame:
    """The accuracy of each detector at each strength, with 95 % intervals over clips; rows as `scores` gives them.

    Columns detector, strength, what, value, low, high. `what`: accuracy, accuracy of real, accuracy of forged, p_real
    of real, p_real of forged (means over the faces).
    """
    rows = []
    for (detector, strength), found in scored.groupby(["detector", "strength"], sort=False):
        right = (found["p_real"] > threshold) == (found["label"] == "real")
        measured = {"accuracy": (found, right)}
        for label in ("real", "forged"):
            of = found["label"] == label
            measured[f"accuracy of {label}"] = found[of], right[of]
            measured[f"p_real of {label}"] = found[of], found.loc[of, "p_real"]
        for what, (chosen, values) in measured.items():
            mean, low, high = evaluation.mean(values.to_numpy(float), chosen["clip"])
            rows.append((detector, strength, what, mean, low, high))
    return pd.DataFrame(rows, columns=["detector", "strength", "what", "value", "low", "high"])
