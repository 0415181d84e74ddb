"""tests/verbs/baseline/conftest.py: small archives of phantoms of three tasks, and their
baselines, made once."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from wetread.phantoms.angiogram.archive import write_angiogram_archive
from wetread.phantoms.dicom.archive import PhantomTruth
from wetread.phantoms.radiograph.archive import write_radiograph_archive
from wetread.verbs.baseline.baseline import BaselineResult, baseline

Floor = Callable[..., BaselineResult]


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> PhantomTruth:
    """60 films at 64 pixels, with the file of their patients."""
    out = tmp_path_factory.mktemp("films")
    return write_radiograph_archive(out, 60, 3, size=64, progress=lambda done, total: None)


@pytest.fixture(scope="session")
def angiograms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """8 exams at 64 pixels, most with an embolus."""
    out = tmp_path_factory.mktemp("angiograms")
    write_angiogram_archive(out, 8, 5, size=64, positives=0.6, progress=lambda done, total: None)
    return out


@pytest.fixture(scope="session")
def heads_floor(phantoms: PhantomTruth, tmp_path_factory: pytest.TempPathFactory) -> BaselineResult:
    """Baselines of 16 head studies, with submissions for the very same."""
    return baseline(
        "hemorrhage", phantoms.images, tmp_path_factory.mktemp("floor") / "heads",
        labels=phantoms.labels, folds=2, unseen=phantoms.images, workers=1,
    )  # fmt: skip


@pytest.fixture(scope="session")
def films_floor(films: PhantomTruth, tmp_path_factory: pytest.TempPathFactory) -> BaselineResult:
    """Baselines of the films, with the submission for the very same."""
    return baseline(
        "pneumothorax", films.images, tmp_path_factory.mktemp("floor") / "films",
        labels=films.labels, patients=films.images.parent / "patients.csv", folds=2,
        unseen=films.images, workers=1,
    )  # fmt: skip


@pytest.fixture(scope="session")
def exams_floor(angiograms: Path, tmp_path_factory: pytest.TempPathFactory) -> BaselineResult:
    """Baselines of the exams, with submissions for the very same."""
    return baseline(
        "embolism", angiograms / "train", tmp_path_factory.mktemp("floor") / "exams",
        labels=angiograms / "train.csv", folds=2, unseen=angiograms / "train", workers=1,
    )  # fmt: skip


@pytest.fixture(scope="session")
def few_heads(phantoms: PhantomTruth, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every fifth slice of each head study, as an archive."""
    folder = tmp_path_factory.mktemp("few") / "images"
    folder.mkdir()
    for uid in phantoms.rows.filter(pl.col("z") % 5 == 2)["image"]:
        shutil.copy(phantoms.images / f"{uid}.dcm", folder)
    return folder


@pytest.fixture
def floor(phantoms: PhantomTruth, few_heads: Path, tmp_path: Path) -> Floor:
    """floor(**words): baselines of a few slices of heads in a folder of the test's own."""

    def run(**words: Any) -> BaselineResult:
        given = {
            "task": "hemorrhage", "source": few_heads, "labels": phantoms.labels,
            "out": tmp_path / "floor", "folds": 2, "workers": 1, **words,
        }  # fmt: skip
        return baseline(**given)

    return run
