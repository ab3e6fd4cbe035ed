"""A planted mask scores 1, and curves are those of a network whose score is known."""

import numpy as np
import pandas as pd
import pytest

from mesokit.interpret import fidelity

SIZE = 16


@pytest.fixture
def mask():
    found = np.zeros((SIZE, SIZE), bool)
    found[4:8, 4:12] = True  # 32 of 256 pixels
    return found


@pytest.fixture
def face(mask):
    return np.where(mask[..., None], 255, 15).astype(np.uint8) * np.ones((1, 1, 3), np.uint8)


def score(images, mask):
    """p_real = 1 - the share of the mask's pixels that are still bright: only the tampered region counts."""
    return 1 - (images[:, mask] > 200).all(axis=-1).mean(axis=1)


def measured(face, mask, map_, towards="forged", steps=8):
    """The row of one map, and its curves of deletion and insertion (none for a blank map)."""
    curves, look = [], lambda images: score(images, mask)
    keep = lambda *found: curves.extend(found[2:])  # noqa: E731
    (table,) = fidelity.measure(look, face[None], mask[None], {"map": map_[None]}, towards, steps, keep)
    return table.iloc[0], *curves


def test_a_map_equal_to_the_mask_scores_one_and_its_complement_nothing(face, mask):
    inside, outside, even, blank = (
        measured(face, mask, found.astype(np.float32))[0] for found in (mask, ~mask, np.ones_like(mask), 0 * mask)
    )
    assert (inside["share_inside"], inside["points_inside"]) == (1, 1)
    assert (outside["share_inside"], outside["points_inside"]) == (0, 0)
    assert even["share_inside"] == pytest.approx(32 / 256)
    assert blank[list(fidelity.MEASURES)].isna().all()


def test_curves_of_the_true_and_of_the_opposite_map(face, mask):
    row, deletion, insertion = measured(face, mask, mask.astype(np.float32))
    assert deletion.tolist() == [1] + [0] * 8  # an eighth of the picture is the mask
    assert insertion.tolist() == [0] + [1] * 8
    assert (row["deletion"], row["insertion"]) == pytest.approx((1 / 16, 15 / 16))  # trapezoids
    _, deletion, insertion = measured(face, mask, (~mask).astype(np.float32))
    assert deletion.tolist() == [1] * 8 + [0]
    assert insertion.tolist() == [0] * 8 + [1]
    _, real, _ = measured(face, mask, mask.astype(np.float32), "real")
    assert real.tolist() == [0] + [1] * 8


def test_equal_values_change_in_random_order(face, mask):
    _, deletion, _ = measured(face, mask, np.ones((SIZE, SIZE), np.float32), steps=4)
    assert np.allclose(deletion, [1, 0.75, 0.5, 0.25, 0], atol=0.2)


def test_deleted_pixels_get_the_mean_colour_of_the_face():
    """A quarter of the face is 200, the rest 0: the mean is 50, the median 0."""
    face = np.zeros((1, SIZE, SIZE, 3), np.uint8)
    face[:, : SIZE // 2, : SIZE // 2] = 200
    kept = []
    look = lambda images: (images == 50).all(axis=-1).mean(axis=(1, 2))  # noqa: E731
    maps = {"any": np.ones((1, SIZE, SIZE), np.float32)}
    keep = lambda *curves: kept.append(curves[2:])  # noqa: E731
    list(fidelity.measure(look, face, np.ones((1, SIZE, SIZE), bool), maps, "real", steps=4, keep=keep))
    ((deletion, insertion),) = kept
    assert deletion.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert insertion.tolist() == [1, 0.75, 0.5, 0.25, 0]


def test_controls_do_not_depend_on_the_network(face):
    centre = fidelity.centre_prior(SIZE)
    assert centre.shape == (SIZE, SIZE)
    assert np.allclose(centre, centre[::-1]) and np.allclose(centre, centre.T)
    assert centre[0, 0] < centre[SIZE // 2, SIZE // 2]
    found = fidelity.edges(face)
    assert found[6, 4] > 5 * found[12, 14]
    for flip in (np.s_[::-1], np.s_[:, ::-1]):  # from dark to bright or from bright to dark
        assert np.allclose(fidelity.edges(np.ascontiguousarray(face[flip])), found[flip], atol=1e-3)


def test_measure_gives_a_row_per_explanation_and_face(face, mask):
    maps = {"truth": np.stack([mask, mask]).astype(np.float32), "blank": np.zeros((2, SIZE, SIZE), np.float32)}
    kept = []
    table = pd.concat(
        fidelity.measure(
            lambda images: score(images, mask),
            np.stack([face, face]),
            np.stack([mask, mask]),
            maps,
            "forged",
            keep=lambda *curve: kept.append(curve[:2]),
        )
    )
    assert table["explanation"].tolist() == ["truth", "truth", "blank", "blank"]
    assert table.iloc[0][list(fidelity.MEASURES)].tolist() == [1, 1, pytest.approx(1 / 16), pytest.approx(15 / 16)]
    assert table.iloc[2:][list(fidelity.MEASURES)].isna().all(axis=None)
    assert kept == [("truth", 0), ("truth", 1)]
