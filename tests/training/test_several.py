"""tests/training/test_several.py: two processes learn what one learns in two parts."""

import json
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.training.several import TRAININGS, start, write_store

from wetread.store.store import Store
from wetread.training.run import BEST, METRICS, Run

WORDS = ("-m", "tests.training.several")
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return write_store(tmp_path_factory.mktemp("several") / "store")


@pytest.fixture(scope="module")
def together(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all trainings, by two processes."""
    out: Path = tmp_path_factory.mktemp("together")
    processes = start(2, [*WORDS, str(store.path), str(out), *TRAININGS])
    told = [process.communicate(timeout=250) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], told
    assert [text for pair in told for text in pair] == ["", "", "", ""]
    return out


def losses(file: Path) -> np.ndarray:
    """Loss and value of each epoch, (epochs, 2)."""
    lines = map(json.loads, file.read_text().splitlines())
    return np.array([[line["loss"], line["value"]] for line in lines], np.float64)


@pytest.mark.parametrize("name", ["slices", "masks"])
def test_two_processes_learn_what_one_learns_in_two_parts(
    name: str, store: Store, together: Path, tmp_path: Path
) -> None:
    TRAININGS[name](store, tmp_path)
    alone, shared = losses(tmp_path / METRICS), losses(together / name / METRICS)
    np.testing.assert_allclose(shared, alone, atol=TOLERANCE, rtol=0)
    assert len(alone) == 2
    ours, theirs = (Run(folder).read(BEST)["model"] for folder in (tmp_path, together / name))
    for key in ours:
        torch.testing.assert_close(ours[key], theirs[key], atol=TOLERANCE, rtol=TOLERANCE)


def test_two_processes_learn_series_as_one_does(
    store: Store, together: Path, tmp_path: Path
) -> None:
    TRAININGS["series"](store, tmp_path)
    files = sorted(tmp_path.rglob(METRICS))
    assert len(files) == 2  # of the encoders; networks over them keep their epochs in sequence-last
    for file in files:
        own = together / "series" / file.relative_to(tmp_path)
        np.testing.assert_allclose(losses(own), losses(file), atol=TOLERANCE, rtol=0)
    lasts = sorted(tmp_path.rglob("sequence-last.pt"))
    assert [file.parent.name for file in lasts] == ["part-0", "together", "part-1", "together"]
    for file in lasts:
        own = together / "series" / file.relative_to(tmp_path)
        alone, shared = (Run(one.parent).read(one.name)["history"] for one in (file, own))
        for one, other in zip(alone, shared, strict=True):
            assert other["loss"] == pytest.approx(one["loss"], abs=TOLERANCE)
            assert other["value"] == pytest.approx(one["value"], abs=TOLERANCE)
    with np.load(tmp_path / "read.npz") as alone, np.load(together / "series/read.npz") as shared:
        assert alone.files == shared.files
        for level in alone.files:
            np.testing.assert_allclose(shared[level], alone[level], atol=TOLERANCE)


def test_a_training_whose_process_was_killed_goes_on_to_the_same_end(
    store: Store, together: Path, tmp_path: Path
) -> None:
    words = [*WORDS, str(store.path), str(tmp_path), "slices"]
    processes = start(2, words, KILL="0")
    told = [process.communicate(timeout=120) for process in processes]
    assert processes[0].returncode == -signal.SIGKILL
    assert processes[1].returncode == 1, told
    assert not (tmp_path / "slices" / METRICS).read_text().splitlines()[1:]  # in the second epoch
    again = start(2, words)
    told = [process.communicate(timeout=120) for process in again]
    assert [process.returncode for process in again] == [0, 0], told
    ours, theirs = tmp_path / "slices", together / "slices"
    assert (ours / METRICS).read_text() == (theirs / METRICS).read_text()
    first, second = (Run(folder).read(BEST)["model"] for folder in (ours, theirs))
    assert all(torch.equal(first[key], second[key]) for key in first)
