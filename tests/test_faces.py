"""MTCNN on real photographs, moved, shrunk, cut and repeated; the crop against geometry worked out by hand."""

import importlib.machinery
import importlib.util
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from mesokit import faces, graphs, video
from mesokit.faces import Face, detecting

NAMES = ("biden", "obama", "obama2")
# Where eyes, nose and mouth corners are in the photographs, marked by eye: x, y to about 15 pixels.
MARKED = {
    "biden": [(534, 320), (653, 342), (597, 400), (522, 458), (627, 476)],
    "obama": [(445, 213), (551, 212), (498, 275), (436, 318), (555, 317)],
    "obama2": [(252, 366), (368, 379), (284, 446), (243, 518), (350, 525)],
}


@pytest.fixture(scope="module")
def photos(reference):
    return {name: video.read_image(reference / "photos" / f"{name}.jpg") for name in NAMES}


@pytest.fixture(scope="module")
def head(photos):
    """A head and shoulders of 330x400 in which the face is about 190 pixels high."""
    return cv2.resize(photos["obama"][0:800, 170:830], (330, 400), interpolation=cv2.INTER_AREA)


def paste(frame: np.ndarray, head: np.ndarray, x: float, y: float, height: int) -> np.ndarray:
    """A copy of `frame` with `head`, scaled to `height`, its corner at x, y; parts beyond the border are lost."""
    small = cv2.resize(head, None, fx=height / len(head), fy=height / len(head), interpolation=cv2.INTER_AREA)
    result = frame.copy()
    moved = np.array([[1, 0, x], [0, 1, y]], np.float64)
    cv2.warpAffine(small, moved, frame.shape[1::-1], dst=result, borderMode=cv2.BORDER_TRANSPARENT)
    return result


WALL = np.full((360, 480, 3), 120, np.uint8)


def iou(a, b) -> float:
    (ax, ay, aw, ah), (bx, by, bw, bh) = a, b
    inner = max(0, min(ax + aw, bx + bw) - max(ax, bx)) * max(0, min(ay + ah, by + bh) - max(ay, by))
    return inner / (aw * ah + bw * bh - inner)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_photographs_keep_one_face_with_eyes_and_mouth_in_place(photos, name):
    face = faces.main_face(faces.detect(photos[name]))
    assert face is not None and face.confidence > 0.95
    assert len([f for f in faces.detect(photos[name]) if f.confidence >= detecting.CONFIDENT]) == 1
    assert np.abs(face.landmarks - MARKED[name]).max() < 16  # of a face 340 to 410 high
    assert all(type(v) is float for v in (*face.box, face.confidence))
    assert face.landmarks.shape == (5, 2) and face.landmarks.dtype == np.float32


@pytest.fixture(scope="module")
def mtcnn():
    """The library itself, the oracle: (n, 16) rows 0, x, y, width, height, confidence, 5 x, 5 y, surest first."""
    detector = pytest.importorskip("mtcnn").MTCNN()
    return lambda image: detector.detect_faces(image, output_type="numpy", box_format="xywh")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("part", [1, 0.4, 0.13], ids=["large", "middle", "small"])  # about 400, 150 and 50 pixels
def test_boxes_are_those_of_mtcnn(photos, mtcnn, name, part):
    image = cv2.resize(photos[name], None, fx=part, fy=part, interpolation=cv2.INTER_AREA)
    agree(mtcnn(image), faces.detect(image, min_face=20), 1)


@pytest.mark.slow
def test_boxes_of_several_small_faces_are_those_of_mtcnn(photos, mtcnn):
    small = [cv2.resize(photos[name], (90, 120), interpolation=cv2.INTER_AREA) for name in NAMES]
    image = np.vstack([np.hstack(small), np.hstack(small[::-1])])
    agree(mtcnn(image), faces.detect(image, min_face=20), 6)
    assert all(face.size < 60 for face in faces.detect(image, min_face=20))


