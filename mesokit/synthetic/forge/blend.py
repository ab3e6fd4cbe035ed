"""Alignment of faces, and pasting of a face into a frame: the last step of the Deepfake recipe."""

import cv2
import numpy as np

# The five landmarks (eyes, nose, mouth corners) in the unit square of an aligned face. The square holds the face from
# above the brows to the chin and little else, so that the few pixels of a decoder are spent on what is pasted.
TEMPLATE = np.array([[0.27, 0.27], [0.73, 0.27], [0.5, 0.53], [0.32, 0.75], [0.68, 0.75]], np.float32)
_MIDDLE, _AXES = (0.5, 0.52), (0.47, 0.5)  # of the ellipse that is pasted, in the same square
_FEATHER = 0.07  # width of its soft border, as a share of the side


def alignment(five: np.ndarray, size: int) -> np.ndarray:
    """The similarity (2, 3) float64 from frame pixels to a `size` square that brings landmarks (5, 2) to `TEMPLATE`.

    Least squares, Umeyama 1991: in complex numbers, target = a * point + b.
    """
    points = five[:, 0].astype(np.float64) + 1j * five[:, 1]
    target = (TEMPLATE[:, 0].astype(np.float64) + 1j * TEMPLATE[:, 1]) * (size - 1)
    centred = points - points.mean()
    a = np.vdot(centred, target - target.mean()) / np.vdot(centred, centred).real
    b = target.mean() - a * points.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def aligned(image: np.ndarray, five: np.ndarray, size: int, region: np.ndarray | None = None) -> np.ndarray:
    """The face of `image` (h, w, 3) uint8 with landmarks (5, 2), turned upright into (size, size, 3) uint8.

    With `region` (h, w) in [0, 1], everything outside the face is filled with the colours of the nearest skin.
    Otherwise a decoder would learn the background beside a cheek, and paint it onto other faces.
    """
    matrix = alignment(five, size)
    shrink = np.hypot(*matrix[0, :2])
    if shrink < 1:  # blur first, or shrinking would alias
        image = cv2.GaussianBlur(image, (0, 0), 0.4 / shrink)
    face = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    if region is None:
        return face
    inside = cv2.warpAffine(region.astype(np.float32), matrix, (size, size), flags=cv2.INTER_LINEAR)
    return np.round(_extended(face.astype(np.float32), inside)).astype(np.uint8)


def _extended(face: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """`face` (s, s, 3) float32 where `inside` (s, s) is 1; elsewhere local means of the face."""
    # Pixels at the edge are mixed with the background, so means are taken a little further inside.
    sure = cv2.erode((inside > 0.9).astype(np.float32), np.ones((5, 5), np.uint8))
    spread = (face * sure[..., None]).sum((0, 1)) / (sure.sum() + 1e-6)
    for width in (0.2, 0.1, 0.05, 0.025):  # sigma as a share of the side, from wide to narrow
        sums = cv2.GaussianBlur(np.dstack([face * sure[..., None], sure]), (0, 0), width * len(face))
        near, weight = sums[..., :3], sums[..., 3:]
        spread = (near + 0.05 * spread) / (weight + 0.05)
    return face * sure[..., None] + spread * (1 - sure[..., None])


def paste(
    image: np.ndarray, five: np.ndarray, decoded: np.ndarray, region: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Put a decoded face (size, size, 3) uint8 into `image` (h, w, 3) uint8, where `region` (h, w) in [0, 1] is face.

    Returns the forged frame and its tampered mask (h, w) uint8: 255 where a pixel may differ, 0 where none does.
    """
    size = len(decoded)
    matrix = alignment(five, size)
    alpha = _soft_mask(matrix, region, size)
    matched = match_colours(decoded, aligned(image, five, size), cv2.warpAffine(alpha, matrix, (size, size)))
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    back = cv2.warpAffine(matched, matrix, image.shape[1::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return over(image, back, alpha)


def over(image: np.ndarray, painted: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lay `painted` over `image`, both (h, w, 3) uint8, with opacity `alpha` (h, w) float32 -> mixture, mask.

    The mask (h, w) uint8 is 255 where the opacity is above 0. Elsewhere the mixture equals `image` exactly.
    """
    mask = np.where(alpha > 0, 255, 0).astype(np.uint8)
    x, y, w, h = cv2.boundingRect(mask)
    here = np.s_[y : y + h, x : x + w]
    mixed = image[here] + alpha[here][..., None] * (painted[here].astype(np.float32) - image[here])
    result = image.copy()
    result[here] = np.clip(np.round(mixed), 0, 255)
    return result, mask


def _soft_mask(matrix: np.ndarray, region: np.ndarray, size: int) -> np.ndarray:
    """Opacity (h, w) float32: the face region inside the ellipse of the aligned square, feathered inwards."""
    square = np.zeros((size, size), np.float32)
    middle, axes = (tuple(round(16 * size * c) for c in pair) for pair in (_MIDDLE, _AXES))  # in sixteenths of a pixel
    cv2.fillConvexPoly(square, np.array(cv2.ellipse2Poly(middle, axes, 0, 0, 360, 5)), 1.0, shift=4)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    inside = cv2.warpAffine(square, matrix, region.shape[::-1], flags=flags) * region.astype(np.float32)
    feather = _FEATHER * size / np.hypot(*matrix[0, :2])  # in pixels of the frame
    away = cv2.distanceTransform((inside > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    soft = np.clip(away / feather, 0, 1).astype(np.float32)
    return soft * soft * (3 - 2 * soft)


def match_colours(decoded: np.ndarray, original: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Give `decoded` the colours of `original`, both (s, s, 3) uint8: mean and spread in Lab (Reinhard et al. 2001).

    `weight` (s, s) float: how much each pixel counts. Skin tone and light of the clip stay the target's. Lightness is
    matched by a power curve first, which keeps black and white. A shift would turn the eyes of a dark face pale.
    """
    a, b = (cv2.cvtColor(x, cv2.COLOR_RGB2LAB).astype(np.float32) for x in (decoded, original))
    share = (weight / (weight.sum() + 1e-6))[..., None]
    light_a, light_b = (float(np.clip((x[..., :1] * share).sum() / 255, 0.02, 0.98)) for x in (a, b))
    a[..., 0] = 255 * (a[..., 0] / 255) ** (np.log(light_b) / np.log(light_a))
    mean_a, mean_b = ((x * share).sum((0, 1)) for x in (a, b))
    std_a, std_b = (np.sqrt((share * (x - m) ** 2).sum((0, 1))) for x, m in ((a, mean_a), (b, mean_b)))
    scale = np.clip(std_b / (std_a + 1e-6), 0.8, 1.2)
    matched = np.clip((a - mean_a) * scale + mean_b, 0, 255).round().astype(np.uint8)
    return cv2.cvtColor(matched, cv2.COLOR_LAB2RGB)
