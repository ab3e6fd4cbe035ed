"""The estimate of times: a run elsewhere, scaled by what the same probe takes there and here."""

import json

import pytest

from mesokit import cli, doctor

RUN = {
    "environment": {"date": "2026-01-01", "preset": "smoke", "cores": 2},
    "notebooks": [
        {"name": "00_a", "status": "ok", "seconds": 30.0},
        {"name": "01_b", "status": "ok", "seconds": 100.0},
    ],
}


def test_times_scale_with_the_mean_of_the_ratios():
    made = doctor.reference(RUN, {"training": 2.0, "pictures": 1.0})
    seconds, words = doctor.scaled(made, {"training": 2.0, "pictures": 2.0})
    assert seconds == {"00_a": 45.0, "01_b": 150.0}
    assert "training takes 1 times" in words and "2 cores" in words


def test_a_failed_run_is_no_reference():
    broken = RUN | {"notebooks": [{"name": "00_a", "status": "failed", "seconds": 1.0}]}
    with pytest.raises(ValueError, match="00_a did not end well"):
        doctor.reference(broken, {})


@pytest.mark.slow
def test_check_prints_an_estimate_for_each_notebook(tmp_path, monkeypatch, capsys):
    (tmp_path / "00_a.ipynb").touch()
    (tmp_path / "02_new.ipynb").touch()
    monkeypatch.setattr(doctor, "_findings", lambda: [("Python", True, "")])
    assert cli.main(["check", "--notebooks", str(tmp_path)]) == 0
    assert "no estimate" in capsys.readouterr().out
    made = doctor.reference(RUN, {"training": 1.0, "pictures": 1.0})
    (tmp_path / doctor.TIMES).write_text(json.dumps(made))
    monkeypatch.setattr(doctor, "probe", lambda: {"training": 3.0, "pictures": 1.0})
    assert cli.main(["check", "--notebooks", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "about 1 min 0 s" in shown and "not measured yet" in shown and "A rough guide" in shown
    assert cli.main(["check", "--no-times"]) == 0
    assert "times" not in capsys.readouterr().out


@pytest.mark.slow
def test_the_probe_measures_both_pieces():
    assert all(seconds > 0 for seconds in doctor.probe().values())
