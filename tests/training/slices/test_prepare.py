"""tests/training/slices/test_prepare.py: slices and labels are joined row by row, or refused."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from wetread.labels.finding import Finding
from wetread.labels.table import LabelTable, label_table
from wetread.study.crop import whole_picture
from wetread.training.recipe_file import read_recipe
from wetread.training.run import Run
from wetread.training.slices.prepare import (
    TrainingInputs,
    label_shares,
    labeled_rows,
    prepare_slices,
    pretrain_slices,
)
from wetread.training.slices.spec import SliceSpec
from wetread.training.trained_model import read_trained_model

FINDINGS = (Finding("any", weight=2.0), Finding("left", mirror="right"), Finding("right"))
SPEC = SliceSpec("net", FINDINGS, whole_picture)
QUICK = ("size=24", "batch_size=32", "runtime.threads=1", "runtime.device=cpu", "epochs=1")


def labels_of(blobs: Any, rows: range) -> LabelTable:
    table = [
        ("image", f"1.2.{row}", finding.name, float(blobs.truth[row, column]))
        for row in rows
        for column, finding in enumerate(FINDINGS)
    ]
    return label_table(pl.DataFrame(table, ["level", "id", "finding", "value"], orient="row"))


def inputs(folder: Path, blobs: Any, rows: range, *settings: str) -> TrainingInputs:
    n = len(blobs.truth)
    slices = blobs.slices.with_columns(
        StudyInstanceUID=pl.col("SeriesInstanceUID"),
        z=pl.Series([i % 12 for i in range(n)]),
        n_slices=pl.lit(12),
        position_mm=pl.Series([5.0 * (i % 12) for i in range(n)]),
    )
    store: Any = SimpleNamespace(slices=slices, read_hu=blobs.read_hu)
    recipe = read_recipe("compact", [*QUICK, *settings])
    labels = labels_of(blobs, rows)
    return TrainingInputs(Run(folder), [store], labels, recipe, lambda name: lambda *at: None)


def test_the_slices_with_a_label_are_learned_and_the_others_left_out(
    blobs: Any, tmp_path: Path
) -> None:
    prepared = prepare_slices(SPEC, inputs(tmp_path, blobs, range(24, 120)))
    assert prepared.data.rows.tolist() == list(range(24, 120))
    np.testing.assert_array_equal(prepared.data.truth, blobs.truth[24:120])
    share, known = prepared.shares["left"]
    assert share == pytest.approx(blobs.truth[24:120, 1].mean())
    assert known == 96


def test_labels_of_other_images_are_refused(blobs: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no image of the archive has a label"):
        prepare_slices(SPEC, inputs(tmp_path, blobs, range(0)))


def test_phantoms_are_learned_from_most_patients_and_the_epoch_chosen_by_others(
    blobs: Any, tmp_path: Path
) -> None:
    found = pretrain_slices(SPEC, inputs(tmp_path, blobs, range(240)), {})
    assert found == {"net": tmp_path / "model-0" / "best.pt"}
    kept = read_trained_model(found["net"])
    assert kept.findings == ("any", "left", "right")
    (line,) = (tmp_path / "model-0" / "metrics.jsonl").read_text().splitlines()
    assert json.loads(line)["value"] is not None  # of patients that were not fitted


def test_rows_with_a_label_are_found_in_order() -> None:
    assert labeled_rows(np.array([False, True, True, False])).tolist() == [1, 2]
    with pytest.raises(ValueError, match="SOPInstanceUIDs"):
        labeled_rows(np.zeros(3, bool))


def test_shares_are_over_known_labels_alone() -> None:
    truth = np.array([[1.0, np.nan], [0.0, np.nan], [np.nan, np.nan], [1.0, np.nan]])
    shares = label_shares(truth, FINDINGS[:2])
    assert shares == {"any": (pytest.approx(2 / 3), 3), "left": (0.0, 0)}
