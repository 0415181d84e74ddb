"""tests/verbs/conftest.py: a small phantom archive, and runs trained on it once a session."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wetread.phantoms.archive import PhantomTruth, write_head_archive
from wetread.verbs.train import TrainResult, train

STUDIES = 16
SETTINGS = ("size=32", "batch_size=16", "threads=1", "device=cpu", "precision=float32")

Learn = Callable[..., TrainResult]


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> PhantomTruth:
    """16 studies of 13 patients at 64 pixels, and what is true of them."""
    out = tmp_path_factory.mktemp("phantoms")
    return write_head_archive(out, STUDIES, 3, size=64, progress=lambda done, total: None)


@pytest.fixture(scope="session")
def settings() -> tuple[str, ...]:
    """What makes a run small, and equal wherever it runs."""
    return SETTINGS


@pytest.fixture(scope="session")
def learn(phantoms: PhantomTruth) -> Learn:
    """learn(out, *settings, **words of train): a run of a second on the phantoms."""

    def run(out: Path, *settings: str, **words: Any) -> TrainResult:
        words = {"data": [phantoms.images], "labels": [phantoms.labels], "epochs": 1, **words}
        return train("hemorrhage", out=out, settings=(*SETTINGS, *settings), workers=1, **words)

    return run


@pytest.fixture(scope="session")
def one_split(learn: Learn, tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    """Train, validation and held out."""
    return learn(tmp_path_factory.mktemp("run") / "one")


@pytest.fixture(scope="session")
def two_folds(learn: Learn, tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    """Every patient read once, by a model of the others."""
    return learn(tmp_path_factory.mktemp("run") / "two", folds=2)


@pytest.fixture(scope="session")
def other_seed(learn: Learn, tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    """The one split's words with another seed."""
    return learn(tmp_path_factory.mktemp("run") / "other", seed=1)


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exports work here, where the libraries are loaded already: a worker takes seconds to start.
    tests/verbs/test_export.py has the workers."""
    monkeypatch.setattr("wetread.verbs.export.each", lambda work, items, workers: map(work, items))
