"""Face2Face changes the expression and nothing else, and its mask is correct."""

from dataclasses import replace

import numpy as np
import pytest

from mesokit.synthetic.forge import face2face, retrieval, texture
from mesokit.synthetic.people import GROUPS, LANDMARKS, Renderer, State, sample_person, sample_scene

# The target is still, talks and blinks; no moment equals one of the source.
TARGET = [
    State(yaw=6, gaze_x=5),
    State(yaw=7, jaw=0.15),
    State(yaw=8, jaw=0.55),
    State(yaw=9, blink_left=1, blink_right=1),
]
SOURCE = [State(jaw=0.5, yaw=-9), State(smile=0.8), State(brow=0.6), State(jaw=0.1, smile=0.4, gaze_x=-9)]


@pytest.fixture(scope="module")
def camera():
    return Renderer(sample_person(1005), sample_scene(1005, (320, 240)))


@pytest.fixture(scope="module")
def clip(camera):
    """Frames, landmarks and regions of the target."""
    taken = [camera.render(state, np.random.default_rng(0)) for state in TARGET]
    return [t.image for t in taken], np.stack([t.landmarks for t in taken]), np.stack([t.face for t in taken])


@pytest.fixture(scope="module")
def want(camera):
    return np.stack([camera.landmarks(state) for state in face2face.wanted(TARGET, SOURCE)])


@pytest.fixture(scope="module")
def forged(clip, want):
    frames, have, region = clip
    return list(face2face.reenact(frames, have, want, region))


def _box(image, marks, group, margin=4):
    points = marks[GROUPS[group]]
    (x0, y0), (x1, y1) = (points.min(0) - margin).astype(int), (points.max(0) + margin).astype(int)
    return image[y0:y1, x0:x1].astype(float)


def _far(a, b, marks, group):
    return np.abs(_box(a, marks, group) - _box(b, marks, group)).mean()


def test_wanted_takes_the_pose_of_one_and_the_expression_of_the_other():
    pose = {"yaw": 6, "pitch": 3, "roll": 8, "dx": 2, "dy": -1, "gaze_x": 5, "gaze_y": -4}
    other = {name: -value for name, value in pose.items()}
    expression = {"jaw": 0.5, "smile": 0.8, "brow": 0.6, "blink_left": 0.7, "blink_right": 0.2}
    (state,) = face2face.wanted([State(**pose, jaw=0.1, brow=0.1)], [State(**other, **expression)])
    assert state == State(**pose, **expression)
    with pytest.raises(ValueError, match="4 moments, source 3"):
        face2face.wanted(TARGET, SOURCE[:3])


def test_frames_and_masks(clip, forged):
    frames, _, region = clip
    assert len(forged) == len(frames)
    for frame, face, (image, mask) in zip(frames, region, forged, strict=True):
        assert image.shape == frame.shape and image.dtype == np.uint8
        assert mask.shape == frame.shape[:2] and set(np.unique(mask)) == {0, 255}
        assert np.array_equal(image[mask == 0], frame[mask == 0])
        assert (mask[face > 0.9] == 255).mean() > 0.95
        assert 0.05 < (mask > 0).mean() < 0.5
        assert (image != frame).any(axis=2)[mask > 0].mean() > 0.5


def test_the_mask_follows_the_chin_when_the_mouth_opens(clip, want, forged):
    """The chin of the opened mouth lies below the face of the frame; half-way between both the frame may change."""
    _, have, region = clip
    chin = GROUPS["jaw"][7]  # the middle of 15
    (x, old), (_, new) = have[0, chin], want[0, chin]
    assert new > old + 4
    y = round((old + new) / 2)
    assert region[0][y + 2, round(x)] < 0.5
    assert forged[0][1][y, round(x)] == 255


def test_an_expression_that_stays_is_only_resampled(clip):
    frames, have, region = clip
    coarse, fine = (
        [
            np.abs(image.astype(float) - frame)[mask > 0].mean()
            for frame, (image, mask) in zip(frames, face2face.reenact(frames, have, have, region, detail), strict=True)
        ]
        for detail in (20, 100)
    )
    assert max(fine) < 2.5
    assert min(np.array(coarse) / fine) > 1.3, "a coarser texture keeps less"


