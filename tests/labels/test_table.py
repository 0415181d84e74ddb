"""tests/labels/test_table.py: duplicates, conflicts, and how labels meet images."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wetread.labels.finding import Finding
from wetread.labels.table import (
    LABEL_SCHEMA,
    MASK_SCHEMA,
    LabelError,
    LabelTable,
    label_table,
    match,
    merge_labels,
)

A, B = Finding("a"), Finding("b")


def table(*rows: tuple[str, str, float | None]) -> LabelTable:
    frame = pl.DataFrame([("image", *row) for row in rows], schema=LABEL_SCHEMA, orient="row")
    return label_table(frame)


def test_equal_duplicates_are_dropped_and_counted() -> None:
    labels = table(("x", "a", 1.0), ("y", "a", 0.0), ("x", "a", 1.0), ("x", "a", 1.0))
    assert labels.frame.rows() == [("image", "x", "a", 1.0), ("image", "y", "a", 0.0)]
    assert labels.duplicates == 2
    assert labels.conflicts.is_empty()


def test_unequal_duplicates_become_unknown_and_are_listed_with_their_values() -> None:
    labels = table(("x", "a", 1.0), ("y", "a", 0.0), ("x", "a", 0.0))
    assert labels.frame.rows() == [("image", "x", "a", None), ("image", "y", "a", 0.0)]
    assert labels.conflicts.rows() == [("image", "x", "a", [1.0, 0.0])]
    assert labels.duplicates == 0


def test_a_known_value_beside_an_unknown_one_stands() -> None:
    labels = table(("x", "a", None), ("x", "a", 1.0))
    assert labels.frame["value"].to_list() == [1.0]
    assert labels.conflicts.is_empty()


def test_unknown_and_unlisted_labels_are_nan_in_the_matrix_never_zero() -> None:
    labels = table(("x", "a", 1.0), ("x", "b", None), ("y", "b", 0.25))
    values = labels.matrix(["y", "x", "stranger"], (B, A))
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, [[0.25, np.nan], [np.nan, 1.0], [np.nan, np.nan]])


def test_an_id_asked_for_twice_gets_its_row_twice() -> None:
    np.testing.assert_array_equal(table(("x", "a", 1.0)).matrix(["x", "x"], (A,)), [[1.0], [1.0]])


def test_a_finding_of_another_level_is_another_label() -> None:
    study = Finding("a", level="study")
    assert np.isnan(table(("x", "a", 1.0)).matrix(["x"], (study,))).all()


def test_the_float64_matrix_keeps_every_digit() -> None:
    value = 1 - 1e-12
    assert table(("x", "a", value)).matrix_float64(["x"], (A,))[0, 0] == value


def test_match_counts_images_without_label_and_labels_without_image() -> None:
    labels = table(("x", "a", 1.0), ("y", "a", None), ("z", "a", 0.0), ("w", "a", 0.0))
    met = match(labels, ["x", "y", "new", "x"])
    assert (met.labeled, met.images_without_label, met.labels_without_image) == (1, 2, 2)


def test_merging_counts_what_two_files_say_alike() -> None:
    merged = merge_labels(
        [table(("x", "a", 1.0), ("x", "a", 1.0)), table(("x", "a", 1.0), ("y", "a", 0.0))]
    )
    assert merged.frame.height == 2
    assert merged.duplicates == 2


def test_what_one_file_contradicts_in_itself_no_other_file_settles() -> None:
    torn = table(("x", "a", 1.0), ("x", "a", 0.0), ("y", "a", 1.0))
    merged = merge_labels([torn, table(("x", "a", 1.0))])
    assert merged.frame.rows() == [("image", "x", "a", None), ("image", "y", "a", 1.0)]
    assert merged.conflicts.height == 1


def test_files_that_contradict_each_other_are_a_conflict() -> None:
    merged = merge_labels([table(("x", "a", 1.0)), table(("x", "a", 0.0))])
    assert merged.frame["value"].to_list() == [None]
    assert merged.conflicts["values"].to_list() == [[1.0, 0.0]]


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["x", "y", "_", "x "]),
        st.sampled_from(["a", "b"]),
        st.sampled_from([None, 0.0, 0.5, 1.0]),
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(ROWS)
def test_duplicates_and_conflicts_agree_with_a_plain_dictionary(
    rows: list[tuple[str, str, float | None]],
) -> None:
    said: dict[tuple[str, str], list[float | None]] = {}
    for row_id, finding, value in rows:
        said.setdefault((row_id, finding), []).append(value)
    labels = table(*rows)
    known = {key: {v for v in values if v is not None} for key, values in said.items()}
    expected = [
        ("image", *key, next(iter(values)) if len(values) == 1 else None)
        for key, values in known.items()
    ]
    assert labels.frame.rows() == expected
    assert {row[1:3] for row in labels.conflicts.rows()} == {
        key for key, values in known.items() if len(values) > 1
    }
    assert labels.duplicates == sum(
        len(values) - 1 for key, values in said.items() if len(known[key]) < 2
    )


@pytest.mark.parametrize("tables", [[], [table()]])
def test_no_labels_are_an_empty_table(tables: list[LabelTable]) -> None:
    merged = merge_labels(tables)
    assert merged.frame.is_empty()
    assert merged.matrix(["x"], (A,)).shape == (1, 1)


def masked(*rows: tuple[str, float | None, list[str] | None], form: str = "relative") -> LabelTable:
    """Labels of finding a: (id, value, runs), runs None where the mask is unknown."""
    masks = [(name, "a", form, runs) for name, _, runs in rows if runs is not None]
    return replace(
        table(*((name, "a", value) for name, value, _ in rows)),
        masks=pl.DataFrame(masks, schema=MASK_SCHEMA, orient="row"),
    )


def test_labels_without_masks_have_an_empty_table_of_masks() -> None:
    for labels in (table(("x", "a", 1.0)), merge_labels([]), merge_labels([table(), table()])):
        assert labels.masks.is_empty()
        assert labels.masks.schema == pl.Schema(MASK_SCHEMA)


def test_merging_keeps_three_kinds_of_knowledge_apart() -> None:
    with_masks = masked(("mask", 1.0, ["0 3"]), ("none", 0.0, []))
    image_labels = table(("mask", "a", 1.0), ("none", "a", 0.0), ("only label", "a", 1.0))
    for order in ([with_masks, image_labels], [image_labels, with_masks]):
        merged = merge_labels(order)
        assert dict(merged.frame.select("id", "value").rows()) == {
            "mask": 1.0, "none": 0.0, "only label": 1.0,
        }  # fmt: skip
        assert merged.masks.select("id", "runs").rows() == [("mask", ["0 3"]), ("none", [])]


def test_masks_of_one_image_in_two_files_are_united_and_equal_texts_kept_once() -> None:
    merged = merge_labels([masked(("x", 1.0, ["0 3", "5 1"])), masked(("x", 1.0, ["5 1", "9 9"]))])
    assert merged.masks["runs"].to_list() == [["0 3", "5 1", "9 9"]]


def test_a_mask_in_one_file_and_none_in_another_is_a_conflict_and_no_known_mask() -> None:
    for others in (masked(("x", 0.0, [])), table(("x", "a", 0.0))):
        merged = merge_labels([masked(("x", 1.0, ["0 3"]), ("y", 1.0, ["0 1"])), others])
        assert merged.frame.rows() == [("image", "x", "a", None), ("image", "y", "a", 1.0)]
        assert merged.conflicts["values"].to_list() == [[1.0, 0.0]]
        assert merged.masks["id"].to_list() == ["y"]


def test_an_empty_mask_has_every_form_and_runs_of_two_forms_are_refused() -> None:
    empty = masked(("x", 0.0, []), form="coco")
    merged = merge_labels([empty, masked(("x", 0.0, []), ("y", 1.0, ["1 1"]), form="rows_1")])
    assert merged.masks.height == 2
    with pytest.raises(LabelError, match=r"mask of a in y .* two run-length forms"):
        merge_labels([merged, masked(("y", 1.0, ["1 1"]))])
