"""Faces that were published aligned, without their clips, become a dataset."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import pandas as pd

from mesokit import files, video
from mesokit.dataset import manifest, tables
from mesokit.dataset.clip import Built
from mesokit.dataset.pictures import SIZE, sharpness, write_png


def adopt(faces: pd.DataFrame, root: Path, out: Path, about: dict[str, Any] | None = None) -> Iterator[Built]:
    """Copy aligned faces, as the authors published theirs, into the dataset folder `out`: 256x256 PNG, named by key.

    `faces`: face table, paths relative to `root`. Yields a `Built` per face, with an error where it cannot be read.
    The tables are written after the last face. Raises ValueError as `build`.
    """
    faces, out = manifest.check_faces(faces), Path(out).absolute()
    manifest.check_links(faces, root)
    manifest.check_there(faces, root)
    files.check_links(("faces", ".part"), out, "--out")
    with tables.locked(out):
        rows, failed = [], {}  # type: list[dict[str, Any]], dict[str, str]
        for row in faces.to_dict("records"):
            try:
                rows.append(_copy(row, Path(root), out))
            except video.VideoError as error:
                failed[row["face"]] = str(error)
            yield Built(row["face"], int(row["face"] not in failed), failed.get(row["face"]))
        tables.write_failures(failed, out)
        if not rows:
            raise ValueError(f"{out}: no face could be read, so there is no dataset; the reasons are in failures.csv")
        shutil.rmtree(out / ".part", ignore_errors=True)
        manifest.save(manifest.check_faces(pd.DataFrame(rows)), out / "faces.csv")
        counts = {"faces": len(rows), **{f"faces_{k}": int(v) for k, v in faces["split"].value_counts().items()}}
        tables.describe(out, {**(about or {}), "failed": [*failed]}, counts, ["faces.csv"])


def _copy(row: dict[str, Any], root: Path, out: Path) -> dict[str, Any]:
    """Write one face into the dataset, whole or not at all; returns its row. Raises VideoError."""
    image = video.read_image(root / row["path"])
    smaller = max(image.shape[:2]) > SIZE
    image = cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
    path = f"faces/unknown/{row['split']}/{row['label']}/{row['face']}.png"
    part = out / ".part" / f"{row['face']}.png"
    write_png(part, image)
    (out / path).parent.mkdir(parents=True, exist_ok=True)
    part.replace(out / path)
    return {**row, "path": path, "sharpness": round(sharpness(image), 3)}