def agree(theirs, ours, least):
    """Each of our faces is one of mtcnn's, to a tenth of a pixel; ours leave out those below 20 pixels."""
    assert len(ours) >= least and sum(max(row[3:5]) >= 20 for row in theirs) <= len(ours)
    for face in ours:
        row = min(theirs, key=lambda row: np.abs(row[1:5] - face.box).max())
        assert np.abs(row[1:5] - face.box).max() < 0.1 and np.abs(row[5] - face.confidence) < 1e-4
        assert np.abs(row[6:].reshape(2, 5).T - face.landmarks).max() < 0.1


@pytest.mark.slow
def test_without_openvino_the_same_faces_are_found(head, monkeypatch):
    frame = paste(paste(WALL, head, 0, 40, 300), head, 300, 100, 180)
    fast = faces.detect(frame, min_face=20)
    monkeypatch.setattr(graphs, "available", lambda: False)
    detecting._networks.cache_clear()
    slow = faces.detect(frame, min_face=20)
    detecting._networks.cache_clear()
    assert len(fast) == len(slow) >= 2
    for one, other in zip(fast, slow, strict=True):
        assert np.abs(np.subtract(one.box, other.box)).max() < 0.1
        assert np.abs(one.landmarks - other.landmarks).max() < 0.1


@pytest.mark.slow
def test_landmarks_are_where_a_rendered_face_has_them():
    """The truth is known of an invented person: eyes, nose and mouth corners, to an eighth of the eyes' distance."""
    from mesokit.synthetic.people import Renderer, State, sample_person, sample_scene
    from mesokit.synthetic.people.landmarks import FIVE

    taken = Renderer(sample_person(1005), sample_scene(1005, (400, 320))).render(State(), np.random.default_rng(0))
    truth = np.stack([taken.landmarks[rows].mean(0) for rows in FIVE.values()]) / 2
    image = cv2.resize(taken.image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    (face,) = faces.detect(image)
    near = (truth[1, 0] - truth[0, 0]) / 8
    assert np.abs(face.landmarks - truth).max() < near
    assert face.box[0] < truth[0, 0] and face.box[0] + face.box[2] > truth[1, 0]
    (mirrored,) = faces.detect(np.ascontiguousarray(image[:, ::-1]))
    back = mirrored.landmarks[[1, 0, 2, 4, 3]] * [-1, 1] + [image.shape[1] - 1, 0]
    assert np.abs(back - truth).max() < near


def test_a_part_of_the_pyramid_is_the_same_pixels():
    image = np.random.default_rng(0).integers(0, 256, (180, 243, 3), np.uint8)
    whole = detecting._shrink(image.astype(np.float32), (73, 54))
    part, (left, top) = detecting._Part(image, (40, 31, 200, 140), 60).shrink((73, 54), 0.3016)
    assert part.size and left % 2 == top % 2 == 0
    assert np.abs(part - whole[top : top + part.shape[0], left : left + part.shape[1]]).max() < 1e-3


def test_no_face():
    assert faces.detect(WALL) == [] and faces.main_face([]) is None
    assert faces.detect(WALL[:8, :8]) == []
    assert faces.follow([WALL] * 3) == [None, None, None] and faces.follow([]) == []


@pytest.mark.parametrize(
    ("image", "got"),
    [
        (WALL[..., 0], "uint8 (360, 480)"),
        (WALL / 255, "float64 (360, 480, 3)"),
        (WALL.astype(np.uint16), "uint16"),
        (np.zeros((9, 9, 4), np.uint8), "(9, 9, 4)"),
        (np.zeros((2, 9, 9, 3), np.uint8), "(2, 9, 9, 3)"),
        ("photo.jpg", "is str"),
    ],
)
def test_other_pixels_are_refused(image, got):
    for look in (faces.detect, lambda x: faces.follow([x])):
        with pytest.raises(ValueError, match="uint8 RGB") as error:
            look(image)
        assert got in str(error.value)


def test_min_face_has_a_lower_end():
    with pytest.raises(ValueError, match="min_face is 19"):
        faces.detect(WALL, min_face=19)


def test_faces_of_twenty_pixels(head):
    frame = paste(WALL, head, 200, 150, 50)  # the face is about 20 high
    found = faces.detect(frame, min_face=20)
    assert len(found) == 1 and 18 <= found[0].size <= 24
    assert faces.detect(frame, min_face=40) == []
    assert faces.follow([frame] * 3, min_face=40) == [None] * 3
    assert all(f is not None for f in faces.follow([frame] * 3, min_face=20))


def test_several_faces(head):
    frame = paste(paste(WALL, head, 0, 40, 300), head, 300, 100, 180)
    found = faces.detect(frame)
    assert len(found) == 2 and found[0].confidence >= found[1].confidence
    largest = faces.main_face(found)
    assert largest is max(found, key=lambda f: f.area) and largest.centre[0] < 240
    unsure = Face((0.0, 0.0, 400.0, 400.0), 0.85, largest.landmarks)
    assert faces.main_face([unsure, *found]) is largest and faces.main_face([unsure]) is None


def test_a_face_at_the_border_stays_inside_the_frame(head):
    inside = faces.main_face(faces.detect(paste(WALL, head, 60, 40, 300)))
    frame = paste(WALL, head, 60 - inside.box[0] - 0.2 * inside.box[2], 40, 300)  # a fifth of the face is cut off
    face = faces.main_face(faces.detect(frame))
    x, y, w, h = face.box
    assert x >= 0 and y >= 0 and x + w <= 480 and y + h <= 360 and x < 5
    crop = faces.align(frame, face)
    assert crop.shape == (256, 256, 3) and crop.dtype == np.uint8
    assert faces.to_crop(face, [[0, face.landmarks[2, 1]]])[0, 0] > 10  # the frame ends inside the crop ...
    assert crop[128, :10].std() > 1  # ... and is mirrored there, not black


def test_mirrored_views_work(head):
    frame = paste(WALL, head, 60, 40, 300)
    face = faces.main_face(faces.detect(frame[:, ::-1]))
    assert face.landmarks[0, 0] < face.landmarks[1, 0] and faces.align(frame[:, ::-1], face).shape == (256, 256, 3)


# --- through a clip --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def path():
    """Corners of a head that walks over the picture and comes nearer: (frame, (x, y, height))."""
    t = np.linspace(0, 1, 20)
    return np.stack([20 + 200 * t, 60 - 40 * np.sin(3 * t), 200 + 60 * t], axis=1)


@pytest.mark.slow
def test_following_finds_what_searching_each_frame_finds(head, path, monkeypatch):
    frames = [paste(WALL, head, x, y, int(height)) for x, y, height in path]
    each = [faces.main_face(faces.detect(frame)) for frame in frames]
    searches = []
    monkeypatch.setattr(detecting, "_shrink", lambda *a, f=detecting._shrink: searches.append(a[1]) or f(*a))
    followed = faces.follow(iter(frames))
    assert None not in followed and len(followed) == 20
    assert np.mean([iou(a.box, b.box) > 0.9 for a, b in zip(followed, each, strict=True)]) >= 0.95
    assert searches.count(max(searches)) == 2  # for small faces: the first frame, and the one at RECHECK
    assert len(set(searches)) < len(searches) / 2 + 1  # for large ones also between them


@pytest.mark.slow
def test_the_main_face_is_the_largest_that_lasts(head, path):
    frames = [paste(paste(WALL, head, 330, 120, 120), head, x * 0.5, y, int(h)) for x, y, h in path]
    frames[4] = paste(frames[4], head, 200, 0, 360)  # a large face on one frame: a cut, a reflection
    followed = faces.follow(frames)
    assert all(f is None or f.centre[0] < 260 for f in followed) and sum(f is not None for f in followed) >= 19
    again = faces.follow(frames)
    assert [f and f.box for f in followed] == [f and f.box for f in again]


def test_lost_and_found_again(head):
    here, gone = paste(WALL, head, 40, 60, 220), WALL
    jumped = paste(WALL, head, 160, 60, 220)
    followed = faces.follow([here, here, gone, gone, here, here, jumped, jumped])
    assert [f is not None for f in followed] == [True, True, False, False, True, True, True, True]


def test_what_does_not_last_is_dropped(head):
    here = paste(WALL, head, 40, 60, 220)
    assert faces.follow([WALL, here, WALL, WALL]) == [None] * 4
    assert [f is not None for f in faces.follow([here])] == [True]  # a clip of one frame is a photograph


def test_frames_may_change_their_size(head):
    here = paste(WALL, head, 240, 60, 220)
    followed = faces.follow([here, here[:, 100:], WALL[:100, :100], here])
    assert [f is not None for f in followed] == [True, True, False, True]


# --- several people and shots, by a detector that finds what the test says --------------------------------------------


def at(x: float, y: float = 100, size: float = 60, confidence: float = 0.99) -> Face:
    """A face whose box has its centre at x, y."""
    points = np.array([[-15, -10], [15, -10], [0, 5], [-12, 20], [12, 20]], np.float32) * size / 60 + [x, y]
    return Face((x - size / 2, y - size / 2, size, size), confidence, points.astype(np.float32))


def watch(monkeypatch, frames: list[list[Face]], shots: list[int] | None = None) -> faces.Following:
    """Follow through frames with these faces."""
    monkeypatch.setattr(faces.following, "propose", lambda *rest: np.empty((0, 6)))
    watched = faces.Following()
    for found, shot in zip(frames, shots or [0] * len(frames), strict=True):
        monkeypatch.setattr(faces.following, "refine", lambda *rest, found=found: [*found])
        watched.look(WALL, shot)
    return watched


def seen(watched: faces.Following) -> list[list[int]]:
    """The frames of each person."""
    return [sorted(track.faces) for track in watched.people()]


def test_nobody_is_joined_over_a_cut(monkeypatch):
    """The same place and size; the frames before the cut and behind it are two people."""
    assert seen(watch(monkeypatch, [[at(100)]] * 6)) == [[0, 1, 2, 3, 4, 5]]
    assert seen(watch(monkeypatch, [[at(100)]] * 6, [0, 0, 0, 1, 1, 1])) == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    ("then", "joined"),
    [(at(189), True), (at(191), False), (at(100, size=95), True), (at(100, size=97), False), (at(100, size=37), False)],
)
def test_nobody_is_joined_over_a_jump(monkeypatch, then, joined):
    """A face of 60 pixels: it may move by 1.5 of that, 90 pixels, and grow or shrink 1.6 times, to 96 or 37.5."""
    found = seen(watch(monkeypatch, [[at(100)]] * 3 + [[then]] * 3))
    assert found == ([[0, 1, 2, 3, 4, 5]] if joined else [[0, 1, 2], [3, 4, 5]])


