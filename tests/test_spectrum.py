"""The power spectrum and bands of it, against waves whose frequency is known."""

import numpy as np
import pandas as pd
import pytest

from mesokit.interpret import spectrum

SIZE = 64


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


def wave(cycles_x, cycles_y, size=SIZE, strength=0.2):
    y, x = np.mgrid[:size, :size] / size
    return (strength * np.sin(2 * np.pi * (cycles_x * x + cycles_y * y)))[..., None] * np.ones(3)


def test_a_band_takes_the_planted_wave_and_nothing_else():
    coarse, fine = wave(2, 1), wave(12, 9)  # 2.2 and 15 cycles
    image = (0.5 + coarse + fine).astype(np.float32)[None]
    assert np.allclose(spectrum.remove_band(image, 8, 16), 0.5 + coarse, atol=1e-5)
    assert np.allclose(spectrum.remove_band(image, 2, 4), 0.5 + fine, atol=1e-5)
    assert np.allclose(spectrum.remove_band(image, 4, 8), image, atol=1e-5)
    assert np.allclose(spectrum._band(image, 8, 16), fine, atol=1e-5)


@pytest.fixture
def face():
    return np.random.default_rng(0).random((SIZE, SIZE, 3)).astype(np.float32)


def test_bands_are_a_partition(face):
    bands = [(0, 1), *spectrum.BANDS]
    assert np.allclose(sum(spectrum._band(face[None], *edges) for edges in bands), face[None], atol=1e-4)
    assert np.all(sum(spectrum._ring(np.empty((1, 256, 256, 3)), *edges) for edges in bands) == 1)
    assert spectrum._ring(np.empty((1, 8, 8, 3)), 2, 4)[0, 0, :, 0].tolist() == [c in (2, 3, 5, 6) for c in range(8)]


def test_controls_keep_the_energy_of_the_band(face):
    image = 0.45 + 0.1 * face[None]
    rng = np.random.default_rng(3)
    band = spectrum._band(image, 4, 16)
    scrambled = spectrum.TREATMENTS["scrambled"](image, 4, 16, rng)
    amplitudes = lambda x: np.abs(np.fft.fft2(x, axes=(1, 2)))  # noqa: E731
    assert np.allclose(amplitudes(scrambled), amplitudes(image), atol=1e-2)  # the same power at each frequency
    assert abs(np.corrcoef(spectrum._band(scrambled, 4, 16).ravel(), band.ravel())[0, 1]) < 0.2
    noisy = spectrum.TREATMENTS["noise"](image, 4, 16, rng)
    assert np.sqrt(np.mean((noisy - image) ** 2)) == pytest.approx(band.std(), rel=0.05)


def test_faces_of_all_batches_are_treated_by_their_seed(monkeypatch):
    monkeypatch.setattr(spectrum, "BATCH", 2)
    images = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 3)).astype(np.uint8)

    def score(pixels):
        return pixels[:, 0, 0, 0]

    def p_real(seed):
        table = pd.concat(spectrum.without_bands(score, images, [(2, 4)], seed))
        return {name: rows["p_real"].to_numpy() for name, rows in table.groupby("treatment")}

    first, again, other = p_real(1), p_real(1), p_real(2)
    assert np.allclose(first["none"], score(images / 255))
    assert np.allclose(first["removed"], score(spectrum.remove_band(images / np.float32(255), 2, 4)), atol=1e-6)
    for name in ("scrambled", "noise"):
        assert np.array_equal(first[name], again[name])
        assert not np.allclose(first[name], other[name], atol=1e-3)


def test_losses_count_the_faces_that_need_a_band():
    """A network that calls a face real when it has the fine wave, and depends on nothing else."""
    real, forged = 0.5 + wave(2, 1) + wave(12, 9), 0.5 + wave(2, 1)
    images = (255 * np.stack([real, forged])).round().astype(np.uint8)
    rows = pd.DataFrame({"label": ["real", "forged"], "group": ["a", "a"]}, index=[7, 3])

    def score(pixels):
        return (spectrum._band(pixels, 8, 16).std(axis=(1, 2, 3)) > 0.05).astype(np.float32)

    scores = pd.concat(spectrum.without_bands(score, images, [(2, 4), (8, 16)]))
    table = spectrum.losses(scores, rows)
    found = table.groupby(["treatment", "low_cycles"], dropna=False)["loss"].mean()
    assert found["none"].item() == 0
    assert found["removed", 8] == 0.5  # the real one is lost, the forged one stays right
    assert found["removed", 2] == 0
    assert found["scrambled", 8] == 0  # this network depends on the energy only


def test_a_score_on_the_threshold_is_forged():
    rows = pd.DataFrame({"label": ["real", "forged"]})
    scores = pd.DataFrame(
        {"face": [0, 1] * 2, "treatment": ["none"] * 2 + ["removed"] * 2, "p_real": [0.6, 0.4, 0.5, 0.5]}
    )
    table = spectrum.losses(scores, rows)
    assert table["right"].tolist() == [1, 1, 0, 1]
    assert table["loss"].tolist() == [0, 0, 1, 0]
    assert spectrum.losses(scores, rows, threshold=0.45)["right"].tolist() == [1, 1, 1, 0]
