"""tests/verbs/montage/test_panels.py: one panel shows a slice's values through one window."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from wetread.archive.rejects import RejectError
from wetread.inputs.sources import ct_series, open_source
from wetread.verbs.montage.panels import READERS, PanelRequest, render_panel, rows_around

Write = Callable[..., Path]


@pytest.fixture
def rows(write_ct: Write) -> pl.DataFrame:
    """Three slices of 20 x 24 pixels; HU are 0, 10, 20 on the left, 40 on the right."""
    (series,) = ct_series(open_source(write_ct(3), 1))
    return series


def test_a_mode_sees_its_neighbors_and_at_the_end_the_slice_itself(rows: pl.DataFrame) -> None:
    near = rows_around(rows, 0, "adjacent")  # offsets 1, 0, -1
    assert [row["SOPInstanceUID"] for row in near] == ["1.9.0.1", "1.9.0.0", "1.9.0.0"]
    assert len(rows_around(rows, 1, "brain")) == 1


def test_a_neighbor_of_another_shape_is_the_slice_itself(rows: pl.DataFrame) -> None:
    other = rows.with_columns(Rows=pl.Series([20, 20, 30], dtype=rows["Rows"].dtype))
    near = rows_around(other, 1, "adjacent")
    assert [row["SOPInstanceUID"] for row in near] == ["1.9.0.1", "1.9.0.1", "1.9.0.0"]


def test_a_window_gives_the_grays_of_its_hu(rows: pl.DataFrame) -> None:
    picture = render_panel(PanelRequest(rows_around(rows, 2, "40/80"), "40/80", ("",), size=24))
    assert isinstance(picture, np.ndarray)
    assert picture.shape == (20, 24)
    assert (picture[0, 0], picture[0, -1]) == (round(255 * 20 / 80), 128)


def test_stored_values_run_from_their_least_to_their_greatest(rows: pl.DataFrame) -> None:
    request = PanelRequest((rows.row(1, named=True),), "", ("as stored",), "stored", 24)
    picture = render_panel(request)
    assert isinstance(picture, np.ndarray)
    assert (picture[0, 0], picture[0, -1]) == (0, 255)
    assert np.unique(READERS["stored"](rows.row(1, named=True))).tolist() == [1034, 1064]


def test_a_slice_that_cannot_be_read_is_its_reason_and_no_slice_is_nothing(
    rows: pl.DataFrame,
) -> None:
    assert render_panel(PanelRequest((), "brain", ("none",))) is None
    Path(rows["path"][0]).write_bytes(b"")
    found = render_panel(PanelRequest(rows_around(rows, 0, "brain"), "brain", ("",)))
    assert isinstance(found, RejectError)
