"""A plain PyTorch Meso-4 with the same weights against ours: scoring, and training steps on the same faces in memory.

`naive` is PyTorch here. Equal: scores within 1e-4. Both train with batch 16, Adam and mean squared error. PyTorch is no
dependency of the project: without it the rows are skipped.
"""

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from side_by_side import Row, Skipped, crops, in_turn, network, parser, rate, report

from mesokit import evaluation
from mesokit.backend import keras

TOLERANCE = 1e-4


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


def rows(n: int, repeats: int) -> Iterator[Row | Skipped]:
    sys.modules.setdefault("triton", None)  # type: ignore[arg-type] # its LLVM and TensorFlow's abort in one process
    try:
        import torch
    except ImportError:
        for name in ("scoring", "training"):
            yield Skipped(f"PyTorch against ours: {name} meso4", "torch is not installed")
        return
    ours = network("meso4")
    theirs, score, images = meso4(torch, ours).eval(), evaluation.scorer(ours), crops(n)

    def their_scores() -> np.ndarray:
        with torch.inference_mode():
            batches = torch.split(torch.from_numpy(images).permute(0, 3, 1, 2), 32)
            return torch.cat([theirs(batch.float() / 255) for batch in batches])[:, 0].numpy()

    slow, fast, before, after = in_turn(their_scores, lambda: score(images), repeats)
    equal = np.abs(before - after).max() <= TOLERANCE
    yield rate("PyTorch against ours: scoring meso4", n, "faces", slow, fast, equal)
    batch, labels = images[:16].astype(np.float32) / 255, (np.arange(len(images[:16]))[:, None] % 2 == 0)
    labels = labels.astype(np.float32)
    step = torch_step(torch, theirs, torch.from_numpy(batch).permute(0, 3, 1, 2), torch.from_numpy(labels))
    ours.compile(keras.optimizers.Adam(1e-3), "mean_squared_error", jit_compile=True)
    slow, fast, *_ = in_turn(step, lambda: ours.train_on_batch(batch, labels), repeats)
    yield rate("PyTorch against ours: training meso4", len(batch), "faces", slow, fast, equal)


def main(argv: list[str] | None = None) -> int:
    arguments = parser(__doc__).parse_args(argv)
    return report(rows(8, 1) if arguments.quick else rows(192, 5), arguments.out)


if __name__ == "__main__":
    sys.exit(main())
