"""tests/training/series/test_prepare.py: whole series, their labels, and each encoder's targets."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from wetread.labels.finding import Finding
from wetread.labels.table import LabelTable, label_table
from wetread.study.boxes import PixelBox
from wetread.training.losses import plain_series_loss
from wetread.training.recipe_file import read_recipe
from wetread.training.run import Run
from wetread.training.series.prepare import (
    encoder_data,
    held_out_studies,
    prepare_series,
    pretrain_encoders,
)
from wetread.training.series.series import labeled_series
from wetread.training.series.spec import CropEncoder, SeriesSpec
from wetread.training.slices.prepare import TrainingInputs
from wetread.training.trained_model import read_trained_model

IMAGE = (Finding("any"),)
STUDY = (Finding("left", "study", mirror="right"), Finding("right", "study", mirror="left"))
SETTINGS = ("size=24", "batch_size=32", "runtime.threads=1", "runtime.device=cpu", "epochs=4")


def double(image: np.ndarray, study: np.ndarray) -> np.ndarray:
    return np.hstack([image, image])


def only_images(image: np.ndarray, study: np.ndarray) -> np.ndarray:
    return image


SPEC = SeriesSpec(
    IMAGE, STUDY,
    (
        CropEncoder("near", IMAGE, only_images),
        CropEncoder("far", (Finding("any"), Finding("again")), double, steps=0.25),
    ),
    find_boxes=lambda hu: (PixelBox(0, 1, 0, 1),) * 2,
    loss=lambda series: plain_series_loss,
    make_consistent=lambda image, study, starts: (image, study),
    broken_rules=lambda image, study, starts: [()] * len(study),
)  # fmt: skip


def labels_of(blobs: Any, studies: range) -> LabelTable:
    """The sides of studies of 12 slices each; images of every second one."""
    truth = blobs.truth.astype(float)
    rows: list[tuple[str, str, str, float]] = []
    for study in studies:
        own = truth[12 * study : 12 * study + 12]
        rows += [
            ("study", f"1.3.{study}", f.name, v)
            for f, v in zip(STUDY, own[:, 1:].max(0), strict=True)
        ]
        if study % 2 == 0:
            rows += [("image", f"1.2.{12 * study + i}", "any", own[i, 0]) for i in range(12)]
    return label_table(pl.DataFrame(rows, ["level", "id", "finding", "value"], orient="row"))


@pytest.fixture
def store(blobs: Any) -> Any:
    n = len(blobs.truth)
    slices = blobs.slices.with_columns(
        StudyInstanceUID=pl.col("SeriesInstanceUID"),
        z=pl.Series([i % 12 for i in range(n)]),
        position_mm=pl.Series([5.0 * (i % 12) for i in range(n)]),
    )
    return SimpleNamespace(slices=slices, read_hu=blobs.read_hu)


def inputs(folder: Path, store: Any, labels: LabelTable, *settings: str) -> TrainingInputs:
    recipe = read_recipe("compact", [*SETTINGS, *settings])
    stores = [store, store]
    return TrainingInputs(Run(folder), stores, labels, recipe, lambda name: lambda *at: None)


def test_series_of_which_slices_or_studies_have_labels_are_learned(
    blobs: Any, store: Any, tmp_path: Path
) -> None:
    prepared = prepare_series(SPEC, inputs(tmp_path, store, labels_of(blobs, range(3, 7))))
    assert prepared.data.rows.tolist() == list(range(36, 84))
    assert prepared.data.truth.shape == (48, 3)  # any of the slice, left and right of its study
    assert np.isnan(prepared.data.truth[:12, 0]).all()  # study 3 has no labels of its images
    np.testing.assert_array_equal(prepared.data.truth[12:24, 0], blobs.truth[48:60, 0])
    assert prepared.shares["left"][1] == 4
    assert prepared.shares["any"][1] == 24


@pytest.mark.parametrize("loss", ["metric", "plain"])
def test_answers_to_the_metric_are_no_shares_to_be_scaled(
    blobs: Any, store: Any, tmp_path: Path, loss: str
) -> None:
    given = inputs(tmp_path, store, labels_of(blobs, range(3, 7)), f"series.loss={loss}")
    assert prepare_series(SPEC, given).calibrated is (loss == "plain")


def test_labels_of_other_series_are_refused(store: Any, tmp_path: Path) -> None:
    rows = [("study", "elsewhere", "left", 1.0)]
    labels = label_table(pl.DataFrame(rows, ["level", "id", "finding", "value"], orient="row"))
    with pytest.raises(ValueError, match="no image of the archive has a label"):
        prepare_series(SPEC, inputs(tmp_path, store, labels))


def test_each_encoder_has_its_own_targets_of_the_same_slices(
    blobs: Any, store: Any, tmp_path: Path
) -> None:
    given = inputs(tmp_path, store, labels_of(blobs, range(20)))
    series = labeled_series(store.slices, given.labels, IMAGE, STUDY)
    near, far = (one.data for one in encoder_data(SPEC, series, given))
    assert near.rows.tolist() == far.rows.tolist() == list(range(240))
    assert (near.truth.shape, far.truth.shape) == ((240, 1), (240, 2))
    np.testing.assert_array_equal(far.truth[:, [1]], near.truth)
    assert near.masks is None


def test_every_encoder_learns_all_phantoms_in_its_share_of_the_first_one_s_steps(
    blobs: Any, store: Any, tmp_path: Path
) -> None:
    given = inputs(tmp_path, store, labels_of(blobs, range(0, 20, 2)))
    found = pretrain_encoders(SPEC, given, {})
    assert found == {name: tmp_path / name / "best.pt" for name in ("near", "far")}
    assert read_trained_model(found["far"]).findings == ("any", "again")
    lines = {
        name: [
            json.loads(line)
            for line in (tmp_path / name / "metrics.jsonl").read_text().splitlines()
        ]
        for name in found
    }
    assert (len(lines["near"]), len(lines["far"])) == (4, 1)  # a quarter of as many steps
    assert lines["near"][0]["value"] is None  # no patient is kept to choose the epoch


def test_one_phantom_in_ten_is_not_learned_from_where_masks_are_drawn() -> None:
    studies = [f"{number:02d}" for number in range(25)] * 2
    assert held_out_studies(studies) == {"09", "19"}
    assert held_out_studies(studies[:9]) == frozenset()