@pytest.mark.parametrize(("gap", "people"), [(14, 1), (15, 2)])
def test_who_leaves_and_returns(monkeypatch, gap, people):
    """After up to RECHECK = 15 frames the same person; later somebody else may have taken the seat."""
    assert len(seen(watch(monkeypatch, [[at(100)]] * 4 + [[]] * gap + [[at(110)]] * 4))) == people


def test_two_people_at_once_and_who_is_seen_longest(monkeypatch):
    left, right = at(100, size=60), at(300, size=90)
    both = watch(monkeypatch, [[right, left]] * 10)
    assert [track.faces[0].centre[0] for track in both.people()] == [100, 300]  # from left to right
    assert both.longest().faces[0] is right  # seen as long, and larger
    short = watch(monkeypatch, [[left, right]] * 8 + [[left]] * 2)
    assert short.longest().faces[0] is left  # 10 frames against 8, fewer than nine tenths
    nearly = watch(monkeypatch, [[left, right]] * 9 + [[left]])
    assert nearly.longest().faces[0] is right


def test_who_comes_in_is_seen_at_the_next_look_around(monkeypatch):
    """At frame 5, as large as half the main face or more; what `propose` is asked for is not larger than that."""
    asked = []
    watched = watch(monkeypatch, [[at(100)]] * 2 + [[at(100), at(300)]] * 11)
    assert seen(watched) == [[*range(13)], [*range(5, 13)]]
    monkeypatch.setattr(faces.following, "propose", lambda *rest: asked.append(rest[1]) or np.empty((0, 6)))
    monkeypatch.setattr(faces.following, "refine", lambda *rest: [at(100, size=120)])
    watched = faces.Following()
    for _ in range(6):
        watched.look(WALL)
    assert asked == [40, *[0.35 * 120] * 5, 60]  # the whole frame, around the face, and for newcomers


