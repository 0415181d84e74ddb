"""tests/training/test_data_digests.py: equal data, equal digests, however patients are called."""

import polars as pl
import pytest

from wetread.labels.table import label_table
from wetread.training.data_digests import digest_data

SLICES = pl.DataFrame(
    {
        "SOPInstanceUID": ["i1", "i2", "i3", "i4"],
        "patient": ["p", "p", "q", "r"],
        "digest": ["d1", "d2", "d3", "d4"],
    }
)
LABELS = pl.DataFrame(
    {"level": "image", "id": ["i1", "i2", "i3"], "finding": "any", "value": [1.0, 0.0, None]}
)
DEALT = {"p": "train", "q": "held_out"}  # r has no label


def digests(
    slices: pl.DataFrame = SLICES, labels: pl.DataFrame = LABELS, **dealt: str
) -> dict[str, str | None]:
    return digest_data(slices, label_table(labels), {**DEALT, **dealt})


def test_neither_the_order_of_rows_nor_the_names_of_patients_count() -> None:
    renamed = SLICES.with_columns(pl.col("patient").replace({"p": "x", "q": "y"}))
    other = digest_data(
        renamed.reverse(), label_table(LABELS.reverse()), {"x": "train", "y": "held_out"}
    )
    assert other == digests()


@pytest.mark.parametrize(
    ("changed", "kinds"),
    [
        ({"slices": SLICES.head(3)}, {"images", "pixels", "patients", "folds"}),
        ({"slices": SLICES.with_columns(digest=pl.lit("d"))}, {"pixels"}),
        ({"slices": SLICES.with_columns(patient=pl.lit("p"))}, {"patients", "folds"}),
        ({"labels": LABELS.with_columns(value=pl.lit(1.0))}, {"labels"}),
        ({"q": "train"}, {"folds"}),
    ],
)
def test_what_changed_has_another_digest_and_the_rest_the_same(changed, kinds) -> None:
    before, now = digests(), digests(**changed)
    assert {name for name in before if before[name] != now[name]} == kinds


def test_pixels_that_are_not_known_have_none() -> None:
    assert digests(SLICES.drop("digest"))["pixels"] is None
