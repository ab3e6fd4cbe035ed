"""Every figure in words: each function of `plots` states what its figure holds. Numbers stand out from their cells."""

import inspect

import numpy as np
import pandas as pd
import pytest

from mesokit import plots
from mesokit.plots import style

PICTURE = np.zeros((8, 8, 3), np.uint8)
MASK = np.eye(8) > 0
SPREAD = {"low": [0.7, 0.4], "high": [0.95, 0.6]}
PAIR = pd.DataFrame({"value": [0.9, 0.5], **SPREAD}, index=["ours", "control"])
TIMES = pd.DataFrame({"time": [0.0, 0.5, 1.0], "p_real": [0.2, 0.9, 0.4]})
HISTORY = pd.DataFrame({"iteration": [5, 10], **{key: [0.3, 0.2] for key in ("loss", "val_loss")}})
HISTORY = HISTORY.assign(accuracy=[0.5, 0.7], val_accuracy=[0.5, 0.6])
SCORES = pd.DataFrame({"label": ["real"] * 4 + ["forged"] * 2, "p_real": [0.2, 0.6, 0.8, 0.9, 0.1, 0.7]})
STRENGTHS = pd.DataFrame(
    [("network", what, s, v, v, v) for what in ("accuracy", "p_real of real") for s, v in ((0, 0.9), (2, 0.5))],
    columns=["detector", "what", "strength", "value", "low", "high"],
)
CRFS = pd.DataFrame({"clip": "real", "crf": [0, 23], "kB per frame": [90.0, 2.0], "psnr": [np.inf, 40], "p_real": 0.8})
FIELDS = pd.DataFrame({"trained": ["A", "B"], "tested": ["A", "A"], "accuracy": [0.9, 0.5], **SPREAD})
SHARES = {"found": 0.004, "missed": 0.001, "false alarm": 0.05, "passed": 0.945}
NEURONS = pd.DataFrame({"unit": [0, 1], "network": "ours", "group": ["real", "forged"], "face_share": [0.75, 0.25]})
BANDS = pd.DataFrame({"treatment": ["removed"] * 2, "low_cycles": [1, 2], "high_cycles": [2, 4], "mean": [0.9, 0.5]})
LOSS = pd.DataFrame({"explanation": "edges", "share": [0.0, 0.5, 1.0], "value": [0.9, 0.3, 0.4]})
ASCENT = pd.DataFrame({"step": [0, 1], "f": [1.0, 5.0], "penalty": [0.5, 1.0]})
MEANS = PAIR.rename(columns={"value": "mean"}).assign(at=["eyes", "mouth"])
UNITS = pd.DataFrame({"detector": "network", "unit": ["frames", "clips"], "accuracy": [0.9, 0.5], **SPREAD})

