"""The exercises of 00: right answers and the kit's own pass, each mistake is told."""

import cv2
import numpy as np

from mesokit import faces, video


def side(landmarks, pick=max, factor=1.3 * 2.2, axis=0):
    eyes, mouth = landmarks[:2], landmarks[3:]
    return factor * pick(np.linalg.norm(eyes[1] - eyes[0]), np.linalg.norm(eyes.mean(axis) - mouth.mean(axis)))


def network_input(bgr):
    return bgr[None, ..., ::-1] / 255


def along_y(landmarks):
    eyes, mouth = landmarks[:2], landmarks[3:]
    return 2.86 * max(np.linalg.norm(eyes[1] - eyes[0]), mouth[:, 1].mean() - eyes[:, 1].mean())


RIGHT = [
    ("verdict", lambda p: "real" if p > 0.5 else "forged"),
    ("network_input", network_input),
    ("network_input", lambda bgr: cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)[None] / 255),
    ("even_frames", lambda n, k: [(2 * i + 1) * n // (2 * k) for i in range(k)]),
    ("even_frames", lambda n, k: np.round((np.arange(k) + 0.5) * n / k)),
    ("even_frames", video.even_indices),
    ("crop_side", side),
    ("crop_side", lambda five: faces.square(faces.Face((0, 0, 0, 0), 1.0, five))[2]),
]
WRONG = [
    ("verdict", lambda p: "forged" if p > 0.5 else "real", "flipped"),
    ("verdict", lambda p: "fake", "for p_real = 0.97: got 'fake', expected 'real'"),
    ("verdict", lambda p: "real", "compare p_real"),
    ("verdict", lambda p: "real" if p > 0.8 else "forged", "for p_real = 0.6: got 'forged'"),
    ("verdict", lambda p: "real" if p >= 0.5 else "forged", "not above the threshold"),
    ("network_input", lambda bgr: network_input(bgr)[0], "a batch"),
    ("network_input", lambda bgr: np.moveaxis(network_input(bgr), 3, 1), "got the shape [1, 3, 3, 2], expected"),
    ("network_input", lambda bgr: bgr[None, ..., ::-1] // 255, "whole numbers"),
    ("network_input", lambda bgr: bgr[None, ..., ::-1].astype(float), "division by 255 is missing"),
    ("network_input", lambda bgr: bgr[None], "division by 255 is missing"),
    ("network_input", lambda bgr: bgr[None] / 255, "still BGR"),
    ("network_input", lambda bgr: bgr[None, ::-1] / 255, "upside down"),
    ("network_input", lambda bgr: bgr[None, :, ::-1] / 255, "mirrors"),
    ("network_input", lambda bgr: bgr[None, ::-1, ::-1, ::-1] / 255, "all axes"),
    ("network_input", lambda bgr: network_input(bgr) * 255 / 256, "at [0, 0, 0, 0]: got"),
    ("even_frames", lambda n, k: range(k), "first frames"),
    ("even_frames", lambda n, k: [i * n // k for i in range(k)], "starts of the pieces"),
    ("even_frames", lambda n, k: np.linspace(0, n - 1, k).round(), "first and the last"),
    ("even_frames", lambda n, k: [(i + 1) * n // k for i in range(k)], "ends of the pieces"),
    ("even_frames", lambda n, k: [(i + 0.5) * n / k for i in range(k)], "whole numbers"),
    ("even_frames", lambda n, k: [1], "got [1], expected [12, 37, 62, 87]"),
    (
        "even_frames",
        lambda n, k: [12, 37, 62, 87],
        "for n_frames = 90, n = 3: got [12, 37, 62, 87], expected [15, 45, 75]",
    ),
    ("even_frames", lambda n, k: [12, 37, 62, 87][:k], "for n_frames = 90, n = 3: got [12, 37, 62], expected [15"),
    ("crop_side", lambda five: side(five, factor=1.3), "2.2 is missing"),
    ("crop_side", lambda five: side(five, factor=2.2), "the factor 1.3 is missing"),
    ("crop_side", lambda five: side(five, factor=1), "1.3 x 2.2 is missing"),
    ("crop_side", lambda five: side(five, min), "use the larger distance, which"),
    ("crop_side", lambda five: side(five, lambda eyes, mouth: eyes), "eyes only"),
    ("crop_side", lambda five: side(five, lambda eyes, mouth: mouth), "to the mouth only"),
    ("crop_side", lambda five: side(five, lambda *both: np.mean(both)), "not the mean"),
    ("crop_side", lambda five: side(five, axis=1), "mean over axis 0"),
    ("crop_side", along_y, "needs x and y"),
    ("crop_side", lambda five: 100, "got 100, expected 171.6"),
]