@pytest.mark.parametrize("i", range(len(TARGET)))
def test_the_forgery_is_nearer_to_the_truth_than_the_original(camera, clip, want, forged, i):
    """The truth is the target itself, rendered with the wanted expression."""
    state = face2face.wanted(TARGET, SOURCE)[i]
    truth = camera.render(state, np.random.default_rng(0)).image
    frame, image = clip[0][i], forged[i][0]
    group = {2: "brow_left", 3: "eye_left"}.get(i, "mouth_outer")
    assert _far(image, truth, want[i], group) < 0.75 * _far(frame, truth, want[i], group)


def test_eyes_close_when_the_source_blinks_though_no_frame_shows_it(camera, clip):
    frames, have, region = (part[:2] for part in clip)
    blink = [replace(state, blink_left=1.0, blink_right=1.0) for state in TARGET[:2]]
    want = np.stack([camera.landmarks(state) for state in blink])
    image, _ = next(face2face.reenact(frames, have, want, region))
    truth = camera.render(blink[0], np.random.default_rng(0)).image
    for group in ("eye_left", "eye_right"):
        assert _far(image, truth, have[0], group) < 0.6 * _far(frames[0], truth, have[0], group)


def test_same_inputs_same_bytes_and_inputs_are_left_alone(clip, want, forged):
    frames, have, region = clip
    before = [frame.copy() for frame in frames]
    again = face2face.reenact(frames, have.astype(np.float64), want, region)
    for (image, mask), (image_again, mask_again) in zip(forged, again, strict=True):
        assert image.tobytes() == image_again.tobytes() and mask.tobytes() == mask_again.tobytes()
    assert all(np.array_equal(a, b) for a, b in zip(frames, before, strict=True))


def _mouths(*heights, width=4.0):
    """Shapes (n, N, 2) whose inner mouth is a rectangle: half of its points above, half below, so many cm high."""
    ring = GROUPS["mouth_inner"]
    half = len(ring) // 2
    x = np.linspace(0, width, half)
    shapes = np.zeros((len(heights), len(LANDMARKS), 2))
    for shape, height in zip(shapes, heights, strict=True):
        shape[ring] = np.concatenate([np.stack([x, 0 * x], 1), np.stack([x[::-1], height + 0 * x], 1)])
    return shapes


def test_the_misfit_of_a_mouth_by_hand():
    """A mouth .2 cm too far shut: its points are .1 from their place around the middle, and .2 are lacking.

    In units of half a centimetre .6. One that is .2 too far open lacks nothing: .2. Where the mouth is does not matter.
    """
    have, want = _mouths(1.0, 1.2, 0.8), _mouths(1.2) + np.array([0.3, -0.7])
    assert retrieval._mouth_misfit(have, want)[0] == pytest.approx([0.6, 0, 1.2])
    assert retrieval._mouth_misfit(_mouths(1.2), _mouths(1.0))[0, 0] == pytest.approx(0.2)
    assert retrieval._gaps(_mouths(1.0, 0.4), retrieval.MOUTH) == pytest.approx([1.0, 0.4])


def test_a_patch_gets_the_brightness_of_the_texture_around_it():
    texture, patch = np.full((8, 8, 3), 99, np.float32), np.full((8, 8, 3), 109, np.float32)
    around = np.zeros((8, 8), bool)
    around[:, :2] = True
    opacity = np.zeros((8, 8, 1), np.float32)
    opacity[4:] = 1
    mixed = retrieval.blend(texture, patch, opacity, around)
    assert (mixed[:4] == 99).all()
    assert mixed[4:] == pytest.approx(109 * 100 / 110, abs=1e-3)
    dark = retrieval.blend(texture, np.full_like(patch, 10), opacity, around)
    assert dark[4:] == pytest.approx(12.5, abs=1e-3)  # a quarter brighter at most


