"""Train the face swaps that the package brings: the first sixty-four synthetic people of seed 0, in pairs.

python data_scripts/train_swaps.py --work work/swaps

It takes half an hour on two cores, may be stopped, and goes on where it was when it is started again. What is kept of a
swap is the small clip of its decoded faces; `mesokit.synthetic.studio` pastes them when the default dataset is made.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from mesokit import cli, files, video
from mesokit.synthetic import studio

SEED = 0
FILMED = replace(studio.PRESETS["bundled"], frames=40)  # a preset may take the first of them


def main(argv: list[str] | None = None) -> int:
    """Train the pairs, one on each core, and write their clips and the card that says how they were made."""
    parser = cli.script("train_swaps.py", __doc__)
    parser.add_argument("--work", type=Path, default=Path("work/swaps"), help="folder for clips on the way")
    parser.add_argument("--out", type=Path, default=studio.SWAPS, help="folder to write (%(default)s)")
    parser.add_argument("--pairs", type=int, default=len(FILMED.pairs))
    parser.add_argument("--steps", type=int, default=FILMED.steps, help="of training, for each pair (%(default)s)")
    parser.add_argument("--extra", type=int, default=FILMED.extra, help="more frames of each person (%(default)s)")
    return cli.run(parser, _main, argv, "stopped; the same command goes on")


def _main(arguments: argparse.Namespace) -> int:
    arguments.work.mkdir(parents=True, exist_ok=True)
    preset = replace(FILMED, steps=arguments.steps, extra=arguments.extra)
    calls = [(_train, pair, arguments.work, preset) for pair in range(arguments.pairs)]
    for _ in tqdm(studio.in_parallel(calls), total=len(calls), unit="pair"):
        pass
    trained = [files.read_json(arguments.work / f"{pair:03d}.json") for pair in range(arguments.pairs)]
    swaps = [name for pair in range(arguments.pairs) for name in _names(pair)]
    for name in swaps:
        files.write(arguments.out / name, (arguments.work / name).read_bytes())
    card = {
        "version": studio.VERSION,
        "about": "decoded faces of swaps of synthetic people, <target>_<source>.mp4, aligned as blend.TEMPLATE",
        "seed": SEED,
        "frames": FILMED.frames,
        "fps": FILMED.fps,
        "size": list(FILMED.size),
        "steps": arguments.steps,
        "extra": arguments.extra,
        "loss": [pair["loss"] for pair in trained],
        "files": {name: files.sha256(arguments.out / name) for name in swaps},
    }
    files.write_json(card, arguments.out / "swaps.json")
    print(f"{arguments.out}: {len(swaps)} swaps, {sum((arguments.out / n).stat().st_size for n in swaps) / 1e6:.1f} MB")
    return 0


def _names(pair: int) -> tuple[str, str]:
    """The files of both directions: target, then source."""
    a, b = 2 * pair, 2 * pair + 1
    return f"{a:03d}_{b:03d}.mp4", f"{b:03d}_{a:03d}.mp4"


def _train(pair: int, work: Path, preset: studio.Preset) -> str:
    """Train one pair and write the decoded faces of both directions, and last the loss."""
    report = work / f"{pair:03d}.json"
    made = {"studio": studio.VERSION, **{name: getattr(preset, name) for name in ("frames", "steps", "extra")}}
    if not report.exists() or files.read_json(report).get("made") != made:
        decoded, loss = studio.swap((2 * pair, 2 * pair + 1), preset)
        for faces, name in zip(decoded, _names(pair), strict=True):
            video.write_clip(work / name, faces, preset.fps, studio.SWAP_CRF)
        files.write_json({"made": made, "loss": round(loss, 5)}, report)
    return report.stem


if __name__ == "__main__":
    sys.exit(main())
