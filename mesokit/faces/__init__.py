"""Faces: find them (MTCNN), follow them through a clip, and cut it out as the authors of the paper did.

The three networks are those of the `mtcnn` package, with its thresholds and its pixels: `detect` gives its boxes. The
steps around them are done here, because its `min_face_size` is broken and because following needs single steps: P-Net
proposes on small copies of the frame, R-Net and O-Net look at the frame itself. Coordinates are pixels, x to the right,
y down, (0, 0) the centre of the first pixel.

`detecting` finds faces in one picture, `following` goes through a clip, `aligning` cuts a face out.
"""

from mesokit.faces.aligning import ZOOM, align, square, to_crop
from mesokit.faces.detecting import SMALLEST, Face, detect, load, main_face
from mesokit.faces.following import Following, Track, follow

__all__ = [
    "SMALLEST",
    "ZOOM",
    "Face",
    "Following",
    "Track",
    "align",
    "detect",
    "follow",
    "load",
    "main_face",
    "square",
    "to_crop",
]
