"""tests/training/series/conftest.py: the blobs as whole series of studies."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.training.blob_series import IMAGE, STUDY

from wetread.labels.table import LabelTable, label_table
from wetread.training.series.series import Series, labeled_series


@pytest.fixture
def store(blobs: Any) -> Any:
    """The blobs as 20 studies of 10 patients, 12 slices each, as a store would list them."""
    n = len(blobs.truth)
    slices = blobs.slices.with_columns(
        StudyInstanceUID=pl.Series([f"1.4.{i // 12}" for i in range(n)]),
        z=pl.Series([i % 12 for i in range(n)]),
        position_mm=pl.Series([5.0 * (i % 12) for i in range(n)]),
        part=pl.lit("whole"),
        offset=pl.Series(range(n)),
        bytes=pl.lit(1),
    )
    return SimpleNamespace(slices=slices, read_hu=blobs.read_hu)


@pytest.fixture
def labels(blobs: Any, store: Any) -> LabelTable:
    truth = blobs.truth.astype(np.float64)
    rows = [("image", uid, "any", truth[i, 0]) for i, uid in enumerate(blobs.slices.to_series())]
    for number, study in enumerate(store.slices["StudyInstanceUID"].unique(maintain_order=True)):
        of_study = truth[12 * number : 12 * number + 12, 1:].max(0)
        rows += [("study", study, f.name, v) for f, v in zip(STUDY, of_study, strict=True)]
    return label_table(pl.DataFrame(rows, orient="row", schema=["level", "id", "finding", "value"]))


@pytest.fixture
def series(store: Any, labels: LabelTable) -> Series:
    return labeled_series(store.slices, labels, IMAGE, STUDY)
