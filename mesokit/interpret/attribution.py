"""Attribution: which pixels of a face push the logit, towards real or towards forged?

The methods are those of tf-keras-vis. Maps are of the *logit*, because the sigmoid saturates and its gradient vanishes.
They are not normalized, so that faces can be compared. Coarse maps are enlarged here, because the library aligns the
centres of the outer cells with the corners of the picture. A map is (n, h, w) float32 and never negative: a larger
value is more evidence. A blank map (all 0) means that the method found no evidence in that direction.
"""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from mesokit import evaluation, models
from mesokit.backend import keras, quietly

with quietly():
    from tf_keras_vis.gradcam import Gradcam
    from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus
    from tf_keras_vis.layercam import Layercam
    from tf_keras_vis.saliency import Saliency
    from tf_keras_vis.scorecam import Scorecam
    from tf_keras_vis.utils.scores import BinaryScore, CategoricalScore

TOWARDS = ("forged", "real")
LAYER = "conv4"  # whose output the CAM methods use: the last convolution of both networks, 32x32 cells
BATCH = 2  # faces at once: Score-CAM makes 16 copies of each, and a runtime keeps the memory of its largest batch
MASKED = 8  # masked copies of Score-CAM that are scored at once


def explain(
    method: str, network: keras.Model, faces: np.ndarray, towards: str, samples: int = 8, seed: int = 0
) -> np.ndarray:
    """Maps (n, h, w) float32 >= 0 of faces (n, h, w, 3) uint8 by the `method` in `METHODS`, `towards` real or forged.

    samples, seed: number and noise of the copies in the SmoothGrad methods. Raises ValueError for an unknown method or
    direction.
    """
    if method not in METHODS:
        raise ValueError(f"no method is called {method!r}; there are {', '.join(METHODS)}")
    if towards not in TOWARDS:
        raise ValueError(f"towards is {towards!r}; give 'real' or 'forged'")
    pixels = faces.astype(np.float32) / (255 if faces.dtype == np.uint8 else 1)
    one = METHODS[method](network, towards, samples, seed)
    return np.concatenate([one(pixels[i : i + BATCH]) for i in range(0, len(pixels), BATCH)])


def _gradients(
    network: keras.Model, pixels: np.ndarray, towards: str, samples: int, seed: int = 0, noise: float = 0.1
) -> np.ndarray:
    """The gradient of the logit `towards` a class, averaged over noisy copies: (n, h, w, 3), signed (SmoothGrad).

    For a linear network the gradient is its weights, for any face. noise: standard deviation, as a share of the range
    of the face.
    """
    saliency, score, rng = Saliency(_logit(network)), BinaryScore(towards == "real"), np.random.default_rng(seed)
    found = []
    for face in pixels:
        # smooth_samples of the library makes one pass for each copy, with noise from the global generator of numpy.
        copies = face + noise * np.ptp(face) * rng.standard_normal((samples, *face.shape), np.float32)
        # Its default gradient_modifier takes absolute values, which have no direction.
        each = saliency(score, copies, keepdims=True, gradient_modifier=None, normalize_map=False)
        found.append(np.asarray(each).mean(axis=0))
    return np.stack(found)


Map = Callable[[np.ndarray], np.ndarray]  # from faces (n, h, w, 3) float32 in [0, 1] to maps (n, h, w)


def _smoothgrad(network: keras.Model, towards: str, samples: int, seed: int) -> Map:
    """Smilkov et al. 2017: the largest |gradient| of the channels of a pixel, which has no direction."""
    return lambda pixels: np.abs(_gradients(network, pixels, towards, samples, seed)).max(axis=-1)


def _smoothgrad_input(network: keras.Model, towards: str, samples: int, seed: int) -> Map:
    """The positive part of gradient times input: what a pixel would add to the logit of a linear network."""
    return lambda pixels: np.maximum((_gradients(network, pixels, towards, samples, seed) * pixels).sum(axis=-1), 0)


def _cam(kind: type) -> Callable[..., Map]:
    """The method of a class of tf-keras-vis, on the logit."""

    def method(network: keras.Model, towards: str, _samples: int, _seed: int) -> Map:
        cam, score = kind(_logit(network)), BinaryScore(towards == "real")  # the logit, or minus the logit
        return lambda pixels: _enlarged(cam, score, pixels)

    return method


def _scorecam(network: keras.Model, towards: str, _samples: int, _seed: int) -> Map:
    """Wang et al. 2020, by probabilities. The softmax of one logit is always 1, so the library gets two logits."""
    view, fast = _two_logits(network), evaluation.scorer(models.logits(network))

    def predict(images: list[np.ndarray], batch_size: int) -> np.ndarray:  # that of Keras is slow and shows a bar
        few = [fast(images[0][i : i + MASKED]) for i in range(0, len(images[0]), MASKED)]
        return np.outer(np.concatenate(few), [-0.5, 0.5])

    view.predict = predict
    cam, score = Scorecam(view), CategoricalScore(TOWARDS.index(towards))
    return lambda pixels: _enlarged(cam, score, pixels)


def _enlarged(cam: Any, score: Any, pixels: np.ndarray) -> np.ndarray:
    """The maps of `cam` in the size of the faces: the value of a cell lies in the middle of the pixels it covers."""
    look = {"penultimate_layer": LAYER, "seek_penultimate_conv_layer": False}
    maps = np.asarray(cam(score, pixels, **look, expand_cam=False, normalize_cam=False), np.float32)
    return np.stack([cv2.resize(one, pixels.shape[2:0:-1], interpolation=cv2.INTER_LINEAR) for one in maps])


METHODS: dict[str, Callable[..., Map]] = {
    "Grad-CAM": _cam(Gradcam),
    "Grad-CAM++": _cam(GradcamPlusPlus),
    "LayerCAM": _cam(Layercam),
    "Score-CAM": _scorecam,
    "SmoothGrad": _smoothgrad,
    "SmoothGrad x input": _smoothgrad_input,
}


def _two_logits(network: keras.Model) -> keras.Model:
    """The network with outputs (-z/2, z/2) of its logit z. Their softmax is (p_forged, p_real)."""
    z = network.get_layer("logit").output
    halves = keras.layers.Concatenate(name="two_logits")([z * -0.5, z * 0.5])
    return keras.Model(list(network.inputs), halves)


def randomised(network: keras.Model, seed: int = 0) -> keras.Model:
    """A control: a copy of the network in which the numbers of each weight array are shuffled.

    Each layer keeps the distribution of its weights and loses what it learned. A method that gives the same map for
    both networks does not explain the trained one (Adebayo et al. 2018).
    """
    rng = np.random.default_rng(seed)
    copy = keras.models.clone_model(network)
    copy.set_weights([rng.permutation(values.ravel()).reshape(values.shape) for values in network.get_weights()])
    return copy


def _logit(network: keras.Model) -> keras.Model:
    """As `models.logits`, with a list of inputs as tf-keras-vis needs it."""
    return keras.Model(list(network.inputs), network.get_layer("logit").output)
