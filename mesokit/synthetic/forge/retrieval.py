"""Retrieval of hidden parts, such as teeth behind closed lips or an eye behind its lid, from other frames of the clip.

Face2Face retrieves mouths in this way (Thies et al. 2016): it takes the sequence of frames that fits the wanted shapes
best with few breaks. Parts that no frame shows are stretched from the nearest ones.
"""

import cv2
import numpy as np

from mesokit.synthetic.forge.texture import EYE_PAIRS, EYES, MOUTH, MOUTH_PAIRS, POINTS, STILL, affine, homogeneous

_JUMP = 0.5  # cost, in misfits, of a frame that does not follow the frame before


def shapes_of(marks):
    """Landmarks (n, N, 2) in the geometry of the canonical face, by the points that hardly move: (n, N, 2) cm."""
    return np.stack([homogeneous(one) @ affine(one[STILL], POINTS[STILL]) for one in marks])


def _gaps(shapes, rings):
    """How open the rings of lids or lips are: mean height (n,), centimetres."""
    x, y = shapes[:, rings, 0], shapes[:, rings, 1]
    area = np.abs((x * np.roll(y, -1, -1) - y * np.roll(x, -1, -1)).sum(-1)) / 2
    return (area / np.ptp(x, axis=-1)).mean(-1)


def _mouth_misfit(have, want):
    """(n, n): how badly the mouth of frame k (column) fits the wanted mouth of frame i (row); 1 is half a cm."""
    a, b = (shapes[:, MOUTH[0]] - shapes[:, MOUTH[0]].mean(1, keepdims=True) for shapes in (want, have))
    shape = np.sqrt(((a[:, None] - b[None]) ** 2).sum(-1).mean(-1))
    lack = np.clip(np.subtract.outer(_gaps(want, MOUTH), _gaps(have, MOUTH)), 0, None)
    return (shape + lack) / 0.5


def _eyes_misfit(have, want):
    """The same for the eyes, by how open the lids are; a frame near in time is preferred, since its gaze is similar."""
    ratio = np.abs(np.subtract.outer(*(np.log(_gaps(shapes, EYES) + 0.05) for shapes in (want, have))))
    apart = np.abs(np.subtract.outer(np.arange(len(want)), np.arange(len(have))))
    return np.clip(ratio - 0.35, 0, None) + 0.005 * apart


def _retrieve(misfit):
    """The frame to take for each frame, a list of n: least sum of misfits and of `_JUMP` for each break."""
    n = len(misfit)
    total, came = misfit[0] + _JUMP * (np.arange(n) > 0), np.zeros((n, n), int)
    for i in range(1, n):
        best = int(total.argmin())
        follow = np.r_[np.inf, total[:-1]]
        came[i] = np.where(follow <= total[best] + _JUMP, np.arange(n) - 1, best)
        total = np.minimum(follow, total[best] + _JUMP) + misfit[i]
    path = [int(total.argmin())]
    for i in range(n - 1, 0, -1):
        path.append(int(came[i, path[-1]]))
    return path[::-1]


def _patch(textures, path, i):
    """The texture (h, w, 3) float32 to take for frame i, faded over three frames where the path breaks."""
    last = len(textures) - 1
    near = [min(max(path[j] + i - j, 0), last) for j in (max(i - 1, 0), i, i, min(i + 1, last))]
    return np.mean([textures[k] for k in near], axis=0, dtype=np.float32)


def blend(texture, patch, opacity, around):
    """Lay `patch` over `texture`, both (h, w, 3) float32, with its brightness matched in the pixels `around`."""
    gain = (texture[around].mean(0) + 1) / (patch[around].mean(0) + 1)
    return texture + opacity * (patch * np.clip(gain, 0.8, 1.25).astype(np.float32) - texture)


def _ramp(x, low, high):
    """0 below `low`, 1 above `high`, smooth between; float32."""
    t = np.clip((np.asarray(x, np.float32) - np.float32(low)) / np.float32(high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _shut(canvas, patch, opacity, around, shape, pairs, shade, narrow):
    """Draw a dark line where the slit between `pairs` is narrower in `shape` than `narrow` cm: it has few texels."""
    gaps = np.linalg.norm(shape[pairs[0]] - shape[pairs[1]], axis=-1)
    gap = np.interp(np.arange(patch.shape[1]), canvas.points[pairs[0], 0], gaps)[:, None]
    line = patch[around].mean(0) * np.float32(shade)
    return patch + opacity * (1 - _ramp(gap, 0.06, narrow)) * (line - patch)


def _close(canvas, patch, need):
    """Lay the skin below the eyes over stretched upper lids, to hide stretched lashes; `need` is 0 to 1."""
    below = np.arange(len(patch))[:, None] > canvas.points[EYES, 1].mean()
    skin = (canvas.around_eyes & below).astype(np.float32)[..., None]
    sigma = 0.1 * canvas.detail
    filled = cv2.GaussianBlur(patch * skin, (0, 0), sigma) / (cv2.GaussianBlur(skin, (0, 0), sigma)[..., None] + 1e-6)
    return patch + canvas.lids * need * (filled - patch)


def _spread(canvas, patch, ratio):
    """Open a mouth `ratio` times wider: teeth stay at their lips and keep their size; the gap between them is dark."""
    h, w = canvas.number.shape
    x = np.arange(w, dtype=np.float32)
    top, bottom = (np.interp(x, *canvas.points[side].T).astype(np.float32) for side in MOUTH_PAIRS)
    v = np.clip((np.arange(h, dtype=np.float32)[:, None] - top) / np.maximum(bottom - top, 1), 0, 1)
    edge = np.minimum(v, 1 - v) * np.float32(np.clip(ratio, 1, 6))  # distance from the nearer lip before opening
    near = np.minimum(edge, 0.5)
    y = top + np.where(v < 0.5, near, 1 - near) * (bottom - top)
    moved = cv2.remap(patch, np.tile(x, (h, 1)), y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    dark = patch[canvas.around_mouth].mean(0) * np.array([0.34, 0.22, 0.25], np.float32)
    moved += _ramp(edge, 0.35, 0.6)[..., None] * (dark - moved)
    return patch + canvas.mouth * (moved - patch)


def eyes(canvas, textures, have, want):
    """For each frame the texture from which the eyes are taken, by the shapes `have` and `want`."""
    path, had, gaps = _retrieve(_eyes_misfit(have, want)), _gaps(have, EYES), _gaps(want, EYES)
    for i, k in enumerate(path):
        patch, need = _patch(textures, path, i), _ramp(np.log((had[k] + 0.05) / (gaps[i] + 0.05)), 0.5, 1.3)
        patch = _close(canvas, patch, need)
        yield _shut(canvas, patch, canvas.slits, canvas.around_eyes, want[i], EYE_PAIRS, 0.4, 0.45)


def mouths(canvas, textures, have, want):
    """The same for the mouth."""
    path, had, gaps = _retrieve(_mouth_misfit(have, want)), _gaps(have, MOUTH), _gaps(want, MOUTH)
    for i, k in enumerate(path):
        patch = _spread(canvas, _patch(textures, path, i), gaps[i] / (1.2 * had[k] + 1e-3))
        yield _shut(canvas, patch, canvas.mouth, canvas.around_mouth, want[i], MOUTH_PAIRS, 0.5, 0.2)
