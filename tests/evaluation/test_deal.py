"""tests/evaluation/test_deal.py: patients go whole to a fold, with findings spread evenly."""

import numpy as np
import pytest

from wetread.evaluation.deal import fold_of_rows

PATIENTS = [f"p{row // 4}" for row in range(400)]


def test_no_patient_is_in_two_folds_and_every_fold_has_its_share_of_findings() -> None:
    truth = np.random.default_rng(0).random((400, 2)) < [0.05, 0.2]
    fold = fold_of_rows(PATIENTS, truth.astype(float), 5, seed=1)
    assert all(len(set(fold[row : row + 4])) == 1 for row in range(0, 400, 4))
    assert np.bincount(fold).tolist() == [80] * 5
    with_finding = np.asarray(truth).reshape(100, 4, 2).max(axis=1)
    for column in range(2):
        counts = [with_finding[fold[::4] == one, column].sum() for one in range(5)]
        assert max(counts) - min(counts) <= 2


def test_the_seed_and_not_the_order_of_rows_decides() -> None:
    truth = (np.random.default_rng(0).random((400, 1)) < 0.2).astype(float)
    fold, turned = fold_of_rows(PATIENTS, truth, 3, 0), np.arange(399, -1, -1)
    other = fold_of_rows([PATIENTS[row] for row in turned], truth[turned], 3, 0)
    np.testing.assert_array_equal(other, fold[turned])
    assert (fold_of_rows(PATIENTS, truth, 3, 1) != fold).any()


@pytest.mark.parametrize("folds", [1, 3])
def test_too_few_folds_or_patients_are_refused(folds: int) -> None:
    with pytest.raises(ValueError, match="2 patients cannot fill"):
        fold_of_rows(["a", "b", "b"], np.zeros((3, 1)), folds, 0)
