"""Attribution: which pixels of a face push the logit, towards real or towards forged?

The methods are tf-keras-vis's. Their maps are of the *logit*, for the sigmoid saturates and its gradient vanishes; they
are not normalized, so that faces can be compared; and coarse maps are enlarged here, because the library stretches them
over the picture's corners. A map is (n, h, w) float32, never negative: more is more evidence. It may be blank (all 0),
which is an answer too: the method found no evidence in that direction.
"""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from mesokit import evaluation, models
from mesokit.backend import keras

TOWARDS = ("real", "forged")
LAYER = "conv4"  # the last convolution of both networks: 32x32 cells in 256 pixels
BATCH = 2  # faces at a time: Score-CAM masks each 16 times, and no runtime gives back the memory of its largest batch
MASKED = 8  # masked faces of Score-CAM that are scored at a time


def explain(
    method: str,
    network: keras.Model,
    faces: np.ndarray,
    towards: str,
    layer: str = LAYER,
    samples: int = 8,
    noise: float = 0.1,
    seed: int = 0,
) -> np.ndarray:
    """Maps (n, h, w) float32 >= 0 of faces (n, h, w, 3) uint8 by the `method` in `METHODS`, `towards` real or forged.

    layer: where the CAM methods look. samples, noise, seed: of the SmoothGrad methods; noise is the standard deviation
    as a share of each face's range. Raises ValueError for an unknown method or direction.
    """
    if method not in METHODS:
        raise ValueError(f"no method is called {method!r}; there are {', '.join(METHODS)}")
    if towards not in TOWARDS:
        raise ValueError(f"towards is {towards!r}; give 'real' or 'forged'")
    options = {"layer": layer, "samples": samples, "noise": noise, "seed": seed}
    pixels = _pixels(faces)
    one = METHODS[method](network, towards, options)
    return np.concatenate([one(pixels[i : i + BATCH]) for i in range(0, len(pixels), BATCH)])


def gradients(
    network: keras.Model, faces: np.ndarray, towards: str, samples: int = 8, noise: float = 0.1, seed: int = 0
) -> np.ndarray:
    """The gradient of the logit `towards` a class, averaged over noisy copies: (n, h, w, 3), signed (SmoothGrad).

    Of a linear network these are its weights, whatever the face. Noise as in `explain`.
    """
    from tf_keras_vis.saliency import Saliency

    saliency, score, rng = Saliency(_logit(network)), _score(towards), np.random.default_rng(seed)
    found = []
    for face in _pixels(faces):
        # Its own smooth_samples takes one pass for each copy, and noise from numpy's global generator.
        copies = face + noise * np.ptp(face) * rng.standard_normal((samples, *face.shape), np.float32)
        # Its default gradient_modifier takes absolute values, which have no direction.
        each = saliency(score, copies, keepdims=True, gradient_modifier=None, normalize_map=False)
        found.append(np.asarray(each).mean(axis=0))
    return np.stack(found)


Map = Callable[[np.ndarray], np.ndarray]  # from faces (n, h, w, 3) float32 in [0, 1] to maps (n, h, w)


def _smoothgrad(network: keras.Model, towards: str, options: dict[str, Any]) -> Map:
    """Smilkov et al. 2017: the largest |gradient| of a pixel's channels: how much it matters, not which way."""
    return lambda pixels: np.abs(_gradients(network, pixels, towards, options)).max(axis=-1)


def _smoothgrad_input(network: keras.Model, towards: str, options: dict[str, Any]) -> Map:
    """Gradient times input, its positive part: what a pixel adds to the logit towards the class, were it linear."""
    return lambda pixels: np.maximum((_gradients(network, pixels, towards, options) * pixels).sum(axis=-1), 0)


def _gradients(network: keras.Model, pixels: np.ndarray, towards: str, options: dict[str, Any]) -> np.ndarray:
    return gradients(network, pixels, towards, options["samples"], options["noise"], options["seed"])


