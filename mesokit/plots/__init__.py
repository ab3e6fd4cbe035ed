"""A function per figure: arrays or tables in, a plotly figure out. The look is in `style` only."""

from mesokit.plots.charts import bars, distances, learning_rate, lines, losses, scores, timeline
from mesokit.plots.failure import base_rate, crossed, curves
from mesokit.plots.filters import ascent, chance, filter_maps, kernels, responses, sign_shares
from mesokit.plots.inside import band_losses, deletions, exchanges, mean_maps, outlined, overlays, whiskers
from mesokit.plots.judge import by_number, calibration, clip_timeline, crf_curve, effective, heatmap, intervals, spectra
from mesokit.plots.learning import both_errors, costs, detectors, histories, history
from mesokit.plots.pictures import faces, landmarks, level_view

__all__ = [
    "ascent",
    "band_losses",
    "bars",
    "base_rate",
    "both_errors",
    "by_number",
    "calibration",
    "chance",
    "clip_timeline",
    "costs",
    "crf_curve",
    "crossed",
    "curves",
    "deletions",
    "detectors",
    "distances",
    "effective",
    "exchanges",
    "faces",
    "filter_maps",
    "heatmap",
    "histories",
    "history",
    "intervals",
    "kernels",
    "landmarks",
    "learning_rate",
    "level_view",
    "lines",
    "losses",
    "mean_maps",
    "outlined",
    "overlays",
    "responses",
    "scores",
    "sign_shares",
    "spectra",
    "timeline",
    "whiskers",
]
