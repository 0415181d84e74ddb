"""tests/exports/test_annotate.py: header lines below a picture, identifying ones on request."""

from collections.abc import Callable

import numpy as np
import polars as pl

from wetread.exports.annotate import annotate, annotation_lines

MakeRows = Callable[..., pl.DataFrame]


def test_the_header_is_named_and_the_patient_only_when_asked(make_rows: MakeRows) -> None:
    row = make_rows(1).row(0, named=True)
    lines = annotation_lines(row, "header")
    assert lines[0] == "CT"
    assert "kV 120" in lines[2]
    assert "Secret" not in " ".join(lines)
    assert annotation_lines(row, "identifiers")[0].startswith("Secret^Patient")


def test_the_picture_stays_as_it_is_above_its_lines(make_rows: MakeRows) -> None:
    row = make_rows(1).row(0, named=True)
    picture = np.arange(64 * 80, dtype=np.int64).reshape(64, 80).astype(np.uint8)
    assert annotate(picture, row, "none") is picture
    drawn = annotate(picture, row, "header")
    assert np.array_equal(drawn[:64], picture)
    assert drawn.shape[0] > 64
    assert drawn[64:].max() > 0
