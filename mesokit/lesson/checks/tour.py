"""Checks of the exercises of `00_tour`."""

import numpy as np

from mesokit.lesson.checks import Mistake, exercise


@exercise("Right: p_real above one half says real, and the network's 1 always means real, as in the paper.")
def verdict(answer):
    """`answer(p_real)`: "real" or "forged", at the threshold 0.5; at 0.5 itself the kit says forged."""
    got = [answer(p_real) for p_real in (0.97, 0.03, 0.6, 0.5)]
    if other := [word for word in got if word not in ("real", "forged")]:
        raise Mistake(f"the answer {other[0]!r} is neither 'real' nor 'forged'")
    if got[:2] == ["forged", "real"]:
        raise Mistake("the labels are flipped: the network's output is p_real, so near 1 it says real")
    if got[0] == got[1]:
        raise Mistake(f"it says {got[0]} to 0.97 and to 0.03: compare p_real with 0.5")
    if got[2] == "forged":
        raise Mistake("0.6 is above the threshold 0.5, and became forged")
    if got[3] == "real":
        raise Mistake("at the threshold itself nothing speaks for real: the kit asks for p_real > 0.5")


@exercise("Right: red first, from 0 to 1, and a batch of one.")
def network_input(answer):
    """`answer(picture)`: (h, w, 3) uint8 in OpenCV's order BGR -> (1, h, w, 3) float RGB in [0, 1]."""
    picture = np.array([[[0, 51, 255], [102, 51, 204]], [[0, 0, 153], [51, 102, 102]], [[0, 0, 0], [255, 0, 51]]])
    got = np.asarray(answer(picture.astype(np.uint8)))
    if got.shape == picture.shape:
        raise Mistake("the network takes a batch: add an axis in front, picture[None], for a batch of one")
    if got.shape != (1, *picture.shape):
        raise Mistake(f"the shape became {got.shape}; for this picture it should be {(1, *picture.shape)}")
    if got.dtype.kind != "f":
        raise Mistake("these are still whole numbers: dividing with // leaves nothing between 0 and 1")
    rgb = picture[None, ..., ::-1]
    if np.allclose(got, rgb) or np.allclose(got, picture):
        raise Mistake("forgot /255: the pixels still go up to 255, and the network wants 0 to 1")
    if np.allclose(got, picture / 255):
        raise Mistake("this is still BGR, so red and blue are exchanged: turn the last axis around, [..., ::-1]")
    if np.allclose(got, picture[::-1] / 255) or np.allclose(got, picture[:, ::-1] / 255):
        raise Mistake(
            "this turns the wrong axis around and mirrors the picture: colours are the last axis, [..., ::-1]"
        )
    if np.allclose(got, picture[::-1, ::-1, ::-1] / 255):
        raise Mistake("this turns all axes around, and the picture is upside down: only the last axis holds colours")
    if not np.allclose(got, rgb / 255, atol=1e-6):
        raise Mistake("the bluest pixel, 255, 0, 51 in BGR, should become 0.2, 0, 1 in RGB")


@exercise("Right: the middles of equal pieces of the clip.")
def even_frames(answer):
    """`answer(n_frames, n)`: n frame indices, one in the middle of each of n equal pieces of the clip."""
    got = np.asarray(answer(100, 4))
    if got.shape != (4,):
        raise Mistake(f"four indices were wanted; the answer has the shape {got.shape}")
    if not np.allclose(got, np.round(got)):
        raise Mistake("a frame index is a whole number: round, or divide with //")
    if got.max() >= 100:
        raise Mistake(f"index {int(got.max())} is off by one or more: a clip of 100 frames ends with index 99")
    if np.array_equal(got, [0, 1, 2, 3]):
        raise Mistake("these are the first four frames, which nearly show the same picture")
    if np.array_equal(got, [0, 25, 50, 75]):
        raise Mistake("these are where the pieces begin, so the end of the clip is never seen: add half a piece")
    if got[0] == 0 and got[-1] == 99:
        raise Mistake("these include the first and the last frame, where films fade in and out: take the middles")
    if not np.allclose(got, [12.5, 37.5, 62.5, 87.5], atol=1):
        raise Mistake("four pieces of 25 frames have their middles at about 12, 37, 62 and 87")


@exercise("Right: the crop of the authors, 2.86 times the larger distance.")
def crop_side(answer):
    """`answer(landmarks)`: side of the crop in pixels, of (5, 2) x, y: two eyes, nose, two corners of the mouth."""
    # Eyes 60 apart and a mouth 40 below them; then a tilted head with eyes 50 apart and the mouth 75 away.
    wide = np.array([[100, 100], [160, 100], [130, 130], [110, 140], [150, 140]], float)
    tall = np.array([[100, 100], [130, 140], [90, 140], [60, 170], [80, 190]], float)
    eyes, mouth = 50.0, float(np.hypot(115 - 70, 120 - 180))
    got = float(answer(wide)), float(answer(tall))
    wanted = 2.86 * 60, 2.86 * mouth
    for factor, what in ((1.3, "2.2"), (2.2, "1.3"), (1.0, "1.3 x 2.2")):
        if np.allclose(got, [factor * 60, factor * mouth]):
            raise Mistake(f"the factor {what} is missing")
    if np.allclose(got, [2.86 * 40, 2.86 * eyes]):
        raise Mistake("this takes the smaller of the two distances: the larger one keeps the whole face in the crop")
    if np.allclose(got, [2.86 * 60, 2.86 * eyes]):
        raise Mistake("this only looks at the eyes; of a head turned aside they come close to each other")
    if np.allclose(got, [2.86 * 60, 2.86 * (180 - 120)]):
        raise Mistake("this measures from the eyes to the mouth along y only: a tilted head needs both coordinates")
    if not np.allclose(got, wanted, rtol=0.01):
        raise Mistake("for eyes 60 pixels apart and a mouth 40 below them, the side is 1.3 x 2.2 x 60 = 171.6 pixels")
