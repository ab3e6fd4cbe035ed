"""Video files in and out: look at a clip, read chosen frames, write H.264 at a chosen CRF; and read photographs.

Built on PyAV and Pillow; never imports TensorFlow. Frames are (h, w, 3) uint8 RGB as a player shows them: upright, with
square pixels, in the colours of SDR. Whatever is wrong with a file is a `VideoError`: one sentence with the file, the
fact and the way out. Damaged frames are never handed on.

`opening` opens files, `decoding` finds the frames that can be decoded, `showing` turns them into pictures, `reading`
picks frames, `apart` does so in a process of its own, `probing` describes a clip, `scenes` finds cuts, `encoding`
writes a clip, `photographs` reads pictures.
"""

from mesokit.video.apart import Taken, read_apart
from mesokit.video.encoding import compress, write_clip
from mesokit.video.opening import CLIP_SUFFIXES, VideoError
from mesokit.video.photographs import PHOTO_SUFFIXES, is_image, read_image
from mesokit.video.probing import probe
from mesokit.video.reading import Frame, even_indices, keyframes, read_frames

__all__ = [
    "CLIP_SUFFIXES",
    "PHOTO_SUFFIXES",
    "Frame",
    "Taken",
    "VideoError",
    "compress",
    "even_indices",
    "is_image",
    "keyframes",
    "probe",
    "read_apart",
    "read_frames",
    "read_image",
    "write_clip",
]
