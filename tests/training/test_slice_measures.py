"""tests/training/test_slice_measures.py: numbers in the scored slices of stacks, by hand."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from wetread.archive.types import Row
from wetread.evaluation.decision import MaskThresholds
from wetread.labels.rle import encode
from wetread.tasks.hemorrhage import BLOOD_VOLUME, blood_volume_ml
from wetread.training.decide import UNCALIBRATED, DecidedFinding, Decision
from wetread.training.mask_table import pack_map
from wetread.training.measures import MaskMeasure
from wetread.training.slice_measures import measure_errors, measured_stacks

SIDE, RULE = 8, MaskThresholds(0.5, 0.0, 0.5)
MM2 = 0.5 * 0.8


def stacks(*series: tuple[str, str, list[int], list[int | None], float]) -> tuple[Any, Any, Any]:
    """Store, index and one finding of series: study, series, pixels drawn and true of each slice,
    and the probability of its last one; slices lie 5 mm apart."""
    slices, images, rows = list[Row](), list[Row](), list[Row]()
    probability: list[float] = []
    for study, uid, drawn, true, highest in series:
        for z, (many, known) in enumerate(zip(drawn, true, strict=True)):
            row, name = len(slices), f"{uid}.{z}"
            slices.append(
                {"SOPInstanceUID": name, "SeriesInstanceUID": uid, "StudyInstanceUID": study,
                 "box": [0, SIDE, 0, SIDE]}
            )  # fmt: skip
            images.append(
                {"SOPInstanceUID": name, "position_mm": [0.0, 0.0, 5.0 * z], "SliceThickness": 5.0,
                 "orientation": [1.0, 0, 0, 0, 1, 0], "row_spacing_mm": 0.5,
                 "column_spacing_mm": 0.8}
            )  # fmt: skip
            flat = np.zeros(SIDE * SIDE, np.float32)
            flat[:many] = 1.0
            mask = np.zeros(SIDE * SIDE, bool)
            mask[: known or 0] = True
            rows.append(
                {"row": row, "rows": SIDE, "columns": SIDE, "form": "relative",
                 "truth_pixels": None if known is None else float(known),
                 "runs": [encode(mask.reshape(SIDE, SIDE))] if known else [],
                 "map": pack_map(flat.reshape(SIDE, SIDE))}
            )  # fmt: skip
            probability.append(highest if z == len(drawn) - 1 else 0.0)
    decided = DecidedFinding(
        pl.DataFrame(rows[::-1]),  # in whatever order
        np.zeros(len(rows)),
        np.array(probability[::-1]),
        (RULE,) * len(rows),
        Decision(RULE, UNCALIBRATED),
    )
    store = SimpleNamespace(
        slices=pl.DataFrame(slices), read_hu=lambda rows: np.zeros((len(rows), SIDE, SIDE))
    )
    return store, pl.DataFrame(images), decided


BLOOD = MaskMeasure("blood", "ml", ("blood",), blood_volume_ml)


def test_each_study_counts_once_by_the_stack_of_its_most_suspicious_slice() -> None:
    store, images, decided = stacks(
        ("a", "a1", [4, 2, 0], [2, 2, 0], 0.9),
        ("a", "a2", [9, 9], [0, 0], 0.2),  # less suspicious
        ("b", "b1", [0, 1], [3, 1], 0.5),
        ("c", "c1", [0, 0], [0, 0], 0.1),  # neither: counts for nothing
        ("d", "d1", [5, 5], [5, None], 0.8),  # a mask that is not known
    )
    errors = measure_errors({"blood": decided}, [BLOOD], store, images)
    off = np.array([2, -3]) * MM2 * 5 / 1000
    error = errors["blood"]
    assert (error.bias, error.sd, error.studies) == pytest.approx((off.mean(), off.std(ddof=1), 2))


def test_a_stack_of_which_some_slices_are_not_scored_is_left_out() -> None:
    store, _, decided = stacks(("a", "a1", [1, 1], [1, 1], 0.9), ("b", "b1", [1], [1], 0.9))
    places = measured_stacks([decided], store)
    assert [decided.rows["row"].gather(one).to_list() for one in places] == [[0, 1], [2]]
    extra = store.slices.head(1).with_columns(SOPInstanceUID=pl.lit("unlabeled"))
    store.slices = pl.concat([store.slices, extra])
    assert [len(one) for one in measured_stacks([decided], store)] == [1]


def test_a_number_of_findings_that_are_not_drawn_has_no_error() -> None:
    store, images, decided = stacks(("a", "a1", [1], [1], 0.9), ("b", "b1", [1], [2], 0.9))
    assert measure_errors({"blood": decided}, [BLOOD_VOLUME], store, images) == {}