@pytest.mark.parametrize(
    ("frames", "in_shot", "needed"),
    [(1, 1, 1), (2, 2, 2), (12, 12, 2), (20, 20, 2), (21, 21, 3), (30, 30, 3), (30, 4, 3), (300, 300, 30), (300, 40, 4),
     (300, 15, 3)],
)  # fmt: skip
def test_how_many_frames_a_person_must_be_seen_on(monkeypatch, frames, in_shot, needed):
    """A tenth of the frames, of up to 30 and of the shot; at least two, unless there is only one."""
    shots = [0] * in_shot + [1] * (frames - in_shot)
    watched = watch(monkeypatch, [[at(100)]] + [[]] * (frames - 1), shots)
    assert watched.needed(watched.people()[0]) == needed


def test_what_is_seen_shortly_is_listed_and_what_is_unsure_is_not(monkeypatch):
    watched = watch(monkeypatch, [[at(100)]] * 2 + [[]] * 28)
    assert seen(watched) == [[0, 1]] and watched.lasting() == [] and watched.longest() is None
    assert seen(watch(monkeypatch, [[at(100, confidence=0.85)]] * 4 + [[]] * 6)) == []
    assert seen(watch(monkeypatch, [[at(100, confidence=0.85)]] * 6 + [[]] * 4)) == [[*range(6)]]  # on most frames


