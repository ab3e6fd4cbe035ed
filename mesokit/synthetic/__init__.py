"""Synthetic people, two ways to forge them, and the studio that makes the default data of them.

    people      identity, motion, and how a camera sees them
    forge       `face2face`, `deepfake`, and what both share
    studio      the default data: clips, forgeries and true masks as files

Notebooks and scripts import from here. `forge.deepfake` is left out, because it loads TensorFlow: import it by name.
"""

from mesokit.synthetic import studio
from mesokit.synthetic.forge import blend, detail, face2face
from mesokit.synthetic.people import GROUPS, Renderer, motion, sample_person, sample_scene

__all__ = ["GROUPS", "Renderer", "blend", "detail", "face2face", "motion", "sample_person", "sample_scene", "studio"]
