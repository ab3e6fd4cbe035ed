"""A function per figure: arrays or tables in, a plotly figure out. Palette and axis words live in `style` only."""

from mesokit.plots.charts import bars, distances, history, learning_rate, losses, scores, timeline
from mesokit.plots.pictures import faces, landmarks

__all__ = [
    "bars",
    "distances",
    "faces",
    "history",
    "landmarks",
    "learning_rate",
    "losses",
    "scores",
    "timeline",
]