def test_a_ramp_is_smooth_between_its_ends():
    assert retrieval._ramp([0.0, 1.0, 1.5, 2.0, 9.0], 1.0, 2.0).tolist() == [0, 0, 0.5, 1, 1]
    assert retrieval._ramp(1.25, 1.0, 2.0) == pytest.approx(3 * 0.25**2 - 2 * 0.25**3)


@pytest.fixture(scope="module")
def canvas():
    return texture.Canvas(100)


def _across_the_mouth(canvas):
    """The middle column of the mouth and the rows of its two lips."""
    middle = float(canvas.points[GROUPS["mouth_inner"], 0].mean())
    rows = [np.interp(middle, *canvas.points[side].T) for side in retrieval.MOUTH_PAIRS]
    return round(middle), *rows


def test_an_opened_mouth_keeps_its_lips_and_is_dark_between_them(canvas):
    """Opened twice as wide, a tenth of the way from a lip shows what was at a fifth; the middle is dark skin."""
    h, w = canvas.number.shape
    patch = np.broadcast_to(np.arange(h, dtype=np.float32)[:, None, None] / 2, (h, w, 3)).copy()
    moved = retrieval._spread(canvas, patch, 2.0)
    x, top, bottom = _across_the_mouth(canvas)
    for share, source in ((0.1, 0.2), (0.9, 0.8)):
        y = round(top + share * (bottom - top))
        opacity, taken = canvas.mouth[y, x, 0], (top + source * (bottom - top)) / 2
        assert opacity > 0.4
        assert moved[y, x, 0] == pytest.approx(y / 2 + opacity * (taken - y / 2), abs=0.8)
    middle = round((top + bottom) / 2)
    dark = patch[canvas.around_mouth].mean(0) * [0.34, 0.22, 0.25]
    assert moved[middle, x] == pytest.approx(dark, abs=0.5)
    assert np.array_equal(moved[canvas.mouth[..., 0] == 0], patch[canvas.mouth[..., 0] == 0])


def test_a_shut_mouth_is_a_dark_line_and_an_open_one_is_left_alone(canvas):
    h, w = canvas.number.shape
    patch = np.full((h, w, 3), 100, np.float32)
    x, top, bottom = _across_the_mouth(canvas)
    y, pairs = round((top + bottom) / 2), retrieval.MOUTH_PAIRS

    def drawn(gap):
        shape = np.zeros((len(LANDMARKS), 2))
        shape[pairs[1]] = [0, gap]
        return retrieval._shut(canvas, patch, canvas.mouth, canvas.around_mouth, shape, [*pairs], 0.5, 0.2)

    shut, half, wide = (drawn(gap) for gap in (0.0, 0.13, 0.5))
    assert shut[y, x] == pytest.approx(50, abs=0.1)
    assert half[y, x] == pytest.approx(75, abs=0.5)  # half-way between .06 and .2 cm
    assert (wide[y, x] == 100).all()


def test_retrieval_follows_the_clip_unless_it_pays_to_leave_it():
    n = 12
    same = 0.1 * np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    assert retrieval._retrieve(same) == list(range(n))
    same[5:8, 5:8] += 10  # three frames that must be taken from elsewhere
    path = retrieval._retrieve(same)
    assert path[:5] == [0, 1, 2, 3, 4] and not set(path[5:8]) & {5, 6, 7}


def test_shapes_that_disagree_are_named_at_once(clip, want):
    frames, have, region = clip
    for wrong in (
        (frames[:3], have, want, region),
        (frames, have[:, :5], want, region),
        (frames, have, want[:3], region),
        (frames, have, want, region[:, :9]),
        ([frame[..., 0] for frame in frames], have, want, region),
        ([frame.astype(np.float32) for frame in frames], have, want, region),
        ([], have[:0], want[:0], region[:0]),
    ):
        with pytest.raises(ValueError, match=rf"frames of .*landmarks \(n, {len(LANDMARKS)}, 2\)"):
            face2face.reenact(*wrong)
