"""Values of the paper and of its authors' code, each typed once (Afchar, Nozick, Yamagishi, Echizen, WIFS 2018)."""

PARAMETERS = {"meso4": 27_977, "meso_inception4": 28_615}  # trainable ones
FACES = {"train": (5_111, 7_250), "test": (2_889, 4_259)}  # of the Deepfake data: forged, real
LEVELS = [0, 23, 40]  # CRF of the Face2Face clips
FACE_SIDE = 256  # pixels of an aligned face
CROP = 1.3 * 2.2  # side of the crop, as a multiple of the larger of two distances: eye to eye, eyes to mouth

_Level = int | None  # CRF; None for the Deepfake clips, whose level the paper does not give
ACCURACY: dict[tuple[str, str, str], dict[_Level, float]] = {  # (network, method, unit): {level: accuracy}
    ("meso4", "deepfake", "frames"): {None: 0.891},
    ("meso4", "deepfake", "clips"): {None: 0.969},
    ("meso4", "face2face", "frames"): {0: 0.946, 23: 0.924, 40: 0.832},
    ("meso4", "face2face", "clips"): {23: 0.953},
    ("meso_inception4", "deepfake", "frames"): {None: 0.917},
    ("meso_inception4", "deepfake", "clips"): {None: 0.984},
    ("meso_inception4", "face2face", "frames"): {0: 0.968, 23: 0.934, 40: 0.813},
    ("meso_inception4", "face2face", "clips"): {23: 0.953},
    ("xception", "face2face", "frames"): {0: 0.961, 23: 0.935},
}


def accuracy(network: str, method: str, unit: str = "frames", crf: _Level = None) -> float | None:
    """The paper's accuracy of `unit` "frames" or "clips" at that CRF, or None where it gives none.

    The paper gives no level for Deepfakes, so their accuracy is the same for every `crf`.
    """
    by_level = ACCURACY.get((network, method, unit), {})
    return by_level.get(None, by_level.get(crf))


def lead(network: str, other: str) -> float:
    """Accuracy per frame on Deepfakes of `network` minus that of `other`."""
    one, two = (ACCURACY[name, "deepfake", "frames"][None] for name in (network, other))
    return round(one - two, 3)


def fall(network: str, crf: int) -> float:
    """Accuracy per frame lost on Face2Face from CRF 0 to `crf`."""
    at = ACCURACY[network, "face2face", "frames"]
    return round(at[0] - at[crf], 3)


def clip_gain(network: str, method: str, crf: int = 23) -> float:
    """Accuracy per clip minus accuracy per frame."""
    clips, frames = (accuracy(network, method, unit, crf) for unit in ("clips", "frames"))
    if clips is None or frames is None:
        raise ValueError(f"the paper gives no accuracy per clip of {network} on {method} at CRF {crf}")
    return round(clips - frames, 3)
