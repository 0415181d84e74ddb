"""tests/verbs/runs/test_diff.py: what differs between two runs is named, part by part."""

from pathlib import Path

import pytest
from tests.verbs.runs.conftest import SESSION, MakeRun

from wetread.verbs.runs.diff import NOT_RECORDED, PARTS, diff_runs


def test_runs_alike_differ_in_nothing(made_run: MakeRun) -> None:
    found = diff_runs(made_run("a"), made_run("b"))
    assert found.found == ()
    assert set(found.equal) == set(PARTS)
    assert all(count > 0 for count in found.equal.values())


def test_settings_data_code_and_machine_are_named_key_by_key(made_run: MakeRun) -> None:
    first = made_run("a")
    other = SESSION | {"source": "cd" * 32, "processor": "B", "packages": {"torch": "2.14.0"}}
    second = made_run(
        "b", settings=("optimizer.learning_rate=1e-4",), seed=1, session=other, patients=range(11)
    )
    found = {(d.part, d.key): (d.first, d.second) for d in diff_runs(first, second).found}
    assert found == {
        ("recipe", "seed"): (0, 1),
        ("recipe", "optimizer.learning_rate"): (2e-3, 1e-4),
        ("data", "scored_on.images"): (48, 44),
        ("data", "scored_on.studies"): (12, 11),
        ("data", "scored_on.patients"): (12, 11),
        ("data", "patients by part"): ("held_out: 12", "held_out: 11"),
        ("code", "source"): ("ab" * 32, "cd" * 32),
        ("code", "torch"): ("2.13.0", "2.14.0"),
        ("machine", "processor"): ("A Processor", "B"),
    }


def test_a_run_from_before_says_what_it_did_not_record(made_run: MakeRun) -> None:
    first, second = made_run("a"), made_run("b")
    (second / "machine.json").unlink()
    found = diff_runs(first, second)
    assert {d.part for d in found.found} == {"code", "machine"}
    assert {d.second for d in found.found} == {NOT_RECORDED}
    assert (found.equal["code"], found.equal["machine"]) == (0, 0)


def test_what_is_no_run_is_refused(made_run: MakeRun, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no run"):
        diff_runs(made_run("a"), tmp_path)
    with pytest.raises(FileNotFoundError, match="no such folder"):
        diff_runs(tmp_path / "none", tmp_path)
