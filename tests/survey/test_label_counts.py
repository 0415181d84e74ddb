"""tests/survey/test_label_counts.py: labels counted, against counting by hand."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetread.evaluation.group_rules import GroupRule, exclusive_rules, union_rules
from wetread.labels.table import EXAM_SCHEMA, LABEL_SCHEMA, LabelTable, label_table
from wetread.survey.label_counts import (
    BANDS,
    broken_rules,
    co_occurrence,
    count_labels,
    positive_places,
    unit_shares,
)

Index = Callable[..., pl.DataFrame]


def table(*rows: tuple[str, str, str, float | None]) -> LabelTable:
    return label_table(pl.DataFrame(rows, schema=LABEL_SCHEMA, orient="row"))


def test_positive_negative_and_unknown_are_three_things() -> None:
    labels = table(
        ("image", "a", "any", 1.0), ("image", "b", "any", 0.0), ("image", "c", "any", None),
        ("study", "s", "any", 0.7),
    )  # fmt: skip
    rows = count_labels(labels).rows()
    assert rows == [("image", "any", 1, 1, 1, 0.5), ("study", "any", 1, 0, 0, 1.0)]


def test_one_set_has_as_many_shares_of_positives_as_units(index_rows: Index) -> None:
    """5.7 % of label rows, 14.3 % of images, 40.8 % of studies were "the share" of one set."""
    images = index_rows(
        *({"StudyInstanceUID": f"study-{number // 2}"} for number in range(8))
    ).with_columns(patient=pl.col("StudyInstanceUID").replace({"study-1": "study-0"}))
    labels = table(
        *(("image", f"image-{n}", "any", float(n == 0)) for n in range(8)),
        *(("image", f"image-{n}", "rare", 0.0) for n in range(8)),
    )
    shares = {
        (finding, unit): (positive, known)
        for finding, unit, positive, known, _ in unit_shares(labels, images).iter_rows()
    }
    assert shares["all findings", "label row"] == (1, 16)
    assert shares["any", "image"] == (1, 8)
    assert shares["any", "study"] == (1, 4)
    assert shares["any", "patient"] == (1, 3)
    assert shares["rare", "study"] == (0, 4)


@given(st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=1, max_size=20))
def test_co_occurrence_is_the_matrix_product_of_the_labels(drawn: list[list[bool]]) -> None:
    names = ("a", "b", "c")
    labels = table(
        *(
            ("image", str(number), name, float(value))
            for number, row in enumerate(drawn)
            for name, value in zip(names, row, strict=True)
        )
    )
    has = np.array(drawn, np.int64)
    found = co_occurrence(labels, "image").select(names).to_numpy()
    np.testing.assert_array_equal(found, has.T @ has)


def test_places_are_shares_of_the_series_and_not_numbers_of_slices(index_rows: Index) -> None:
    images = index_rows(
        *(
            {"SeriesInstanceUID": "s", "StudyInstanceUID": "t", "position_mm": [0.0, 0.0, -5.0 * n],
             "orientation": [1.0, 0, 0, 0, 1.0, 0]}
            for n in range(BANDS)
        )
    )  # fmt: skip
    labels = table(*(("image", f"image-{n}", "any", float(n < 5)) for n in range(BANDS)))
    places = positive_places(labels, images)
    assert places["known"].sum() == BANDS
    high = places.filter(pl.col("band") >= BANDS - 6)
    assert places["positive"].sum() == high["positive"].sum() == 5  # the first file is the highest


def test_a_series_of_one_slice_has_no_place(index_rows: Index) -> None:
    labels = table(("image", "image-0", "any", 1.0))
    assert positive_places(labels, index_rows({})).is_empty()


@pytest.mark.parametrize(
    ("values", "broken"),
    [
        ({"any": 0.0, "left": 1.0, "right": 0.0}, {"part_without_any"}),
        ({"any": 1.0, "left": 0.0, "right": 0.0}, {"any_without_part"}),
        ({"any": 1.0, "left": 1.0, "right": 0.0}, set()),
        ({"any": 1.0, "left": None, "right": 0.0}, set()),  # unknown, it may be there
        ({"any": 0.0, "left": None, "right": 0.0}, set()),
    ],
)
def test_a_union_and_its_parts_contradict_each_other(
    values: dict[str, float | None], broken: set[str]
) -> None:
    labels = table(*(("image", "i", name, value) for name, value in values.items()))
    found = broken_rules(labels, union_rules("any", ("left", "right")))
    assert set(found["rule"]) == broken
    assert set(found["level"]) <= {"image"}


def test_exactly_one_of_a_group_is_present() -> None:
    rows = {"both": (1.0, 1.0), "none": (0.0, 0.0), "one": (1.0, 0.0), "half": (0.0, None)}
    labels = table(
        *(("study", study, name, value) for study, pair in rows.items()
          for name, value in zip(("a", "b"), pair, strict=True))
    )  # fmt: skip
    assert set(broken_rules(labels, exclusive_rules([["a", "b"]]))["id"]) == {"both", "none"}


def test_rules_of_studies_with_a_positive_image_ask_the_images_first_and_then_the_headline() -> (
    None
):
    rule = GroupRule("side", "no side", ("left", "right"), with_image=True, least=1)
    sides = [
        ("study", study, side, 0.0) for study in ("by-image", "by-headline", "clean")
        for side in ("left", "right")
    ]  # fmt: skip
    labels = table(
        *sides, ("image", "i", "pe", 1.0), ("study", "by-headline", "positive", 1.0),
        ("study", "clean", "positive", 0.0),
    )  # fmt: skip
    exams = pl.DataFrame([("i", "s", "by-image")], schema=EXAM_SCHEMA, orient="row")
    labels = LabelTable(labels.frame, labels.conflicts, 0, exams=exams)
    found = broken_rules(labels, [rule], "positive")
    assert set(found["id"]) == {"by-image", "by-headline"}
