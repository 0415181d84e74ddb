"""tests/training/test_data.py: splits share no patient, and neighbors are smoothed alone."""

from dataclasses import replace

import numpy as np
import pytest

from wetread.labels.finding import Finding
from wetread.training.data import LabeledSlices, mirror_columns, plan_splits


def patients_of(data: LabeledSlices, places: np.ndarray) -> set[str]:
    everyone = data.column("patient")
    return {everyone[place] for place in places}


@pytest.mark.parametrize("folds", [0, 2, 5])
def test_no_patient_is_in_two_parts_of_a_split_and_every_one_is_scored_once(
    data: LabeledSlices, folds: int
) -> None:
    plan, splits = plan_splits(data, folds, seed=3)
    assert plan.proof["shared_patients"] == 0
    assert len(splits) == max(folds, 1)
    for split in splits:
        parts = [patients_of(data, p) for p in (split.train, split.validation, split.scored)]
        assert sum(map(len, parts)) == len(set.union(*parts)) == 10
        assert parts[0]
        assert parts[2]
    scored = np.concatenate([split.scored for split in splits])
    assert len(np.unique(scored)) == len(scored)
    if folds:
        assert len(scored) == len(data.rows)
        assert {split.name for split in splits} == {"out_of_fold"}


def test_with_few_patients_nothing_is_held_back_to_choose_an_epoch(data: LabeledSlices) -> None:
    few = replace(data, rows=data.rows[:120], truth=data.truth[:120])  # 5 patients
    _, splits = plan_splits(few, 5, seed=0)
    assert all(len(split.validation) == 0 for split in splits)
    assert all(len(patients_of(few, split.train)) == 4 for split in splits)


def test_mirror_columns_name_each_findings_twin() -> None:
    left, right = Finding("left", mirror="right"), Finding("right", mirror="left")
    findings = (Finding("any"), left, right)
    assert mirror_columns(findings).tolist() == [0, 2, 1]


def test_probabilities_are_smoothed_along_a_series_and_not_into_the_next(
    data: LabeledSlices,
) -> None:
    """Weights 1-2-1 within 12 slices a series; at an end the neighbor that is there counts."""
    probability = np.zeros((24, 1))
    probability[11] = 0.8  # the last slice of the first series
    smoothed = data.smooth(probability, np.arange(24))
    assert smoothed[11, 0] > smoothed[10, 0] > 0
    assert not smoothed[:10].any()
    assert not smoothed[12:].any()


def test_patients_are_dealt_in_the_order_of_the_store_where_it_has_one(
    data: LabeledSlices,
) -> None:
    assert data.order() == []
    patients = data.store.slices["patient"]
    number = patients.str.strip_prefix("p").cast(int)
    slices = data.store.slices.with_columns(patient_order=9 - number)
    data.store.slices = slices  # type: ignore[misc]
    assert data.order() == [f"p{n}" for n in range(9, -1, -1)]