def test_numbers_of_a_face_by_hand():
    face = Face((10.0, 20.0, 30.0, 60.0), 0.9, np.zeros((5, 2), np.float32))
    assert face.centre.tolist() == [25, 50]
    assert (face.area, face.size) == (1800, 60)


# --- the crop --------------------------------------------------------------------------------------------------------


def portrait(angle: float = 0.0, eyes: float = 60.0, drop: float = 50.0, nose=(150.0, 120.0)) -> Face:
    """A face drawn by hand: eyes `eyes` apart, mouth `drop` below them, nose between, all turned by `angle` degrees."""
    points = np.array([[-eyes / 2, -20], [eyes / 2, -20], [0, 0], [-20, drop - 20], [20, drop - 20]])
    a = np.deg2rad(angle)
    turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    return Face((100.0, 70.0, 100.0, 100.0), 1.0, (points @ turn.T + nose).astype(np.float32))


@pytest.mark.parametrize(("eyes", "drop"), [(60, 50), (40, 70)])
def test_geometry_of_the_authors(eyes, drop):
    face = portrait(eyes=eyes, drop=drop)
    x0, y0, side = faces.square(face)
    assert side == pytest.approx(1.3 * 2.2 * max(eyes, drop), rel=1e-5)
    assert (x0 + side / 2, y0 + side / 2) == pytest.approx((150, 120), abs=1e-4)
    assert faces.to_crop(face, [[150, 120]], 256) == pytest.approx(np.array([[127.5, 127.5]]), abs=1e-3)
    points = faces.to_crop(face, face.landmarks, 100)
    assert points[1, 0] - points[0, 0] == pytest.approx(eyes * 100 / side, rel=1e-5)


