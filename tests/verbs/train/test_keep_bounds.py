"""tests/verbs/train/test_keep_bounds.py: a run keeps what is inside of that which it learned."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from wetread.archive.index.index import read_index
from wetread.store.store import open_store
from wetread.training.bounds import FILE, read_bounds
from wetread.training.run import Run
from wetread.training.series.reader import JOINT_FOLDER
from wetread.verbs.train.keep_bounds import first_checkpoint, keep_bounds
from wetread.verbs.train.train import TrainResult


def test_a_run_of_few_held_out_studies_keeps_no_bounds(one_split: TrainResult) -> None:
    assert not (one_split.run / FILE).exists()


def test_the_limits_are_of_studies_that_the_network_never_saw(
    one_split: TrainResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wetread.training.bounds.FEWEST", 3)
    folder = tmp_path / "run"
    folder.mkdir()
    for kept in one_split.run.iterdir():
        (folder / kept.name).symlink_to(kept)
    images = read_index(one_split.run / "index.parquet").images
    store = open_store(one_split.run / "store")
    keep_bounds(Run(folder), images, store, "hemorrhage")
    bounds = read_bounds(folder)
    assert bounds is not None
    assert bounds.checkpoint == "model-0/best.pt"
    assert bounds.studies == store.slices["SeriesInstanceUID"].n_unique()
    table = one_split.run / "predictions.parquet"
    held_out = pl.read_parquet(table).filter(pl.col("level") == "study")["id"].n_unique()
    assert bounds.limits["pictures"].studies == held_out
    assert bounds.words["modality"] == ("CT",)
    lengths = store.slices["n_slices"].to_numpy()
    assert bounds.ranges["slices"] == (np.min(lengths), np.max(lengths))


def test_the_first_encoder_of_a_model_of_series_is_found_where_it_was_kept(tmp_path: Path) -> None:
    part = tmp_path / "model-0" / "part-0"
    for folder in (part / "lungs", part / JOINT_FOLDER / "lungs"):
        folder.mkdir(parents=True)
        (folder / "best.pt").touch()
        assert first_checkpoint(tmp_path, "lungs") == folder / "best.pt"
