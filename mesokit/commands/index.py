"""Index a public dataset, or a folder of clips, as it lies on disk: a clip table that mesokit extract reads.

mesokit index faceforensics FaceForensics++ --out FaceForensics++/clips.csv

NAME is faceforensics, celebdf, dfdc, mesonet-faces (face rows, there are no clips) or folder. What is listed and not
there, there and not listed, or not used is counted here and named in full in OUT_findings.csv. OUT_index.json says how
the table was made; mesokit extract hands it on.

folder reads split and class from the words of folder names: Train/Real, test/1_fake, real_videos, Deepfakes, non-fake.
Where they do not tell the class, say it outright:

mesokit index folder VIDEOS --out clips.csv --real people interviews --forged lab/results
"""

import argparse
from pathlib import Path

from mesokit import __version__, files
from mesokit.dataset import indexing, manifest, sources


def options(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("name", metavar="NAME", choices=list(sources.SOURCES), help=", ".join(sources.SOURCES))
    parser.add_argument("root", metavar="ROOT", type=Path, help="folder of the dataset; paths are relative to it")
    parser.add_argument("--out", type=Path, required=True, help="table to write")
    parser.add_argument("--seed", type=int, default=0, help="draws the split where none is official (%(default)s)")
    for class_ in manifest.LABELS[::-1]:
        told = f"folder: names, or paths below ROOT, of folders with {class_} clips"
        parser.add_argument(f"--{class_}", nargs="+", default=[], metavar="NAME", help=told)


def work(arguments: argparse.Namespace) -> int:
    """Write the table and its findings."""
    table, findings = sources.index(arguments.name, arguments.root, arguments.seed, arguments.real, arguments.forged)
    manifest.save(findings, arguments.out.with_name(f"{arguments.out.stem}_findings.csv"))
    manifest.save(table, arguments.out)
    made = {"command": arguments.command, "seed": arguments.seed, "version": __version__}
    about = {"name": arguments.name, "indexed_by": {**made, "sha256": files.sha256(arguments.out)}}
    files.write_json(about, arguments.out.with_name(f"{arguments.out.stem}_index.json"))
    what = "clip" if "fps" in table else "face"
    print(f"{arguments.out}: {table[what].nunique()} {what}s in {table['group'].nunique()} groups")
    print(table.groupby(["split", "method"])[what].nunique().unstack(fill_value=0).to_string())
    for line in indexing.summary(findings):
        print(line)
    return 0
