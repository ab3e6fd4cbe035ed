"""Video files in and out: look at a clip, read chosen frames, write H.264 at a chosen CRF; and read photographs.

Built on PyAV and Pillow; never imports TensorFlow. Frames are (h, w, 3) uint8 RGB, turned upright. Whatever is wrong
with a file is a `VideoError`: one sentence with the file, the fact and the way out. Damaged frames are never handed on.

`opening` opens files, `reading` decodes frames, `apart` does so in a process of its own, `probing` describes a clip,
`encoding` writes one, `photographs` reads pictures.
"""

from mesokit.video.apart import READER, read_apart, send
from mesokit.video.encoding import ENCODER_THREADS, compress, write_clip
from mesokit.video.opening import CLIP_SUFFIXES, CONTAINERS, ERRORS, MAX_PIXELS, VideoError
from mesokit.video.photographs import PHOTO_SUFFIXES, PHOTOS, is_image, read_image
from mesokit.video.probing import Probe, probe
from mesokit.video.reading import ONE_PACKET_ONE_FRAME, Frame, even_indices, keyframes, read_frames

__all__ = [
    "CLIP_SUFFIXES",
    "CONTAINERS",
    "ENCODER_THREADS",
    "ERRORS",
    "MAX_PIXELS",
    "ONE_PACKET_ONE_FRAME",
    "PHOTOS",
    "PHOTO_SUFFIXES",
    "READER",
    "Frame",
    "Probe",
    "VideoError",
    "compress",
    "even_indices",
    "is_image",
    "keyframes",
    "probe",
    "read_apart",
    "read_frames",
    "read_image",
    "send",
    "write_clip",
]
