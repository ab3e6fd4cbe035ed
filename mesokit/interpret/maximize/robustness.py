"""What the image must withstand: small random moves at each step, so that no single pixel decides."""

from typing import Any

from mesokit.backend import tf
from mesokit.dataset.loading import Augmentation, augment


def moved(images: Any, seed: Any, jitter: int, rotation: float, scale: float) -> Any:
    """Images (n, size, size, 3) as the network sees them at one step: shifted, turned and scaled at random.

    jitter: up to so many pixels, across the border to the other side. rotation: degrees. scale: share of the size.
    `seed`: (2,) integers.
    """
    if rotation or scale:
        images = augment(images, Augmentation(scale, rotation, flip=False, brightness=0.0, hue=0.0), seed)
    if jitter:
        shift = tf.random.stateless_uniform((2,), seed, -jitter, jitter + 1, tf.int32)
        images = tf.roll(images, shift, (1, 2))
    return images