@pytest.mark.parametrize("angle", [-40, -10, 0, 25])
def test_tilted_faces_become_upright(angle):
    """As the authors do: their pipeline.py turns the patch by the angle of the line from the eyes to the mouth."""
    level, tilted = portrait(0), portrait(angle)
    assert faces.to_crop(tilted, tilted.landmarks) == pytest.approx(faces.to_crop(level, level.landmarks), abs=0.01)


@pytest.mark.parametrize(("angle", "size"), [(0, 256), (0, 64), (20, 256), (-30, 64)])
def test_pixels_land_where_points_do(angle, size):
    face = portrait(angle)
    image = np.zeros((240, 300), np.float32)
    for i, (x, y) in enumerate(face.landmarks):
        cv2.circle(image, (round(float(x)), round(float(y))), 4, float(i + 1), -1)
    crop = faces.align(image, face, size)
    scale = size / faces.square(face)[2]
    for i, point in enumerate(faces.to_crop(face, np.round(face.landmarks), size)):
        y, x = np.nonzero(np.abs(crop - (i + 1)) < 0.2)
        near = np.hypot(x - point[0], y - point[1]) < 6 * scale
        assert near.any() and np.hypot(x[near].mean() - point[0], y[near].mean() - point[1]) < max(0.6, 0.6 * scale)


def test_masks_keep_their_type_and_range():
    face, mask = portrait(15), np.zeros((240, 300), np.uint8)
    mask[100:140, 120:180] = 255
    for dtype, top in ((np.uint8, 255), (np.float32, 1.0), (np.float64, 1.0), (bool, True)):
        crop = faces.align((mask > 0).astype(dtype) * dtype(top), face, 128)
        assert crop.shape == (128, 128) and crop.dtype == dtype and crop.min() == 0 and crop.max() == top
        assert crop[64, 64] == top


def test_beyond_the_border_is_a_mirror():
    ramp = np.broadcast_to(np.arange(300, dtype=np.float32), (240, 300))
    face = portrait(0, nose=(10.0, 120.0))
    x0, _, side = faces.square(face)
    crop = faces.align(ramp, face, 172)
    expected = np.abs(x0 + (np.arange(172) + 0.5) * side / 172)
    assert np.abs(crop[86] - expected).max() < 1.1


def test_a_crop_of_nothing_is_refused():
    with pytest.raises(ValueError, match="landmarks"):
        faces.align(WALL, Face((0.0, 0.0, 9.0, 9.0), 1.0, np.full((5, 2), 5, np.float32)))
    with pytest.raises(ValueError, match="image to crop"):
        faces.align(WALL[:0], portrait())


def test_threads_do_not_disturb_each_other(head):
    frames = [paste(WALL, head, 20 + 10 * i, 40, 200 + 15 * i) for i in range(8)]
    alone = [faces.detect(frame)[0].box for frame in frames]
    with ThreadPoolExecutor(4) as pool:
        assert [found[0].box for found in pool.map(faces.detect, frames * 3)] == alone * 3


def test_a_missing_detector_is_a_sentence(monkeypatch):
    for spec in (None, importlib.machinery.ModuleSpec("mtcnn", None, origin="/nowhere/mtcnn/__init__.py")):
        monkeypatch.setattr(importlib.util, "find_spec", lambda name, spec=spec: spec if name == "mtcnn" else True)
        detecting._networks.cache_clear()
        with pytest.raises(ValueError, match="mtcnn (is not installed|cannot be read).*install mesokit again"):
            faces.detect(WALL)
    detecting._networks.cache_clear()
