"""tests/training/test_folds.py: patients stay whole, labels are dealt evenly, and it is proven."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wetread.training.folds import FoldPlan, make_folds, make_split


def cohort(seed: int, patients: int, findings: int = 3) -> tuple[list[str], np.ndarray]:
    """1 to 30 slices a patient in mixed order, about a third of patients with each finding."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 31, patients)
    ids = np.repeat([f"p{i}" for i in range(patients)], counts)
    sick = np.repeat(rng.random((patients, findings)) < [0.4, 0.2, 0.1][:findings], counts, 0)
    truth = (sick & (rng.random(sick.shape) < 0.5)).astype(float)
    truth[rng.random(truth.shape) < 0.05] = np.nan
    order = rng.permutation(len(ids))
    return ids[order].tolist(), truth[order]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 9999), st.integers(2, 6), st.integers(0, 40))
def test_no_patient_is_in_two_folds_and_none_is_lost(seed: int, folds: int, more: int) -> None:
    patients, truth = cohort(seed, folds + more)
    plan = make_folds(patients, truth, folds, seed)
    masks = np.stack([plan.mask(part, patients) for part in plan.parts])
    assert (masks.sum(0) == 1).all()
    members = [{p for p, inside in zip(patients, m, strict=True) if inside} for m in masks]
    assert all(members)
    assert sum(map(len, members)) == len(set(patients)) == len(plan.assignment)
    assert plan.proof["shared_patients"] == 0


@given(st.integers(0, 9999))
@settings(max_examples=20, deadline=None)
def test_folds_differ_by_at_most_a_patient_or_two_in_each_finding(seed: int) -> None:
    patients, truth = cohort(seed, 90)
    plan = make_folds(patients, truth, 3, seed)
    ids = np.array(patients)
    for finding in range(3):
        counts = [
            len(set(ids[plan.mask(part, patients) & (truth[:, finding] > 0.5)]))
            for part in plan.parts
        ]
        assert max(counts) - min(counts) <= 4
    slices = [plan.proof["parts"][part]["slices"] for part in plan.parts]
    assert max(slices) - min(slices) < 0.1 * len(patients)


def test_a_finding_of_three_patients_is_in_each_of_three_folds() -> None:
    patients = [f"p{i}" for i in range(30)]
    truth = np.zeros((30, 2))
    truth[:15, 0] = 1
    truth[[3, 8, 20], 1] = 1
    plan = make_folds(patients, truth, 3, 0, ["common", "rare"])
    assert len({plan.assignment[f"p{i}"] for i in (3, 8, 20)}) == 3
    shares = [plan.proof["parts"][p]["positive_patient_share"] for p in plan.parts]
    assert [s["rare"] for s in shares] == pytest.approx([0.1] * 3)
    assert [s["common"] for s in shares] == pytest.approx([0.5] * 3)


def test_a_split_has_the_shares_asked_for() -> None:
    patients, truth = cohort(1, 200)
    shares = {"train": 0.7, "validation": 0.1, "held_out": 0.2}
    plan = make_split(patients, truth, shares, 0)
    for part, share in shares.items():
        assert plan.mask(part, patients).mean() == pytest.approx(share, abs=0.03)


def test_the_seed_decides_and_the_order_of_slices_does_not() -> None:
    patients, truth = cohort(2, 50)
    plan = make_folds(patients, truth, 5, 4)
    turned = make_folds(patients[::-1], truth[::-1], 5, 4)
    assert plan.assignment == turned.assignment
    assert plan.assignment != make_folds(patients, truth, 5, 5).assignment


def test_a_plan_survives_json() -> None:
    patients, truth = cohort(3, 12)
    plan = make_folds(patients, truth, 2, 0, ["a", "b", "c"])
    again = FoldPlan.from_dict(json.loads(json.dumps(plan.to_dict())))
    assert again.to_dict() == plan.to_dict()
    np.testing.assert_array_equal(again.mask("1", patients), plan.mask("1", patients))


def test_the_proof_counts_a_patient_that_was_dealt_twice() -> None:
    from wetread.training.folds import prove

    class TwoFaced(dict[str, str]):
        """A broken assignment: b is now in one part, now in the other."""

        def __getitem__(self, patient: str) -> str:
            if patient == "b":
                self["turn"] = "1" if self.get("turn") == "0" else "0"
                return self.get("turn", "0")
            return super().__getitem__(patient)

    plan = TwoFaced({"a": "0", "b": "0", "c": "1"})
    proof = prove(plan, ("0", "1"), ["a", "b", "b", "c"], np.zeros((4, 1), bool), ["x"])
    assert proof["shared_patients"] == 1


def test_more_parts_than_patients_are_refused_with_both_counts() -> None:
    with pytest.raises(ValueError, match="2 patients cannot fill 3 parts"):
        make_folds(["a", "b", "b"], np.zeros((3, 1)), 3, 0)


def test_one_fold_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2 folds, not 1"):
        make_folds(["a", "b"], np.zeros((2, 1)), 1, 0)


def test_a_part_without_a_share_is_refused() -> None:
    with pytest.raises(ValueError, match="share above 0"):
        make_split(["a", "b"], np.zeros((2, 1)), {"train": 1.0, "held_out": 0.0}, 0)
