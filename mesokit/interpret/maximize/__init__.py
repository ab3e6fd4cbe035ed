"""Activation maximization: the image that makes the output of a neuron large (Erhan et al. 2009, Afchar et al. 2018).

Three independent parts, as in lucid: the `objective` (what is maximized), the `image` (where the search starts, how a
step changes pixels) and the `robustness` (the random moves that the image must withstand). The `loop` joins them.
"""

from mesokit.interpret.maximize.image import start
from mesokit.interpret.maximize.loop import Found, Settings, maximize
from mesokit.interpret.maximize.objective import PaperNorm, balance

__all__ = ["Found", "PaperNorm", "Settings", "balance", "maximize", "start"]
