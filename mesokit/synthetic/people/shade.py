"""From materials and light to the values of pixels: reflection, occlusion, tone curve, lens and sensor."""

import cv2
import numpy as np

from mesokit.synthetic.people.mesh import unit

# Demosaicing makes the noise of the three channels similar.
_NOISE_MIX = np.array([[0.80, 0.36, 0.36], [0.36, 0.80, 0.36], [0.36, 0.36, 0.80]], np.float32)

# Of skin, in red, green and blue: how far light wraps around it, and how much of it ignores the fine relief.
_SCATTER = np.array([(0.32, 0.75), (0.16, 0.4), (0.11, 0.3)], np.float32)


def reflect(light, fine, soft, albedo, gloss, ao, lit, cloth=None):
    """Light leaving packed pixels (.., 3) -> linear RGB: scattered light bleeds red, highlights sit on top.

    `cloth` (..) bool: pixels that are cloth and not skin.
    """
    lamps = []
    shine = np.zeros(gloss.shape, np.float32)
    for k, (direction, colour) in enumerate(light.lamps):
        half = unit(direction + np.array([0, 0, 1], np.float32))
        n2 = np.clip(fine @ half, 0, 1) ** 2
        n16 = ((n2**2) ** 2) ** 2
        gleam = 0.55 * n16 * n2 + (n16**2) ** 2 * n2  # a broad and a narrow lobe
        shine += gleam * (lit * colour[1] if k == 0 else colour[1])
        lamps.append((fine @ direction, soft @ direction, colour))
    rim = (np.clip(1 - fine[..., 2], 0, 1) ** 2) ** 2 * (light.sky[1] * 0.5)
    highlight = gloss * (0.15 * shine + 0.3 * rim) * ao
    up, open_ = fine[..., 1] * 0.5 + 0.5, 0.45 + 0.55 * ao
    dark = 1 - lit
    out = np.empty(albedo.shape, np.float32)
    # One channel at a time: broadcasting over three channels takes several times longer.
    for c, (wrap, blend) in enumerate(_SCATTER):
        if cloth is not None:
            wrap, blend = np.where(cloth, np.float32(0.08), wrap), np.where(cloth, np.float32(0), blend)
        total = (light.floor[c] + (light.sky[c] - light.floor[c]) * up) * ao
        for k, (sharp, smooth, colour) in enumerate(lamps):
            diffuse = np.clip((sharp * (1 - blend) + smooth * blend + wrap) / (1 + wrap), 0, 1)
            diffuse *= np.float32(0.86) + np.float32(0.14) * diffuse
            if k == 0:  # only the main light casts shadows; light below the skin softens them
                diffuse *= 1 - dark * (1 - np.float32(0.45) * blend)
            total += colour[c] * diffuse * open_
        out[..., c] = albedo[..., c] * total + highlight
    return out


def three(plane):
    """(h, w) -> (h, w, 3): arithmetic on full arrays is several times faster than broadcasting over three channels."""
    return cv2.merge((plane, plane, plane))


def _strips(image):
    """Views of an image, a few rows each, so that arithmetic of many steps stays in the cache of a core."""
    return np.array_split(image, max(image.size // 100_000, 1))


def occlusion(depth, solid, pixels):
    """Ambient occlusion from depth: how far a pixel lies behind its surroundings; `pixels` per cm."""
    ao = np.ones(depth.shape, np.float32)
    mask = solid.astype(np.float32)
    for sigma, strength in ((0.7, 0.5), (2.4, 0.16)):
        s = float(sigma * pixels)
        k = min(1.0, 4.0 / s)  # blurring a smaller copy is faster and smooth enough
        near, weight = (
            cv2.GaussianBlur(cv2.resize(plane, None, fx=k, fy=k, interpolation=cv2.INTER_AREA), (0, 0), s * k)
            for plane in (depth * mask, mask)
        )
        mean = cv2.resize(near / np.maximum(weight, np.float32(1e-3)), depth.shape[::-1])
        behind = depth - mean
        behind *= np.float32(strength)
        ao *= 1 - np.clip(behind, 0, 0.72, out=behind)
    return ao


def soften_edges(frame, depth):
    """Anti-alias silhouettes: blend a small blur where the depth jumps."""
    jump = cv2.morphologyEx(depth, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0.7
    edge = three(np.clip(cv2.GaussianBlur(jump.astype(np.float32), (0, 0), 0.7) * np.float32(1.3), 0, 1))
    for sharp, soft, share in zip(*map(_strips, (frame, cv2.GaussianBlur(frame, (0, 0), 0.8), edge)), strict=True):
        soft -= sharp
        soft *= share
        sharp += soft


def tone(frame, scene):
    """Linear light -> sRGB float32 in [0, 1] with a soft shoulder; `frame` is overwritten."""
    balance = np.tile(np.array(scene.balance, np.float32) * np.float32(scene.exposure), (frame.shape[1], 1))
    k = np.float32(scene.contrast)
    for x in _strips(frame):
        # In place, here and in `camera`: a new array for each step takes longer than the arithmetic.
        x *= balance
        above, below = x / np.float32(6.0), x * np.float32(0.55)
        above += 1
        below += 1
        above /= below
        x *= above
        image = cv2.pow(np.clip(x, 0, 1, out=x), 1 / 2.2)
        curve, shoulder = image * k, image * -2
        shoulder += 3
        curve *= shoulder
        curve += 1 - k
        np.multiply(curve, image, out=x)
    return frame


def camera(image, scene, rng):
    """Lens and sensor: defocus, resolution, vignette, noise that grows with light, 8 bits."""
    frame = image.shape[1::-1]
    image = cv2.GaussianBlur(image, (0, 0), scene.defocus)
    w, h = (round(scene.resolution * side) for side in frame)
    image = cv2.resize(image, (w, h), interpolation=cv2.INTER_AREA)
    y, x = np.linspace(-1, 1, h, dtype=np.float32)[:, None], np.linspace(-1, 1, w, dtype=np.float32)[None]
    vignette = 1 - np.float32(scene.vignette) * np.float32(0.5) * (x * x + y * y)
    sensor = np.empty(image.shape, np.uint8)
    for light, dim, pixels in zip(*map(_strips, (image, three(vignette), sensor)), strict=True):
        light *= dim
        noise = cv2.transform(rng.standard_normal(light.shape, np.float32), _NOISE_MIX).astype(np.float32, copy=False)
        noise *= cv2.sqrt(np.clip(light, 0.05, 1))
        noise *= np.float32(scene.noise / 255)
        light += noise
        light *= 255
        light += 0.5
        pixels[:] = np.clip(light, 0, 255, out=light)
    return cv2.resize(sensor, frame, interpolation=cv2.INTER_CUBIC)
