"""Scores and metrics against values worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from mesokit import evaluation, fast, files, models
from mesokit.dataset import pictures
from mesokit.evaluation import metrics

SHARED = {"method": "real", "identity": "a", "group": "g", "split": "test"}


def _scores(rows):
    return pd.DataFrame([{"clip": c, "crf": 23, "label": label, "p_real": p, **SHARED} for c, label, p in rows])


HAND = _scores(
    [
        ("a", "real", 0.9),
        ("a", "real", 0.2),
        ("a", "real", 0.7),
        ("b", "forged", 0.6),
        ("b", "forged", 0.1),
        ("c", "forged", 0.3),
    ]
)


@pytest.mark.parametrize("name", ["meso4", "meso_inception4"])
def test_scorer_agrees_with_keras(name):
    network = models.NETWORKS[name](size=64, seed=5)
    for norm in ("norm1", "norm4"):  # moving statistics that a forgotten training=False would not use
        network.get_layer(norm).moving_mean.assign(np.full(network.get_layer(norm).moving_mean.shape, 0.3))
    images = np.random.default_rng(0).integers(0, 256, (40, 64, 64, 3)).astype(np.uint8)
    score = evaluation.scorer(network)
    expected = network.predict(images / np.float32(255), verbose=0)[:, 0]
    assert np.abs(score(images) - expected).max() < 1e-5
    assert np.abs(score(images / np.float32(255)) - expected).max() < 1e-5
    assert score(images[:0]).shape == (0,)


def test_the_fast_path_is_used():
    assert fast.openvino(models.meso4(size=32)) is not None


def test_scorer_refuses_pixels_of_unknown_range():
    score = evaluation.scorer(models.meso4(size=32))
    with pytest.raises(ValueError, match="divide by 255"):
        score(np.full((1, 32, 32, 3), 128.0))
    with pytest.raises(ValueError, match="divide by 255"):
        score(np.full((1, 32, 32, 3), np.nan))
    with pytest.raises(ValueError, match=r"shape \(n, 32, 32, 3\); got \(32, 32, 3\)"):
        score(np.zeros((32, 32, 3), np.uint8))


def test_faces_are_scored_batch_by_batch_and_each_as_it_is(tmp_path):
    for i in range(5):
        pictures.write_png(tmp_path / f"{i}.png", np.full((8, 8, 3), 10 * i, np.uint8))
    table = pd.DataFrame({"path": [f"{i}.png" for i in range(5)]}, index=[7, 3, 9, 1, 5])
    parts = list(evaluation.score_faces(lambda images: images.mean(axis=(1, 2, 3)), table, tmp_path, batch=2))
    assert [len(part) for part in parts] == [2, 2, 1]
    assert pd.concat(parts)["p_real"].tolist() == [0, 10, 20, 30, 40]
    assert pd.concat(parts)["path"].equals(table["path"])


def test_rules():
    p_real = np.array([0.9, 0.6, 0.1, 0.5])
    assert evaluation.RULES["mean"](p_real) == pytest.approx(0.525)
    assert evaluation.RULES["median"](p_real) == pytest.approx(0.55)
    assert evaluation.RULES["vote"](p_real) == 0.5
    odds = [9, 1.5, 1 / 9, 1]  # p / (1 - p), whose product is 1.5
    assert evaluation.RULES["log-odds"](p_real) == pytest.approx(1.5**0.25 / (1 + 1.5**0.25))
    assert np.prod(odds) == pytest.approx(1.5)
    assert evaluation.RULES["log-odds"](np.array([0.0, 1.0], np.float32)) == pytest.approx(0.5)
    assert evaluation.RULES["trimmed"](np.array([0.0, 0.4, 0.5, 0.6, 0.6])) == pytest.approx(0.5)  # the middle three
    with pytest.raises(ValueError, match="no aggregation rule is called 'best'; there are mean"):
        evaluation.rule("best")


def test_per_clip_keeps_seeds_apart():
    two = pd.concat([HAND.assign(seed=0), HAND.assign(seed=1, p_real=1 - HAND["p_real"])])
    clips = evaluation.per_clip(two)
    assert clips["seed"].tolist() == [0] * 3 + [1] * 3
    assert (clips["p_real"][:3].to_numpy() + clips["p_real"][3:].to_numpy()).tolist() == pytest.approx([1.0] * 3)


def test_per_clip_by_hand():
    clips = evaluation.per_clip(HAND)
    assert clips["clip"].tolist() == ["a", "b", "c"]
    assert clips["p_real"].tolist() == pytest.approx([0.6, 0.35, 0.3])
    assert clips["n_faces"].tolist() == [3, 2, 1]


def test_accuracy_by_hand():
    frames = evaluation.accuracy(HAND)
    assert frames["accuracy"] == pytest.approx(4 / 6)
    assert frames["accuracy_real"] == pytest.approx(2 / 3)
    assert frames["accuracy_forged"] == pytest.approx(2 / 3)
    assert frames["roc_auc"] == pytest.approx(7 / 9)  # of 9 pairs, real 0.2 loses to forged 0.3 and 0.6
    assert evaluation.accuracy(evaluation.per_clip(HAND))["accuracy"] == 1
    for label, other in (("real", "forged"), ("forged", "real")):
        with np.errstate(all="raise"):
            one_class = evaluation.accuracy(HAND[HAND["label"] == label])
        assert np.isnan([one_class[name] for name in ("roc_auc", "eer", f"accuracy_{other}")]).all()
    assert frames["brier"] == pytest.approx((0.1**2 + 0.8**2 + 0.3**2 + 0.6**2 + 0.1**2 + 0.3**2) / 6)
    # Called real over a falling threshold: .9 r, .7 r, .6 f, .3 f, .2 r, .1 f. Missed real and passed forged are both
    # 1/3 where (passed, found) = (1/3, 2/3).
    assert evaluation.accuracy(HAND)["eer"] == pytest.approx(1 / 3)


def test_a_half_is_forged():
    """Real is what lies above the threshold; a score on it is forged, whoever counts."""
    half = _scores([("a", "real", 0.5), ("b", "real", 0.5), ("c", "forged", 0.5)])
    found = evaluation.accuracy(half)
    assert [found[f"accuracy{of}"] for of in ("", "_real", "_forged")] == pytest.approx([1 / 3, 0, 1])
    assert evaluation.verdicts(half).tolist() == ["forged"] * 3
    assert evaluation.confusion(half).to_numpy().tolist() == [[0, 2], [0, 1]]
    assert evaluation.accuracy(half, 0.4)["accuracy_real"] == 1
    only_real = evaluation.by_number(half[:1], [1])
    assert only_real[["one_clip", "strangers"]].to_numpy().tolist() == [[0, 0]]


def test_equal_error_rate_between_two_corners():
    # (passed, found): (0, 0) (0, 1/2) (1, 1/2) (1, 1): the line found = 1 - passed crosses the second side at 1/2
    scores = _scores([("a", "real", 0.9), ("b", "forged", 0.5), ("c", "real", 0.1)])
    assert evaluation.accuracy(scores)["eer"] == pytest.approx(0.5)
    assert evaluation.accuracy(scores.iloc[:2])["eer"] == 0
    assert evaluation.accuracy(scores.iloc[1:])["eer"] == 1


def test_who_abstains_is_counted_and_not_judged():
    scores = pd.concat([HAND, _scores([("d", "forged", np.nan)])])
    found = evaluation.accuracy(scores)
    assert (found["n"], found["abstained"]) == (6, 1)
    assert found["accuracy"] == pytest.approx(4 / 6)
    assert evaluation.interval(scores) == evaluation.interval(HAND)
    assert evaluation.verdicts(scores).tolist() == ["real", "forged", "real", "real", "forged", "forged", "abstain"]
    clips = scores.drop_duplicates("clip").drop(columns="p_real")
    judged = evaluation.per_clip(HAND, clips=clips)
    assert judged["clip"].tolist() == ["a", "b", "c", "d"]
    assert judged["n_faces"].tolist() == [3, 2, 1, 0]
    assert evaluation.verdicts(judged).tolist() == ["real", "forged", "forged", "abstain"]


def test_a_clip_of_unknown_level_is_judged():
    unknown = HAND.assign(crf=pd.array([pd.NA] * len(HAND), "Int64"))
    judged = evaluation.per_clip(unknown, clips=unknown.drop_duplicates("clip").drop(columns="p_real"))
    assert judged["p_real"].tolist() == pytest.approx([0.6, 0.35, 0.3])


def test_threshold_is_chosen_between_two_scores():
    assert evaluation.threshold_for(HAND) == pytest.approx(0.65)  # over all forged ones, under two of three real ones
    assert evaluation.threshold_for(HAND.assign(p_real=[0.9, 0.8, 0.7, 0.1, 0.2, 0.3])) == 0.5  # nothing is better
    low = HAND.assign(p_real=[0.10, 0.11, 0.12, 0.01, 0.02, 0.04])
    assert evaluation.threshold_for(low) == pytest.approx(0.07)
    assert evaluation.accuracy(low, evaluation.threshold_for(low))["accuracy"] == 1
    with pytest.raises(ValueError, match="one class only"):
        evaluation.threshold_for(HAND[HAND["label"] == "real"])


def test_confusion_by_hand():
    assert evaluation.confusion(HAND).to_numpy().tolist() == [[2, 1], [1, 2]]
    assert evaluation.confusion(HAND, 0.65).loc["is forged"].tolist() == [0, 3]


def test_base_rates_by_hand():
    """Of 100,000 clips 100 are forged: 95 found, 5 missed; of 99,900 real ones 4,995 false alarms."""
    found = evaluation.alarms(0.95, 0.95, 0.001)
    counts = {key: round(100_000 * value) for key, value in found.items() if key != "forged_if_alarm"}
    assert counts == {"found": 95, "missed": 5, "false alarm": 4995, "passed": 94_905}
    assert found["forged_if_alarm"] == pytest.approx(95 / 5090)
    assert evaluation.alarms(0.9, 0.8, 1.0)["forged_if_alarm"] == 1
    assert np.isnan(evaluation.alarms(0.0, 1.0, 0.5)["forged_if_alarm"])


def test_calibration_agrees_with_scikit_learn():
    from sklearn.calibration import calibration_curve

    rng = np.random.default_rng(0)
    p_real = rng.random(500)
    scores = pd.DataFrame({"p_real": p_real, "label": np.where(rng.random(500) < p_real**2, "real", "forged")})
    found = evaluation.calibration(scores)
    share, mean = calibration_curve(scores["label"] == "real", p_real, n_bins=10)
    assert found["share_real"].tolist() == pytest.approx(share)
    assert found["p_real"].tolist() == pytest.approx(mean)
    assert found["n"].sum() == 500


def test_summary_has_a_row_for_each_group():
    table = evaluation.summary(pd.concat([HAND, HAND.assign(crf=40, p_real=1 - HAND["p_real"])]), "crf")
    assert table["accuracy"].tolist() == pytest.approx([4 / 6, 2 / 6])
    assert (table["low"] <= table["accuracy"]).all()
    assert (table["accuracy"] <= table["high"]).all()


def test_interval_draws_clips_not_frames():
    few = _scores([(f"c{i}", "real", 0.9 if i % 2 else 0.1) for i in range(4) for _ in range(100)])
    low, high = evaluation.interval(few)
    assert (low, high) == (0.0, 1.0)  # four clips, whatever the number of their frames
    many = _scores([(f"c{i}", "real", 0.9 if i % 2 else 0.1) for i in range(400)])
    low, high = evaluation.interval(many)
    assert low == pytest.approx(0.5 - 1.96 * 0.025, abs=0.01)
    assert high == pytest.approx(0.5 + 1.96 * 0.025, abs=0.01)


@pytest.mark.parametrize("metric", ["accuracy_real", "roc_auc", "brier"])
def test_intervals_of_any_metric_are_those_of_drawn_rows(metric):
    """The bootstrap weighs clips; here it draws their rows again, as the textbook does."""
    rng = np.random.default_rng(3)
    scores = _scores([(f"c{i}", "real" if i % 2 else "forged", rng.random()) for i in range(30) for _ in range(4)])
    low, high = evaluation.interval(scores, metric=metric, resamples=300)
    real, p_real = ((scores["label"] == "real").to_numpy().reshape(30, 4), scores["p_real"].to_numpy().reshape(30, 4))
    again = []
    for _ in range(300):
        drawn = rng.integers(0, 30, 30)
        again.append(metrics.METRICS[metric](real[drawn].ravel(), p_real[drawn].ravel(), np.ones(120), 0.5))
    assert (low, high) == pytest.approx(np.quantile(again, [0.025, 0.975]), abs=0.04)
    with pytest.raises(ValueError, match="no metric is called 'best'; there are accuracy"):
        evaluation.interval(scores, metric="best", resamples=1)


MIXED = _scores([(f"c{i}", ("real", "forged")[i % 2], (i * 7 % 20) / 20) for i in range(20)])
FEW = {"resamples": 50}


@pytest.mark.parametrize(
    "drawn",
    [
        lambda seed: evaluation.interval(MIXED, seed=seed, metric="brier", **FEW),
        lambda seed: evaluation.difference(MIXED, MIXED.assign(p_real=0.6), metric="brier", seed=seed, **FEW),
        lambda seed: evaluation.mean(MIXED["p_real"].to_numpy(), MIXED["clip"], seed=seed, **FEW),
        lambda seed: evaluation.summary(MIXED.assign(all=0), "all", seed=seed, resamples=3)[["low", "high"]],
        lambda seed: evaluation.by_number(MIXED.assign(clip=MIXED["label"]), [3], draws=50, seed=seed),
    ],
    ids=["interval", "difference", "mean", "summary", "by_number"],
)
def test_the_same_seed_repeats_and_another_does_not(drawn):
    first, again, *others = (np.ravel(drawn(seed)).tolist() for seed in (1, 1, 2, 3))
    assert first == again
    assert all(first != other for other in others)


def test_differences_are_paired():
    rng = np.random.default_rng(0)
    hard = rng.random(200) < 0.5  # half of the clips are wrong for everybody
    rows = [(f"c{i}", "real", 0.1 if bad else 0.9) for i, bad in enumerate(hard)]
    first, second = _scores(rows), _scores(rows)
    second.loc[np.flatnonzero(~hard)[:10], "p_real"] = 0.1  # ten more of 200
    value, low, high = evaluation.difference(first, second)
    assert value == pytest.approx(0.05)
    assert (low, high) == pytest.approx((0.05 - 1.96 * 0.0154, 0.05 + 1.96 * 0.0154), abs=0.01)  # sqrt(.05 * .95 / 200)
    unpaired = np.subtract(*evaluation.interval(first)[::-1])
    assert high - low < unpaired / 2
    with pytest.raises(ValueError, match="same clips on both sides"):
        evaluation.difference(first, second.iloc[1:])


def test_over_groups_counts_groups_and_not_faces():
    table = pd.DataFrame({"kind": "a", "group": ["g"] * 100 + ["h", "i"], "x": [1.0] * 100 + [2.0, 6.0]})
    found = evaluation.by_unit(table, "x", ["kind"]).iloc[0]
    low, high = stats.t.interval(0.95, 2, loc=3, scale=stats.sem([1, 2, 6]))
    assert (found["mean"], found["low"], found["high"], found["units"]) == (
        3,
        pytest.approx(low),
        pytest.approx(high),
        3,
    )
    alone = evaluation.by_unit(table[table["group"] == "g"], "x", ["kind"]).iloc[0]
    assert alone["mean"] == 1
    assert np.isnan(alone["low"])


def test_against_compares_the_same_faces():
    rows = [("a", i, 10.0 * i + 1) for i in range(3)] + [("control", i, 10.0 * i) for i in range(3)]
    table = pd.DataFrame(rows, columns=["explanation", "face", "x"]).assign(group=lambda t: t["face"])
    found = evaluation.against(table, "x", "explanation", "control")
    assert found["explanation"].tolist() == ["a"]
    assert found[["mean", "low", "high"]].to_numpy().tolist() == [[1, 1, 1]]


def test_frames_against_clips_is_a_difference_too():
    value, low, high = evaluation.difference(evaluation.per_clip(HAND), HAND)
    assert value == pytest.approx(1 - 4 / 6)
    assert 0 <= low <= value <= high


def test_intraclass_correlation_by_hand():
    # Means 0.8 and 0.2 around 0.5: between = 2 * (0.09 + 0.09) / 1 = 0.36; within = 4 * 0.01 / 2 = 0.02.
    scores = _scores([("a", "real", 0.9), ("a", "real", 0.7), ("b", "real", 0.3), ("b", "real", 0.1)])
    assert evaluation.intraclass_correlation(scores) == pytest.approx((0.36 - 0.02) / (0.36 + 0.02))
    unknown = scores.assign(crf=np.nan)  # the level of real clips is often unknown
    assert evaluation.intraclass_correlation(unknown) == evaluation.intraclass_correlation(scores)
    assert np.isnan(evaluation.intraclass_correlation(scores[scores["clip"] == "a"]))
    with np.errstate(all="raise"):
        assert np.isnan(evaluation.intraclass_correlation(scores.assign(p_real=0.5)))  # nothing varies


def test_intraclass_correlation_finds_what_was_put_in_whatever_the_label():
    rng = np.random.default_rng(1)
    clip = np.repeat(np.arange(2000), rng.integers(2, 8, 2000))
    label = np.where(clip % 2, "real", "forged")
    values = np.sqrt(0.3) * rng.normal(size=2000)[clip] + np.sqrt(0.7) * rng.normal(size=len(clip)) + 5 * (clip % 2)
    scores = pd.DataFrame({"clip": clip, "crf": 23, "label": label, "p_real": values})
    assert evaluation.intraclass_correlation(scores) == pytest.approx(0.3, abs=0.04)


def test_effective_number():
    assert evaluation.effective_number(20, 0) == 20
    assert evaluation.effective_number(20, 1) == 1
    assert evaluation.effective_number(21, 0.2) == pytest.approx(21 / 5)


def test_effective_number_is_the_variance_of_a_mean():
    rng = np.random.default_rng(2)
    frames = np.sqrt(0.4) * rng.normal(size=(20000, 1)) + np.sqrt(0.6) * rng.normal(size=(20000, 10))
    assert 1 / frames.mean(1).var() == pytest.approx(evaluation.effective_number(10, 0.4), rel=0.05)


def test_more_frames_of_one_clip_do_not_help_where_all_are_alike():
    rows = [(f"c{i}", "real", 0.9 if i % 4 else 0.1) for i in range(40) for _ in range(10)]
    found = evaluation.by_number(_scores(rows), [1, 9])
    assert found["n"].tolist() == [1, 9]
    assert found["one_clip"].tolist() == [0.75, 0.75]
    # The mean of 9 strangers is right when 5 or more of them are, each with 3/4: 0.951.
    assert found["strangers"].tolist() == pytest.approx([0.75, 0.951], abs=0.02)


def test_the_rule_joins_the_frames_that_are_drawn():
    """All three frames of the only clip are drawn: their mean, 0.57, is real, and their median, 0.4, is not."""
    frames = _scores([("a", "real", 0.9), ("a", "real", 0.4), ("a", "real", 0.4)])
    right = [evaluation.by_number(frames, [3], rule)["one_clip"].item() for rule in ("mean", "median")]
    assert right == [1, 0]
    judged = [evaluation.per_clip(frames, rule)["p_real"].item() for rule in ("mean", "median", "vote")]
    assert judged == pytest.approx([1.7 / 3, 0.4, 1 / 3])


def test_the_roc_auc_is_that_of_scikit_learn_with_ties_and_weights():
    rng = np.random.default_rng(0)
    real, p_real, weight = rng.random(300) < 0.4, rng.integers(0, 40, 300) / 40, rng.integers(0, 4, 300)
    ours = metrics.METRICS["roc_auc"](real, p_real, weight, 0.5)
    assert ours == pytest.approx(roc_auc_score(real, p_real, sample_weight=weight), abs=1e-12)


def test_scores_are_read_by_their_names(tmp_path):
    (tmp_path / "scores").mkdir()
    head = "clip,crf,frame,label,method,identity,group,split,p_real\n"
    for name, p_real in (
        ("net-a", 0.25),
        ("net-a-seed1", 0.5),
        ("net-a-crf0", 0.75),
        ("net-a-b-crfunknown-seed2@celeb-df", 1),
    ):
        (tmp_path / "scores" / f"{name}.csv").write_text(head + f"007,0,3,real,real,p,g,test,{p_real}\n")
    (tmp_path / "scores" / "notes.csv").write_text("mine\n")
    files.write_json({"data": {"name": "films"}}, tmp_path / "weights" / "net-a-crf0.json")
    found = evaluation.read_scores(tmp_path).set_index("p_real")
    named = ["network", "learnt", "level", "seed", "other", "data"]
    here = tmp_path.name
    assert found.loc[0.25, named].tolist() == ["net", "a", "all", 0, "", here]
    assert found.loc[0.5, named].tolist() == ["net", "a", "all", 1, "", here]
    assert found.loc[0.75, named].tolist() == ["net", "a", "0", 0, "", "films"]
    assert found.loc[1.0, named].tolist() == ["net", "a-b", "unknown", 2, "celeb-df", here]
    assert set(found["clip"]) == {"007"} and list(found["seed"])[:2] == [0, 1]
    (tmp_path / "scores" / "net-c.csv").write_text("clip,crf\nx,0\n")
    with pytest.raises(ValueError, match=r"net-c.csv: not a table of scores: it has no column group"):
        evaluation.read_scores(tmp_path)
    (tmp_path / "scores" / "net-c.csv").write_text("")
    with pytest.raises(ValueError, match=r"net-c.csv: not a table of scores \(No columns"):
        evaluation.read_scores(tmp_path)
    with pytest.raises(ValueError, match="there are no scores in it"):
        evaluation.read_scores(tmp_path / "weights")


def test_people_of_a_clip_stay_apart_in_a_table_of_scores(tmp_path):
    row = {"clip": "c", "crf": 0, "frame": 1, "label": "real", "method": "real", "identity": "i", "group": "g"}
    scores = pd.DataFrame([{**row, "split": "test", "person": k, "p_real": p} for k, p in ((0, 0.2), (1, 0.9))])
    evaluation.save_scores(scores, tmp_path / "scores" / "net-a.csv")
    assert evaluation.per_clip(evaluation.read_scores(tmp_path))["p_real"].tolist() == [0.2, 0.9]
    evaluation.save_scores(scores.assign(person=0), tmp_path / "scores" / "net-a.csv")
    assert "person" not in evaluation.read_scores(tmp_path)
