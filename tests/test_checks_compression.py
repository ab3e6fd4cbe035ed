"""The exercises of 03: right answers pass, each mistake is told."""

import numpy as np


def _decibels(error, peak=255.0**2):
    return 10 * np.log10(peak / error)


def _squares(a, b):
    return (a.astype(float) - b) ** 2


def _clips(right, clip, rng, how=np.mean):
    names = np.unique(clip)
    return how(np.concatenate([right[clip == name] for name in rng.choice(names, len(names))]))


def _of_clips(right, clip, rng):
    names = np.unique(clip)
    return np.mean([right[clip == name].mean() for name in rng.choice(names, len(names))])


def _beside(m):
    return m.to_numpy()[~np.eye(len(m), dtype=bool)]


RIGHT = [
    ("bit_rate", lambda size, frames, fps: 8 * size / 1000 * fps / frames),
    ("psnr", lambda a, b: _decibels(_squares(a, b).mean())),
    ("redraw", _clips),
    ("cost_of_the_wrong_level", lambda m: np.diag(m).mean() - _beside(m).mean()),
]
WRONG = [
    ("bit_rate", lambda size, frames, fps: size / 1000 * fps / frames, "8 bits"),
    ("bit_rate", lambda size, frames, fps: 8 * size * fps / frames, "bits per second"),
    ("bit_rate", lambda size, frames, fps: 8 * size / 1000 / frames, "size of a frame"),
    ("bit_rate", lambda size, frames, fps: 8 * size / 1000, "whole clip"),
    ("bit_rate", lambda size, frames, fps: 200.0, "frames = 30, fps = 24: got 200, expected 768"),
    ("psnr", lambda a, b: _decibels(((a - b) ** 2).mean()), "wraps around"),
    ("psnr", lambda a, b: _squares(a, b).mean(), "PSNR is"),
    ("psnr", lambda a, b: 10 * np.log(255**2 / _squares(a, b).mean()), "base 10"),
    ("psnr", lambda a, b: _decibels(_squares(a, b).sum()), "sum of the squares"),
    ("psnr", lambda a, b: _decibels(_squares(a, b).mean(), 1), "not 1"),
    ("psnr", lambda a, b: _decibels(_squares(a, b).mean(), 255), "squared, as the error"),
    ("psnr", lambda a, b: 40.0, "got 40, expected "),
    ("redraw", lambda right, clip, rng: right.mean(), "for every seed"),
    ("redraw", lambda right, clip, rng: _clips(right, clip, np.random.default_rng()), "for one seed"),
    ("redraw", lambda right, clip, rng: rng.choice(right, len(right)).mean(), "you drew frames"),
    ("redraw", lambda right, clip, rng: _clips(right, clip, rng, np.sum), "not the sum"),
    ("redraw", _of_clips, "the mean of the clips' accuracies"),
    ("cost_of_the_wrong_level", lambda m: _beside(m).mean() - np.diag(m).mean(), "sign is flipped"),
    ("cost_of_the_wrong_level", lambda m: np.diag(m).mean() - m.to_numpy().mean(), "in both means"),
    ("cost_of_the_wrong_level", lambda m: np.diag(m).sum() - _beside(m).sum(), "these are sums"),
    ("cost_of_the_wrong_level", lambda m: np.diag(m).mean(), "subtract the mean of the other cells"),
    ("cost_of_the_wrong_level", lambda m: 0.5, "0.5, 0.7]]: got 0.5, expected 0.133333"),
]
