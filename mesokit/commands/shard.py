"""Write a dataset as a few large files, TFRecord shards, in place of one PNG file for each face.

mesokit shard work/bundled --out work/bundled-shards
mesokit shard work/faceforensics --size 1GB --out s3://bucket/faceforensics

Notebooks and commands read the result like any dataset. A second call goes on where the first was stopped. --out may be
a URL of an object store; fsspec writes to it, with the package for that store (s3fs for s3://, gcsfs for gs://).
"""

import argparse
import re
from pathlib import Path

from tqdm import tqdm

from mesokit import files
from mesokit.dataset import manifest, shards

UNITS = {"kB": 10**3, "MB": 10**6, "GB": 10**9}


def _bytes(text: str) -> int:
    found = re.fullmatch(r"([1-9][0-9]{0,5}) ?(kB|MB|GB)", text)
    if not found or (size := int(found[1]) * UNITS[found[2]]) < 10**6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size of a shard; give 1MB or more, such as 256MB or 1GB")
    return size


def options(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("dataset", type=Path, help="dataset folder, as mesokit extract writes it")
    parser.add_argument("--size", type=_bytes, default="256MB", help="of a shard, at most about (%(default)s)")
    parser.add_argument("--out", type=files.place, help="folder or URL to write (DATASET-shards)")


def work(arguments: argparse.Namespace) -> int:
    """Write the shards, with a progress bar."""
    root = arguments.dataset
    out = arguments.out or root.with_name(f"{root.resolve().name}-shards")
    if not (table := manifest.face_table(root)).is_file():
        raise FileNotFoundError(f"{root.absolute()}: there is no dataset in this folder; name the one of faces.csv")
    n = done = 0
    with tqdm(total=sum(map(len, manifest.face_parts(table))), unit="face") as bar:
        for faces in shards.write(root, out, arguments.size, arguments.command):
            n, done = n + 1, done + faces
            bar.update(faces)
    print(f"{out}: {done:,} faces in {n} shards" if n else f"{out}: these shards were there already")
    return 0
