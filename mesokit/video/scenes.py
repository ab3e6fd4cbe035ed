"""Scenes of a clip: where the camera or the light changes, and frames taken evenly from each scene.

The paper took frames in proportion to the changes of camera angle and illumination: few frames of a long take without
changes, many of a clip with many cuts. Built on PySceneDetect, which gets decoded frames and does not open the file.
"""

import os
from collections.abc import Sequence

import cv2
import numpy as np
from scenedetect import AdaptiveDetector, FrameTimecode

from mesokit import video

SHORTEST = 12  # frames: a change of less than half a second is a flash, not a scene
WIDTH = 256  # pixels: frames are shrunk to this width, as PySceneDetect does by default


def detect(path: str | os.PathLike[str]) -> list[tuple[int, int]]:
    """The scenes of a clip in order: (first frame, one past the last); one scene where nothing changes.

    A scene begins with a frame that differs from the one before by 15 of 255 (mean over hue, saturation, lightness) and
    three times as much as the frames around it do. Motion and slow fades do not reach that. Decodes the whole clip.
    Raises: VideoError as `video.read_frames`.
    """
    detector, starts, n = AdaptiveDetector(min_scene_len=SHORTEST), [0], 0
    for frame in video.read_frames(path):
        n = frame.index + 1
        height, width = frame.image.shape[:2]
        scale = min(1, WIDTH / width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = cv2.cvtColor(cv2.resize(frame.image, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
        found = detector.process_frame(FrameTimecode(frame.index, fps=25.0), small)  # fps: required, not used
        starts += [cut.frame_num for cut in found]
    return list(zip(starts, [*starts[1:], n], strict=True))


def indices(scenes: Sequence[tuple[int, int]], per_scene: int) -> np.ndarray:
    """`per_scene` frame indices spread evenly over each scene, all of a shorter one -> sorted unique int64.

    Raises: ValueError for no scenes, an empty or negative scene, or per_scene < 1.
    """
    for first, end in scenes:
        if not 0 <= first < end:
            raise ValueError(f"indices: the scene ({first}, {end}) is empty; give (first frame, one past the last)")
    if not len(scenes):
        raise ValueError("indices: there are no scenes; give at least one, as detect() does")
    return np.unique(np.concatenate([first + video.even_indices(end - first, per_scene) for first, end in scenes]))
