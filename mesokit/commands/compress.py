"""Encode the clips of a table at other levels of compression, all from the same frames.

mesokit compress work/mine/clips.csv --out work/mine-levels --crf 0 23 40
"""

import argparse
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from mesokit import files, video
from mesokit.dataset import manifest


def options(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("clips", type=Path, help="clip table; its paths are relative to its folder, or to --root")
    parser.add_argument("--root", type=Path, help="folder that the paths of the table start from")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument(
        "--crf", type=int, nargs="+", default=[0, 23, 40], help="levels, 0 (lossless) to 51 (%(default)s)"
    )


def work(arguments: argparse.Namespace) -> int:
    """Write OUT/clips/<crf>/<clip>.mp4 and OUT/clips.csv; a second call makes only what is missing."""
    root, out = arguments.root or arguments.clips.parent, arguments.out
    if bad := [crf for crf in arguments.crf if not 0 <= crf <= 51]:
        raise ValueError(f"--crf {bad[0]}: give levels between 0 (lossless) and 51")
    clips = manifest.read_clips(arguments.clips)
    manifest.check_links(clips, root)
    best = clips.sort_values("crf", na_position="last").groupby("clip", sort=True).head(1).sort_values("clip")
    rows = [
        row
        for clip in tqdm(best.to_dict("records"), unit="clip")
        for row in _levels(clip, root, out, sorted(set(arguments.crf)))
    ]
    table = manifest.check_clips(pd.DataFrame(rows))
    manifest.save(table, out / "clips.csv")
    print(f"{out / 'clips.csv'}: {table['clip'].nunique()} clips; kB a frame and dB by level:")
    shown = table.assign(kB=table["bytes"] / table["frames"] / 1000, PSNR=table["psnr"])
    print(shown.groupby("crf")[["kB", "PSNR"]].median().round(2).to_string())
    return 0


def _levels(clip: dict, root: Path, out: Path, levels: list[int]) -> list[dict]:
    """The rows of one clip, encoded at each level from its least compressed file; its mask is copied."""
    rows: list[dict] = []
    source, fps = root / clip["path"], 0.0
    for crf in levels:
        path = f"clips/{crf}/{clip['clip']}.mp4"
        record = (out / path).with_suffix(".json")
        if not ((out / path).exists() and record.exists()):
            fps = fps or video.probe(source).fps  # reads the whole file: once, and only where something is missing
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            frames = (_even(frame.image) for frame in video.read_frames(source))
            size, psnr = video.compress(out / path, frames, fps, crf)
            files.write_json({"bytes": size, "psnr": psnr}, record)
        known = {**manifest.measured(out / path), **files.read_json(record)}
        rows.append({**clip, **known, "path": path, "crf": crf})
    if not pd.isna(clip["mask"]):
        mask = out / "clips" / "masks" / f"{clip['clip']}.mp4"
        if not mask.exists():
            files.write(mask, (root / clip["mask"]).read_bytes())
        rows = [{**row, "mask": f"clips/masks/{clip['clip']}.mp4"} for row in rows]
    return rows


def _even(image):
    """H.264 in yuv420p has no odd sizes: an odd row or column at the end goes."""
    return image[: len(image) // 2 * 2, : image.shape[1] // 2 * 2]
