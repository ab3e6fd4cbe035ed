"""The pixels of the default data belong to a version: a change of pixels needs a new `studio.VERSION`.

python tests/test_fingerprint.py        writes the fingerprint of the current pixels
"""

import json
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

from mesokit import files, video
from mesokit.dataset import manifest
from mesokit.synthetic import studio

KEPT = Path(__file__).with_name("fingerprint.json")
LEVELS, SHARE = 2.0, 0.06  # tolerance for other processors: gray levels of a cell, share of an energy


def fingerprint(root):
    """Gray levels of 8 by 6 cells and energies of two octaves, of the last frame of each clip at CRF 0."""
    found = {}
    for clip in manifest.read_clips(root / "clips.csv").query("crf == 0").to_dict("records"):
        (frame,) = video.read_frames(root / clip["path"], [clip["frames"] - 1])
        gray = cv2.cvtColor(frame.image, cv2.COLOR_RGB2GRAY).astype(np.float32)
        fine, coarse = (cv2.GaussianBlur(gray, (0, 0), sigma) for sigma in (1, 2))
        grid = cv2.resize(gray, (8, 6), interpolation=cv2.INTER_AREA).ravel()
        energies = [float(((gray - fine) ** 2).mean()), float(((fine - coarse) ** 2).mean())]
        found[clip["clip"]] = {"grid": grid.round(1).tolist(), "energies": np.round(energies, 3).tolist()}
    return found


def test_pixels_are_those_of_the_version(tiny):
    kept = json.loads(KEPT.read_text())
    again = "write the fingerprint again: python tests/test_fingerprint.py"
    assert kept["version"] == studio.VERSION, f"the fingerprint is of version {kept['version']}: {again}"
    today = fingerprint(tiny)
    assert today.keys() == kept["clips"].keys()
    for clip, was in kept["clips"].items():
        same = np.allclose(today[clip]["grid"], was["grid"], rtol=0, atol=LEVELS)
        same &= np.allclose(today[clip]["energies"], was["energies"], rtol=SHARE)
        assert same, f"{clip}: its pixels changed; raise VERSION in mesokit/synthetic/studio.py, then {again}"


def test_a_small_change_of_the_pixels_is_seen(tiny):
    """A blur of half a pixel, which a network can detect, exceeds the tolerance."""
    clip = manifest.read_clips(tiny / "clips.csv").query("crf == 0").iloc[0]
    (frame,) = video.read_frames(tiny / clip["path"], [clip["frames"] - 1])
    gray = cv2.cvtColor(cv2.GaussianBlur(frame.image, (0, 0), 0.5), cv2.COLOR_RGB2GRAY).astype(np.float32)
    energy = float(((gray - cv2.GaussianBlur(gray, (0, 0), 1)) ** 2).mean())
    was = json.loads(KEPT.read_text())["clips"][clip["clip"]]["energies"][0]
    assert abs(energy / was - 1) > SHARE


def main():
    with tempfile.TemporaryDirectory() as folder:
        for _ in studio.make(Path(folder), studio.PRESETS["tiny"], seed=0):
            pass
        kept = {"version": studio.VERSION, "clips": fingerprint(Path(folder))}
    files.write_json(kept, KEPT)


if __name__ == "__main__":
    sys.exit(main())
