"""Peers: a plain PyTorch Meso-4 with the same weights, scoring and training, and facenet-pytorch's MTCNN.

`naive` is the peer here. Equal: scores within 1e-4; both train with batch 16, Adam and mean squared error. The MTCNN of
facenet-pytorch sees all frames in one batch and looks for faces from 40 pixels up, as ours; it cuts its patches at
whole pixels, so that its boxes differ by some, and equal means the same face: IoU >= 0.8 on 98 % of the frames.

Its extraction can be the faster one: ours was .72 to .91 times as fast on two cores with AVX2, 1.14 times with AVX-512.
Ours goes frame by frame and follows the face with seven small calls of a network, so that cores idle for a quarter of
the time, but memory stays constant for a film of any length, which is worth more here.

Neither is a dependency of the project: without them rows are skipped. facenet-pytorch asks for versions that clash with
ours and runs with these all the same: pip install torch torchvision, then pip install --no-deps facenet-pytorch.
"""

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from extraction import Box, agree
from side_by_side import Row, Skipped, crops, frames, in_turn, network, parser, rate, report

from mesokit import evaluation, faces
from mesokit.backend import keras
from mesokit.fast import compiles

TOLERANCE, SAME_FACE = 1e-4, 0.8
SCORING, TRAINING, EXTRACTION = (
    "PyTorch against ours: scoring meso4",
    "PyTorch against ours: training meso4",
    "facenet-pytorch against ours: extraction",
)


def convolution(torch: Any, layer: keras.layers.Layer) -> Any:
    kernel, bias = (torch.tensor(w) for w in layer.get_weights())  # (h, w, in, out)
    made = torch.nn.Conv2d(kernel.shape[2], kernel.shape[3], kernel.shape[0], padding="same")
    made.weight.data, made.bias.data = kernel.permute(3, 2, 0, 1).contiguous(), bias
    return made


def normalization(torch: Any, layer: keras.layers.Layer) -> Any:
    gamma, beta, mean, variance = (torch.tensor(w) for w in layer.get_weights())
    made = torch.nn.BatchNorm2d(len(gamma), eps=layer.epsilon, momentum=1 - layer.momentum)
    made.weight.data, made.bias.data, made.running_mean, made.running_var = gamma, beta, mean, variance
    return made


def dense(torch: Any, layer: keras.layers.Layer, side: int = 1) -> Any:
    """`side`: of the maps that were flattened: Keras flattens rows, columns, channels; PyTorch channels first."""
    kernel, bias = (torch.tensor(w) for w in layer.get_weights())
    n, units = kernel.shape
    made = torch.nn.Linear(n, units)
    made.weight.data = kernel.reshape(side, side, -1, units).permute(3, 2, 0, 1).reshape(units, n).contiguous()
    made.bias.data = bias
    return made


def meso4(torch: Any, model: keras.Model) -> Any:
    """Meso-4 in PyTorch with the weights of `model`: (n, 3, 256, 256) -> p_real (n, 1)."""
    nn, get, parts = torch.nn, model.get_layer, []
    for i, pool in enumerate((2, 2, 2, 4), start=1):
        parts += [convolution(torch, get(f"conv{i}")), nn.ReLU(), normalization(torch, get(f"norm{i}"))]
        parts += [nn.MaxPool2d(pool)]
    parts += [nn.Flatten(), nn.Dropout(0.5), dense(torch, get("hidden"), get("pool4").output.shape[1])]
    parts += [nn.LeakyReLU(0.1), nn.Dropout(0.5), dense(torch, get("logit")), nn.Sigmoid()]
    return nn.Sequential(*parts)


def torch_step(torch: Any, model: Any, images: Any, labels: Any) -> Any:
    """A function that does one training step."""
    adam = torch.optim.Adam(model.parameters(), 1e-3)

    def step() -> None:
        model.train()
        adam.zero_grad()
        torch.nn.functional.mse_loss(model(images), labels).backward()
        adam.step()

    return step


def networks(torch: Any, n: int, repeats: int) -> Iterator[Row]:
    ours = network("meso4")
    theirs, score, images = meso4(torch, ours).eval(), evaluation.scorer(ours), crops(n)

    def their_scores() -> np.ndarray:
        with torch.inference_mode():
            batches = torch.split(torch.from_numpy(images).permute(0, 3, 1, 2), 32)
            return torch.cat([theirs(batch.float() / 255) for batch in batches])[:, 0].numpy()

    slow, fast, before, after = in_turn(their_scores, lambda: score(images), repeats)
    equal = np.abs(before - after).max() <= TOLERANCE
    yield rate(SCORING, n, "faces", slow, fast, equal)
    batch, labels = images[:16].astype(np.float32) / 255, (np.arange(len(images[:16]))[:, None] % 2 == 0)
    labels = labels.astype(np.float32)
    step = torch_step(torch, theirs, torch.from_numpy(batch).permute(0, 3, 1, 2), torch.from_numpy(labels))
    ours.compile(keras.optimizers.Adam(1e-3), "mean_squared_error", jit_compile=compiles())
    slow, fast, *_ = in_turn(step, lambda: ours.train_on_batch(batch, labels), repeats)
    yield rate(TRAINING, len(batch), "faces", slow, fast, equal)


def extraction(detector: Any, n: int, repeats: int) -> Row:
    halves = frames(n // 2, "tour_real"), frames(n // 2, "tour_forged")

    def theirs() -> list[Box | None]:
        found, _ = detector.detect([*halves[0], *halves[1]])  # x0, y0, x1, y1 of each face, the largest first
        return [None if boxes is None else (*boxes[0][:2], *(boxes[0][2:] - boxes[0][:2])) for boxes in found]

    def ours() -> list[Box | None]:
        return [face and face.box for half in halves for face in faces.follow(half)]

    slow, fast, before, after = in_turn(theirs, ours, repeats)
    return rate(EXTRACTION, 2 * (n // 2), "frames", slow, fast, agree(before, after, SAME_FACE))


def rows(n: int, n_frames: int, repeats: int) -> Iterator[Row | Skipped]:
    sys.modules.setdefault("triton", None)  # type: ignore[arg-type] # its LLVM and TensorFlow's abort in one process
    try:
        import torch
    except ImportError as error:
        yield from (Skipped(name, f"torch: {error}") for name in (SCORING, TRAINING, EXTRACTION))
        return
    yield from networks(torch, n, repeats)
    try:
        from facenet_pytorch import MTCNN
    except ImportError as error:
        yield Skipped(EXTRACTION, f"facenet-pytorch: {error}")
        return
    yield extraction(MTCNN(min_face_size=40), n_frames, repeats)


def main(argv: list[str] | None = None) -> int:
    arguments = parser(__doc__).parse_args(argv)
    return report(rows(8, 4, 1) if arguments.quick else rows(192, 60, 3), arguments.out)


if __name__ == "__main__":
    sys.exit(main())
