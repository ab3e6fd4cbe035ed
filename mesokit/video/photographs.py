"""Photographs, recognised by their content, as upright 8-bit RGB."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError, features

from mesokit import files
from mesokit.video.opening import MAX_PIXELS, VideoError, open_file, photograph_kind, printable
from mesokit.video.showing import HDR

# JPEG includes MPO: of phones that store a second picture.
PHOTOS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", *(["AVIF"] if features.check("avif") else []))
PHOTO_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif", ".jp2", ".jxl"}

# Raw files of cameras are read by developers of photographs only: Pillow would take the preview in them.
_RAW = {".cr2", ".cr3", ".nef", ".arw", ".dng", ".orf", ".rw2", ".raf"}
_NOT_READ = {*_RAW, ".tga", ".ppm", ".pgm", ".pcx", ".dds", ".ico", ".psd", ".exr", ".svg", ".eps", ".j2k", ".jpx"}


def is_image(path: str | os.PathLike[str]) -> bool:
    """Whether `path` is a photograph, by its content, else by its name (then `read_image` says what is wrong)."""
    try:
        with open_file(path) as file, _bombs_allowed():
            if photograph_kind(file):
                return True
            with Image.open(file, formats=PHOTOS):
                return True
    except (
        VideoError,
        UnidentifiedImageError,
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
    ):
        return Path(path).suffix.lower() in PHOTO_SUFFIXES | _NOT_READ


@contextmanager
def _bombs_allowed() -> Iterator[None]:
    with warnings.catch_warnings():  # the limit is checked by hand, as an error and not as a warning
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def read_image(path: str | os.PathLike[str]) -> np.ndarray:
    """A photograph -> (h, w, 3) uint8 RGB, turned as its EXIF note says; gray is repeated, transparency put on white.

    Raises: VideoError for what is unreadable, over MAX_PIXELS, animated, in print colours (CMYK), of 16 or 32 bits, of
    high dynamic range (AVIF), or of a kind that Pillow does not read (HEIC, JPEG 2000, JPEG XL).
    """
    _check_kind(path)
    try:
        with open_file(path) as file, _bombs_allowed(), Image.open(file, formats=PHOTOS) as photo:
            if photo.width * photo.height > MAX_PIXELS:
                raise VideoError(
                    f"{printable(path)}: {photo.width}x{photo.height} is over {MAX_PIXELS} pixels; scale it down"
                )
            if getattr(photo, "n_frames", 1) > 1 and photo.format != "MPO":
                raise VideoError(f"{printable(path)}: holds several pictures; save the one you mean as PNG or JPEG")
            if photo.mode not in {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "YCbCr"}:
                raise VideoError(
                    f"{printable(path)}: has pixels of type {photo.mode}; save it as 8-bit RGB PNG or JPEG"
                )
            photo.load()
            upright = ImageOps.exif_transpose(photo)
            if upright.has_transparency_data:
                upright = upright.convert("RGBA")
                upright = Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright)
            return np.array(upright.convert("RGB"))
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        if isinstance(error, VideoError):
            raise
        kind = None if Path(path).suffix.lower() in _NOT_READ else files.kind(path)
        why = f": it is {kind}" if kind else "; open it and save it again as PNG or JPEG"
        raise VideoError(f"{printable(path)}: not a readable photograph{why}") from error


def _check_kind(path: str | os.PathLike[str]) -> None:
    """Raise VideoError for a photograph of a kind that is not read, or whose colours Pillow would show wrong."""
    with open_file(path) as file:
        kind = photograph_kind(file)
        head = file.read(1 << 16) if kind == "AVIF" else b""
    kind = "of a camera's raw file" if Path(path).suffix.lower() in _RAW else kind
    if kind and kind not in PHOTOS:  # HEIC is put together from tiles, which needs a library that the kit does not have
        raise VideoError(
            f"{printable(path)}: a photograph in the format {kind}, which this kit cannot read; save it as JPEG or PNG"
        )
    _, found, colours = head.partition(b"colrnclx")  # then the primaries and the transfer function, two bytes each
    if found and (transfer := int.from_bytes(colours[2:4])) in HDR:
        what = f"an AVIF photograph in {HDR[transfer]} (high dynamic range)"
        raise VideoError(f"{printable(path)}: {what}; save it in the colours of SDR")
