"""The power spectrum against waves whose frequency is known."""

import numpy as np
import pytest

from mesokit.interpret import spectrum


def _gray(values):
    return np.repeat(np.clip(values, 0, 255).round().astype(np.uint8)[None, ..., None], 3, axis=3)


@pytest.mark.parametrize("angle", [0, 30, 90])
def test_a_wave_is_found_at_its_frequency_whatever_its_direction(angle):
    y, x = np.mgrid[:128, :128]
    turned = x * np.cos(np.radians(angle)) + y * np.sin(np.radians(angle))
    frequencies, power = spectrum.radial_power(_gray(128 + 50 * np.sin(2 * np.pi * 0.2 * turned)))
    assert frequencies[power[0].argmax()] == pytest.approx(0.2, abs=0.01)
    assert power[0][np.abs(frequencies - 0.2) > 0.05].max() < power[0].max() / 100


def test_white_noise_has_its_variance_everywhere():
    noise = np.random.default_rng(0).normal(128, 20, (256, 256))
    frequencies, power = spectrum.radial_power(_gray(noise))
    assert frequencies[[0, -1]] == pytest.approx([0.5 / 128, 63.5 / 128])
    assert power[0, 4:] == pytest.approx(400, rel=0.35)
    assert power[0, 4:].mean() == pytest.approx(400, rel=0.03)


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"got \(1, 4, 6, 3\)"):
        spectrum.radial_power(np.zeros((1, 4, 6, 3), np.uint8))
