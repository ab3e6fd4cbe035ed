"""The checks of 00_tour: the right answer passes, each mistake gets its own message."""

import cv2
import numpy as np
import pytest

from mesokit import faces, video
from mesokit.lesson.checks import tour


def side(landmarks, pick=max, factor=1.3 * 2.2):
    eyes, mouth = landmarks[:2], landmarks[3:]
    return factor * pick(np.linalg.norm(eyes[1] - eyes[0]), np.linalg.norm(eyes.mean(0) - mouth.mean(0)))


def network_input(bgr):
    return bgr[None, ..., ::-1] / 255


def along_y(landmarks):
    eyes, mouth = landmarks[:2], landmarks[3:]
    return 2.86 * max(np.linalg.norm(eyes[1] - eyes[0]), mouth[:, 1].mean() - eyes[:, 1].mean())


def test_right_answers_and_the_kits_own_pass():
    assert tour.verdict(lambda p: "real" if p > 0.5 else "forged").passed
    assert tour.network_input(network_input).passed
    assert tour.network_input(lambda bgr: cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)[None] / 255).passed
    assert tour.even_frames(lambda n, k: [(2 * i + 1) * n // (2 * k) for i in range(k)]).passed
    assert tour.even_frames(video.even_indices).passed
    assert tour.crop_side(side).passed
    assert tour.crop_side(lambda five: faces.square(faces.Face((0, 0, 0, 0), 1.0, five))[2]).passed


@pytest.mark.parametrize(
    ("check", "answer", "words"),
    [
        (tour.verdict, lambda p: "forged" if p > 0.5 else "real", "flipped"),
        (tour.verdict, lambda p: "fake", "neither"),
        (tour.verdict, lambda p: "real", "compare p_real"),
        (tour.verdict, lambda p: "real" if p > 0.8 else "forged", "0.6"),
        (tour.verdict, lambda p: "real" if p >= 0.5 else "forged", "threshold itself"),
        (tour.network_input, lambda bgr: network_input(bgr)[0], "a batch"),
        (tour.network_input, lambda bgr: np.moveaxis(network_input(bgr), 3, 1), "the shape became"),
        (tour.network_input, lambda bgr: bgr[None, ..., ::-1] // 255, "whole numbers"),
        (tour.network_input, lambda bgr: bgr[None, ..., ::-1].astype(float), "forgot /255"),
        (tour.network_input, lambda bgr: bgr[None] / 255, "still BGR"),
        (tour.network_input, lambda bgr: bgr[None, ::-1] / 255, "wrong axis"),
        (tour.network_input, lambda bgr: bgr[::-1][None, :, ::-1] / 255, "0.2, 0, 1"),
        (tour.network_input, lambda bgr: bgr[None, ::-1, ::-1, ::-1] / 255, "all axes"),
        (tour.network_input, lambda bgr: network_input(bgr) * 255 / 256, "0.2, 0, 1"),
        (tour.even_frames, lambda n, k: range(k), "first four"),
        (tour.even_frames, lambda n, k: [i * n // k for i in range(k)], "where the pieces begin"),
        (tour.even_frames, lambda n, k: np.linspace(0, n - 1, k).round(), "first and the last"),
        (tour.even_frames, lambda n, k: [(i + 1) * n // k for i in range(k)], "off by one"),
        (tour.even_frames, lambda n, k: [(i + 0.5) * n / k for i in range(k)], "whole number"),
        (tour.even_frames, lambda n, k: [1], "shape"),
        (tour.even_frames, lambda n, k: [3, 20, 30, 40], "middles at about"),
        (tour.crop_side, lambda five: side(five, factor=1.3), "2.2 is missing"),
        (tour.crop_side, lambda five: side(five, factor=2.2), "1.3 is missing"),
        (tour.crop_side, lambda five: side(five, min), "smaller"),
        (tour.crop_side, lambda five: side(five, lambda eyes, mouth: eyes), "only looks at the eyes"),
        (tour.crop_side, along_y, "along y"),
        (tour.crop_side, lambda five: 100, "171.6"),
    ],
)  # fmt: skip
def test_each_mistake_is_named(check, answer, words):
    found = check(answer)
    assert not found.passed and words in found.message, found.message
