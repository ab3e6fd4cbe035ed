"""Encode the clips of a table at other levels of compression, all from the same frames.

mesokit compress work/mine/clips.csv --out work/mine-levels --crf 0 23 40

A clip that cannot be used goes to failures.csv with the reason, and stops nothing.
"""

import argparse
import sys
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from mesokit import files, video
from mesokit.dataset import manifest, tables


def options(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("clips", type=Path, help="clip table; its paths are relative to its folder, or to --root")
    parser.add_argument("--root", type=Path, help="folder that the paths of the table start from")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument(
        "--crf", type=int, nargs="+", default=[0, 23, 40], help="levels, 0 (lossless) to 51 (%(default)s)"
    )


def work(arguments: argparse.Namespace) -> int:
    """Write OUT/clips/<crf>/<clip>.mp4, OUT/clips.csv and OUT/failures.csv; a second call makes only what is missing.

    1 when some clips cannot be used, 2 when none can.
    """
    root, out = arguments.root or arguments.clips.parent, arguments.out
    if bad := [crf for crf in arguments.crf if not 0 <= crf <= 51]:
        raise ValueError(f"--crf {bad[0]}: give levels between 0 (lossless) and 51")
    clips = manifest.read_clips(arguments.clips)
    manifest.check_links(clips, root)
    manifest.check_there(clips, root)
    best = clips.sort_values("crf", na_position="last").groupby("clip", sort=True).head(1).sort_values("clip")
    rows, failed = [], {}  # type: list[dict], dict[str, str]
    with tqdm(total=len(best), unit="clip") as bar:
        for clip in best.to_dict("records"):
            try:
                rows += _levels(clip, root, out, sorted(set(arguments.crf)))
            except ValueError as error:  # of this clip; an OSError is one of the folder
                failed[clip["clip"]] = str(error)
                bar.write(f"{clip['clip']}: {error}", file=sys.stderr)
            bar.update()
    tables.write_failures(failed, out)
    if not rows:
        raise ValueError(f"{out}: no clip could be encoded; the reasons are in failures.csv")
    table = manifest.check_clips(pd.DataFrame(rows))
    manifest.save(table, out / "clips.csv")
    lost = f", {len(failed)} of {len(best)} could not be used, see failures.csv" if failed else ""
    print(f"{out / 'clips.csv'}: {table['clip'].nunique()} clips{lost}; kB a frame and dB by level:")
    shown = table.assign(kB=table["bytes"] / table["frames"] / 1000, PSNR=table["psnr"])
    print(shown.groupby("crf")[["kB", "PSNR"]].median().round(2).to_string())
    return int(bool(failed))


def _levels(clip: dict, root: Path, out: Path, levels: list[int]) -> list[dict]:
    """The rows of one clip, encoded at each level from its least compressed file; its mask is copied.

    Raises ValueError where the clip or its mask cannot be used.
    """
    if not pd.isna(clip["mask"]) and not (root / clip["mask"]).is_file():
        raise ValueError(f"{root / clip['mask']}: the mask of this clip is not there; copy it, or empty its cell")
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
