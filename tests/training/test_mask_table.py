"""tests/training/test_mask_table.py: maps of a network become rows, and come back."""

import numpy as np
import polars as pl
import pytest

from wetread.evaluation.decision import mask_sums
from wetread.labels.finding import Finding
from wetread.labels.rle import encode
from wetread.training.mask_table import (
    SCHEMA,
    ImageKey,
    mask_rows,
    pack_map,
    sums_of,
    unpack_map,
)
from wetread.training.masks import AnnotatedMask, AnnotatedMasks

SHAPE = (32, 32)
KEY = ImageKey("held_out", 1, "1.2.3", "p", 7)
MASK = np.zeros(SHAPE, bool)
MASK[4:12, 6:20] = True


def table(drawn: AnnotatedMask | None, probability: np.ndarray) -> pl.DataFrame:
    findings, box = (Finding("air", "pixel"),), np.array([[0, 32, 0, 32]])
    masks = AnnotatedMasks(findings, ((drawn,),), (SHAPE,), box)
    rows = mask_rows(KEY, masks, 0, probability[None], [1.0])
    return pl.DataFrame([row | {"head": 0.5} for row in rows], schema=SCHEMA, orient="row")


@pytest.fixture
def probability() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.clip(MASK * 0.5 + rng.uniform(0, 0.4, SHAPE), 0, 1).astype(np.float32)


def test_a_row_holds_the_sums_of_its_map_and_mask(probability: np.ndarray) -> None:
    rows = table(AnnotatedMask((encode(MASK),), "relative", SHAPE), probability)
    expected, found = mask_sums(probability, MASK), sums_of(rows)
    for name in ("above", "size", "overlap", "truth", "pixels"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    assert rows.row(0, named=True)["truth_pixels"] == MASK.sum() == 112
    assert rows.select("split", "model", "id", "patient", "row").row(0) == (
        "held_out", 1, "1.2.3", "p", 7,
    )  # fmt: skip
    np.testing.assert_allclose(unpack_map(rows["map"][0]), probability, atol=0.5 / 255 + 1e-6)


def test_an_unknown_mask_is_null_and_an_empty_one_has_no_pixel(probability: np.ndarray) -> None:
    unknown = table(None, probability).row(0, named=True)
    assert (unknown["truth_pixels"], unknown["runs"], unknown["form"]) == (None, None, None)
    empty = table(AnnotatedMask((), "relative", SHAPE), probability).row(0, named=True)
    assert (empty["truth_pixels"], empty["runs"]) == (0.0, [])


def test_a_map_that_is_no_square_is_refused() -> None:
    packed = pack_map(np.zeros((2, 3), np.float32))
    with pytest.raises(ValueError, match="a map of 6 bytes"):
        unpack_map(packed)
