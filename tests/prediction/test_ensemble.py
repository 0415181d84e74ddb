"""tests/prediction/test_ensemble.py: only finished runs of one task read together."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from wetread.prediction.ensemble import RunError, read_ensemble
from wetread.prediction.run_weights import RunWeights

WriteRun = Callable[..., Path]


def test_every_kept_model_of_every_run_is_a_member(write_run: WriteRun) -> None:
    runs = [write_run("a", models=2), write_run("b")]
    ensemble = read_ensemble(runs)
    assert [member.checkpoint for member in ensemble.members] == [
        runs[0] / "model-0" / "best.pt",
        runs[0] / "model-1" / "best.pt",
        runs[1] / "model-0" / "best.pt",
    ]
    assert [member.model.epoch for member in ensemble.members] == [0, 1, 0]
    assert (ensemble.task, ensemble.findings, ensemble.size) == ("t", ("left", "right", "any"), 16)
    assert ensemble.prior == {"left": 0.1, "right": 0.1, "any": 0.1}


def test_the_models_of_one_split_are_read_alone(write_run: WriteRun) -> None:
    run = write_run("a", models=3)
    members = read_ensemble([run], split=1).members
    assert [member.checkpoint for member in members] == [run / "model-1" / "best.pt"]


def test_no_run_no_about_file_and_no_checkpoint_are_each_told(
    write_run: WriteRun, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match="no run given"):
        read_ensemble([])
    with pytest.raises(RunError, match=r"nowhere is no run \(no about.json\)"):
        read_ensemble([tmp_path / "nowhere"])
    with pytest.raises(RunError, match="has not reached its first epoch"):
        read_ensemble([write_run("young", models=0)])


def test_runs_of_two_tasks_two_columns_or_two_sizes_do_not_read_together(
    write_run: WriteRun,
) -> None:
    first = write_run("a")
    with pytest.raises(RunError, match=r"b: its task is 'u', that of .*a 't'"):
        read_ensemble([first, write_run("b", task="u")])
    with pytest.raises(RunError, match="c: its findings is"):
        read_ensemble([first, write_run("c", findings=["any", "left", "right"])])
    with pytest.raises(RunError, match=r"\[16, 24\] pixels; predict with each alone"):
        read_ensemble([first, write_run("d", size=24)])


def test_members_of_a_run_share_its_weight(write_run: WriteRun) -> None:
    ensemble = read_ensemble([write_run("one"), write_run("three", models=3)])
    np.testing.assert_array_equal(ensemble.member_weights, np.ones(4))
    weighed = replace(ensemble, run_weights=RunWeights((0.7, 0.3), 50, 100, 0.1, 0.2, (0.1, 0.3)))
    np.testing.assert_allclose(weighed.member_weights / 4, [0.7, 0.1, 0.1, 0.1])