# Function: its arguments, and what its words must hold.
CALLS = {
    "ascent": ((ASCENT,), "E = f - penalty: 0.5 at 0, 4 at 1"),
    "band_losses": ((BANDS.assign(**SPREAD),), "removed, 2 to 4 0.5 (0.4 to 0.6)"),
    "bars": ((pd.DataFrame({"a": [0.2]}, index=["eyes"]), "detail"), "eyes: a 0.20"),
    "base_rate": ((SHARES, {0.001: 0.01, 1.0: 1.0}, 0.001), "4 found, 1 missed, 50 false alarm, 945 passed"),
    "both_errors": ((SCORES, 0.5), "25 % of real, called forged"),
    "by_number": ((pd.DataFrame({"n": [1, 8], "one_clip": [0.7, 0.8], "strangers": [0.7, 0.9]}),), "clip: 0.7 at 1"),
    "calibration": (({"frames": pd.DataFrame({"p_real": [0.1], "share_real": [0.3], "n": [4]})},), "0.3 at 0.1"),
    "chance": ((0.25, np.array([0.1, 0.2, 0.4]), "share"), "median 0.2. A line marks the trained network: 0.25"),
    "clip_timeline": ((TIMES, [0.2, 0.6, 0.5], "a clip"), "Frames: 0.2 at 0, 0.4 at 1, highest 0.9 at 0.5"),
    "costs": ((pd.DataFrame({"parameters": [28_000]}, index=["small"]),), "small: 28,000 parameters"),
    "crf_curve": ((CRFS,), "PSNR (dB), real: 40 at 23"),
    "crossed": ((FIELDS,), "B tested on A 0.5 (0.4 to 0.6)"),
    "curves": ((STRENGTHS, "blur"), "accuracy, network: 0.9 at 0, 0.5 at 2"),
    "deletions": ((LOSS, "share", "p", "Deletion."), "edges: 0.9 at 0, 0.4 at 1, lowest 0.3 at 0.5"),
    "detectors": ((UNITS,), "network, clips 0.5 (0.4 to 0.6)"),
    "distances": (({"a": np.array([1.0, 2.0, 9.0])}, "gray levels"), "Medians: a 2"),
    "effective": (([1, 2], {"rho = 1": [1, 1]}), "rho = 1: 1 at 1, 1 at 2"),
    "exchanges": ((np.array([0.5, 0.1, 0.2]), "difference"), "0.1 to 0.2. A line marks the true labels: 0.5"),
    "faces": (([PICTURE] * 3, ["real", "real", "forged"]), "Pictures: real (2), forged."),
    "filter_maps": (([np.eye(4) * 3], ["a"]), "Pictures: a, max 3."),
    "heatmap": ((pd.DataFrame([[0.9]], ["A"], ["0"]),) * 3 + ("tested at CRF", "judge"), "A, 0 0.90 (0.90 to 0.90)"),
    "histories": (({"seed 0": HISTORY},), "accuracy, seed 0: 0.5 at 5, 0.6 at 10"),
    "history": ((HISTORY,), "accuracy, training: 0.5 at 5, 0.7 at 10"),
    "intervals": ((PAIR,), "ours 0.9 (0.7 to 0.95); control 0.5 (0.4 to 0.6)"),
    "kernels": ((np.arange(-3.0, 3.0).reshape(1, 1, 3, 2),), "2 filters (columns) on red, green, blue (rows)"),
    "landmarks": (([PICTURE], [np.zeros((1, 2))], ["a"]), "Pictures: a."),
    "learning_rate": ((pd.Series([1e-3, 1e-4], [0, 1000]),), "Rate: 0.001 at 0, 0.0001 at 1,000"),
    "level_view": ((PICTURE, np.full(PICTURE.shape, -2.0), 5, "CRF 40"), "Mean difference 2.00 gray levels"),
    "lines": ((pd.DataFrame({"real": [0.9, 0.5]}, [0.0, 12.0]), "blur", "p_real"), "real: 0.9 at 0, 0.5 at 12"),
    "losses": (([4.0, 2.0, 1.0],), "Mean of 10 steps: 4 at 1, 2.33 at 3"),
    "mean_maps": (([np.array([[1.0, 3.0]])], ["real"], "activation"), "Range of activation: real 1 to 3"),
    "outlined": (([PICTURE], [MASK], ["eyes"]), "Pictures: eyes."),
    "overlays": (([PICTURE], [MASK.astype(float)], ["Grad-CAM"]), "Pictures: Grad-CAM."),
    "responses": ((np.ones((4, 4, 2, 3)), ["red", "sum"]), "3 filters (columns), frequency 0 in the middle"),
    "scores": ((SCORES,), "50% of 2 forged faces; 75% of 4 real faces"),
    "sign_shares": ((NEURONS,), "ours, 1 real: 0.75; ours, 1 forged: 0.25"),
    "spectra": ((np.arange(2), {"CRF 0": np.array([5.0, 1.0])}, "power"), "CRF 0: 5 at 0, 1 at 1"),
    "timeline": (({"real": TIMES.to_dict("records"), "none": []},), "highest 0.9 at 0.5; none: no values"),
    "whiskers": ((MEANS, "at", "gap"), "mouth 0.5 (0.4 to 0.6)"),
}  # fmt: skip


def test_no_function_is_forgotten():
    assert sorted(CALLS) == sorted(plots.__all__)


@pytest.mark.parametrize("name", plots.__all__)
def test_each_figure_has_its_words(name):
    call, (arguments, words) = getattr(plots, name), CALLS[name]
    if "alt" in inspect.signature(call).parameters:  # what a picture shows: only the caller can say it
        with pytest.raises(TypeError, match="alt"):
            call(*arguments)
        alt = call(*arguments, alt="What it shows.").layout.meta["alt"]
        assert alt.startswith("What it shows. ")
    else:
        alt = call(*arguments).layout.meta["alt"]
    assert words in alt and alt.endswith("."), alt
    assert "nan" not in alt


def test_a_line_in_words_names_extremes_only_where_they_lie_between():
    assert style.course("a", [0, 1, 2], [1, 3, 2]) == "a: 1 at 0, 2 at 2, highest 3 at 1"
    assert style.course("a", [0, 1, 2], [1, 2, 2]) == "a: 1 at 0, 2 at 2"
    assert style.course("a", ["x"], [12_345.6]) == "a: 12,346 at x"
    assert style.course("a", [0, 1], [np.nan, np.nan]) == "a: no values"


def contrast(one, other):
    """WCAG 2: (lighter + .05) / (darker + .05) of the relative luminances of two RGB colours, 0 to 255."""
    light = []
    for colour in (one, other):
        linear = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
        light.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(light) + 0.05) / (min(light) + 0.05)


def test_numbers_in_a_heat_map_stand_out_from_their_cells():
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((0x77, 0x77, 0x77), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)  # the usual example
    shares = np.linspace(0.3, 1, 71)  # below 0.4 a cell has the colour of 0.4
    table = pd.DataFrame([shares], ["judge"])
    figure = plots.heatmap(table, table, table, "CRF", "judge")
    stops = [(place, tuple(int(code[i : i + 2], 16) for i in (1, 3, 5))) for place, code in figure.data[0].colorscale]
    places, colours = zip(*stops, strict=True)
    inks = figure.data[1].textfont.color
    for share, ink in zip(shares, inks, strict=True):
        cell = [np.interp((share - 0.4) / 0.6, places, channel) for channel in zip(*colours, strict=True)]
        assert contrast(cell, (0, 0, 0) if ink == "black" else (255, 255, 255)) >= 4.5, share
    assert set(inks) == {"black", "white"}
    assert style.ink(np.array([255, 255, 255])) == "black" and style.ink(np.array([0, 0, 0])) == "white"
