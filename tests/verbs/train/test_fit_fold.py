"""tests/verbs/train/test_fit_fold.py: folds fitted apart make the run that one call makes."""

import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.archive.executor.local_dask import Dask, running_dask

from wetread.archive.files.lease import read_lease
from wetread.training.kept_split import FILE as KEPT
from wetread.training.machine import FILE as MACHINE
from wetread.verbs.train.train import TrainResult

Learn = Callable[..., TrainResult]
SLOW = ("checkpoint_every_steps=1", "negatives_per_positive=0", "batch_size=16")


def contents(run: Path) -> dict[str, bytes]:
    """Every file of a run but the one that says when and where it was made."""
    return {
        str(path.relative_to(run)): path.read_bytes()
        for path in sorted(run.rglob("*"))
        if path.is_file() and path.name != MACHINE
    }


def assert_same_files(one: Path, other: Path) -> None:
    mine, theirs = contents(one), contents(other)
    assert mine.keys() == theirs.keys()
    assert [name for name in mine if mine[name] != theirs[name]] == []


@pytest.fixture(scope="module")
def alone(learn: Learn, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two folds by one call on this machine."""
    return learn(tmp_path_factory.mktemp("alone") / "run", *SLOW, folds=2).run


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dask]:
    pytest.importorskip("distributed", reason="no distributed here: pip install 'wetread[cluster]'")
    with running_dask(tmp_path_factory.mktemp("dask")) as running:
        yield running


def test_the_last_of_the_folds_ends_the_run_as_one_call_does(
    learn: Learn, alone: Path, tmp_path: Path
) -> None:
    first = learn(tmp_path / "run", *SLOW, folds=2, fold=1)
    assert (first.fold, first.missing, list(first.scores)) == (1, (0,), [])
    assert not (tmp_path / "run" / "scores.json").exists()
    last = learn(tmp_path / "run", *SLOW, folds=2, fold=0)
    assert (last.fold, last.missing) == (0, ())
    told = json.loads((alone / "scores.json").read_text())["scores"]
    assert last.scores.to_dict()["scores"] == told
    assert_same_files(tmp_path / "run", alone)


def test_a_call_without_a_fold_ends_the_run_and_fits_nothing_again(
    learn: Learn, alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    shutil.copytree(alone, run)
    for name in ("predictions.parquet", "calibration.json", "scores.json", "page.html"):
        (run / name).unlink()

    def fit(*given: object, **words: object) -> None:
        raise AssertionError("a fold that is there is fitted again")

    monkeypatch.setattr("wetread.training.slices.prepare.fit_split", fit)
    learn(run, *SLOW, folds=2)
    assert_same_files(run, alone)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"folds": 2, "fold": 2}, "`fold=2`: the run's folds are 0 to 1"),
        ({"folds": 2, "fold": -1}, "`fold=-1`: the run's folds are 0 to 1"),
        ({"folds": 0, "fold": 0}, "`fold=0`: the run has one split and no folds; give `folds`"),
        ({"folds": 2, "fold": 0, "cluster": "tcp://a:1"}, "give one"),
    ],
)
def test_a_fold_that_is_none_is_refused_before_anything_is_written(
    learn: Learn, tmp_path: Path, words: dict[str, int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        learn(tmp_path / "run", **words)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.timeout(600)
def test_folds_on_two_workers_of_which_one_is_killed_make_the_run_that_one_call_makes(
    learn: Learn, alone: Path, dask: Dask, tmp_path: Path
) -> None:
    cluster, run = dask.cluster(2), tmp_path / "run"
    killed: list[tuple[str, int]] = []
    ended = threading.Event()

    def kill() -> None:
        """Kill the worker of a fold that has a checkpoint and is not done."""
        while not killed and not ended.is_set():
            for last in run.glob("model-*/last.pt"):
                note = read_lease(last.parent)
                if note is not None and not (last.parent / KEPT).exists():
                    node = int(Path(f"/proc/{note.process}/stat").read_text().split()[3])
                    assert node in [process.pid for process in dask.nodes]
                    os.kill(node, signal.SIGKILL)
                    killed.append((last.parent.name, note.process))
                    return
            time.sleep(0.001)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        result = learn(run, *SLOW, folds=2, cluster=cluster.address)
    finally:
        ended.set()
        killer.join()
    assert len(killed) == 1
    assert len(dask.nodes) == 1
    assert result.missing == ()
    assert_same_files(run, alone)
