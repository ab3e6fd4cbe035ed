"""Small trees in the layouts of public datasets, made of the tiny synthetic dataset, and built into datasets."""

import shutil

import cv2

from mesokit import dataset, files, video
from mesokit.dataset import manifest, sources

FORGERIES = {"deepfake": "Deepfakes", "face2face": "Face2Face"}


def _clips(tiny, method):
    """{(target, source or None): {crf: path}} of the clips of one method."""
    table = manifest.read_clips(tiny / "clips.csv").query("method == @method")
    found = {}
    for row in table.itertuples():
        other = None if method == "real" else row.source
        found.setdefault((row.identity[1:], other and other[1:]), {})[row.crf] = tiny / row.path
    return found


def _copy(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def faceforensics(tiny, root, levels=("raw", "c23", "c40"), masks=True, one_class=False):
    """FaceForensics++: 000 to 005, of whom 000 and 001 are train, 002 and 003 val, 004 and 005 test."""
    for level in levels:
        for method, folder in {"real": None, **FORGERIES}.items():
            for (target, source), paths in _clips(tiny, method).items():
                if one_class and method == "real" and target in {"004", "005"}:
                    continue
                part = f"manipulated_sequences/{folder}" if folder else "original_sequences/youtube"
                if not masks and (level, target) == ("c23", "005"):  # a researcher may have downloaded a part
                    continue
                name = f"{target}_{source}.mp4" if source else f"{target}.mp4"
                path = root / part / level / "videos" / name
                if level == "c23":
                    path.parent.mkdir(parents=True, exist_ok=True)
                    video.compress(path, [frame.image for frame in video.read_frames(paths[0])], 25, 23)
                else:
                    _copy(paths[{"raw": 0, "c40": 40}[level]], path)
                if masks and folder:
                    mask = tiny / "clips" / "masks" / f"p{target}_p{source}_{method}.mp4"
                    _copy(mask, root / part / "masks" / "videos" / name)
    for split, pair in {"train": ["000", "001"], "val": ["002", "003"], "test": ["004", "005"]}.items():
        files.write_json([pair], root / "splits" / f"{split}.json")


def celebdf(tiny, root):
    """Celeb-DF: six people, each with a real and a forged clip; two of them in the list of test clips."""
    listed = []
    for (target, source), paths in {**_clips(tiny, "real"), **_clips(tiny, "deepfake")}.items():
        name = f"Celeb-synthesis/id{target}_id{source}_0000.mp4" if source else f"Celeb-real/id{target}_0000.mp4"
        _copy(paths[40], root / name)
        if target in {"004", "005"}:
            listed.append(f"{int(source is None)} {name}")
    (root / "List_of_testing_videos.txt").write_text("\n".join(listed), encoding="utf-8")


def dfdc(tiny, root):
    """DFDC: one part with its list."""
    entries = {}
    for (target, source), paths in {**_clips(tiny, "real"), **_clips(tiny, "face2face")}.items():
        name = f"{target}{source or ''}.mp4"
        _copy(paths[40], root / "dfdc_train_part_0" / name)
        fake = {"label": "FAKE", "split": "train", "original": f"{target}.mp4"}
        entries[name] = fake if source else {"label": "REAL", "split": "train"}
    files.write_json(entries, root / "dfdc_train_part_0" / "metadata.json")


def folder(tiny, root):
    """A plain folder: real and fake, of people who are not in both."""
    for i, paths in enumerate(_clips(tiny, "real").values()):
        _copy(paths[40], root / "real" / f"a{i}.mp4")
    for i, paths in enumerate(_clips(tiny, "deepfake").values()):
        _copy(paths[40], root / "fake" / f"b{i}.mp4")


def authors(tiny, root):
    """The authors' aligned faces: pictures without clips."""
    table = dataset.read(tiny).query("method != 'face2face' and crf == 0")
    for row in table.itertuples():
        part = "validation" if row.split == "test" else "train_test"
        path = root / part / ("real" if row.label == "real" else "df") / f"{row.face}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(
            str(path), cv2.cvtColor(dataset.images(table[table["face"] == row.face], tiny)[0], cv2.COLOR_RGB2BGR)
        )


LAYOUTS = {
    "complete": ("faceforensics", faceforensics, {}),
    "one level": ("faceforensics", faceforensics, {"levels": ["c23"]}),
    "no masks": ("faceforensics", faceforensics, {"levels": ["raw", "c23"], "masks": False}),
    "one class": ("faceforensics", faceforensics, {"levels": ["raw"], "one_class": True}),
    "celebdf": ("celebdf", celebdf, {}),
    "dfdc": ("dfdc", dfdc, {}),
    "folder": ("folder", folder, {}),
    "authors": ("mesonet-faces", authors, {}),
}


def build(layout, tiny, place):
    """The dataset of a layout, built in `place`/data from the tree in `place`/tree; returns its folder."""
    source, arrange, options = LAYOUTS[layout]
    tree, out = place / "tree", place / "data"
    arrange(tiny, tree, **options)
    table = sources.index(source, tree).table
    about = {"name": source}
    built = (
        dataset.adopt(table, tree, out, about)
        if source == "mesonet-faces"
        else dataset.build(table, tree, out, frames=3, about=about)
    )
    for one in built:
        assert one.error is None, one
    return out