def _cam(name: str) -> Callable[..., Map]:
    """The method of tf-keras-vis's class `name` on the logit."""

    def method(network: keras.Model, towards: str, options: dict[str, Any]) -> Map:
        from tf_keras_vis import gradcam, gradcam_plus_plus, layercam

        kinds = {"Gradcam": gradcam, "GradcamPlusPlus": gradcam_plus_plus, "Layercam": layercam}
        cam = getattr(kinds[name], name)(_logit(network))
        return lambda pixels: _enlarged(cam(_score(towards), pixels, **_coarse(options)), pixels.shape[1])

    return method


def _scorecam(network: keras.Model, towards: str, options: dict[str, Any]) -> Map:
    """Wang et al. 2020, by probabilities. The library's softmax of one logit is always 1, so it gets two."""
    from tf_keras_vis.scorecam import Scorecam
    from tf_keras_vis.utils.scores import CategoricalScore

    view, fast = two_logits(network), evaluation.scorer(models.logits(network))

    def predict(images: list[np.ndarray], batch_size: int) -> np.ndarray:  # Keras' is slow and shows a bar
        few = [fast(images[0][i : i + MASKED]) for i in range(0, len(images[0]), MASKED)]
        return np.outer(np.concatenate(few), [-0.5, 0.5])

    view.predict = predict
    score = CategoricalScore(("forged", "real").index(towards))
    return lambda pixels: _enlarged(Scorecam(view)(score, pixels, **_coarse(options)), pixels.shape[1])


def _coarse(options: dict[str, Any]) -> dict[str, Any]:
    return {
        "penultimate_layer": options["layer"],
        "seek_penultimate_conv_layer": False,
        "expand_cam": False,
        "normalize_cam": False,
    }


METHODS: dict[str, Callable[..., Map]] = {
    "Grad-CAM": _cam("Gradcam"),
    "Grad-CAM++": _cam("GradcamPlusPlus"),
    "LayerCAM": _cam("Layercam"),
    "Score-CAM": _scorecam,
    "SmoothGrad": _smoothgrad,
    "SmoothGrad x input": _smoothgrad_input,
}


def two_logits(network: keras.Model) -> keras.Model:
    """The network with outputs (-z/2, z/2) of its logit z: their softmax is (p_forged, p_real), as the sigmoid's."""
    z = network.get_layer("logit").output
    halves = keras.layers.Concatenate(name="two_logits")([z * -0.5, z * 0.5])
    return keras.Model(list(network.inputs), halves)


def randomised(network: keras.Model, seed: int = 0) -> keras.Model:
    """A control: a copy in which the numbers of each weight array have changed places at random.

    Every layer keeps the distribution of its weights and loses what it learned. An explanation that looks the same for
    this network does not explain the trained one (Adebayo et al. 2018).
    """
    rng = np.random.default_rng(seed)
    copy = keras.models.clone_model(network)
    copy.set_weights([rng.permutation(values.ravel()).reshape(values.shape) for values in network.get_weights()])
    return copy


def _logit(network: keras.Model) -> keras.Model:
    """As `models.logits`, with the list of inputs that tf-keras-vis hands over."""
    return keras.Model(list(network.inputs), network.get_layer("logit").output)


def _score(towards: str) -> Any:
    from tf_keras_vis.utils.scores import BinaryScore

    return BinaryScore(towards == "real")  # True: the logit; False: minus the logit


def _pixels(faces: np.ndarray) -> np.ndarray:
    return faces.astype(np.float32) / 255 if faces.dtype == np.uint8 else faces.astype(np.float32)


def _enlarged(maps: Any, size: int) -> np.ndarray:
    """(n, h, w) -> (n, size, size): each cell's value stands in the middle of the pixels that it covers."""
    maps = np.asarray(maps, np.float32)
    return np.stack([cv2.resize(one, (size, size), interpolation=cv2.INTER_LINEAR) for one in maps])
