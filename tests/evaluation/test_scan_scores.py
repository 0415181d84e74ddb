"""tests/evaluation/test_scan_scores.py: masks of scans to scores, by hand."""

import numpy as np
import pytest

from wetread.evaluation.scan_scores import scan_scores
from wetread.evaluation.score import Score
from wetread.evaluation.volume_masks import VolumeMaskScore

FULL = VolumeMaskScore(0.8, 0.9, 10.0, 12.0, lesions=3, lesions_found=2, false_lesions=1)
POOR = VolumeMaskScore(0.2, 0.3, 4.0, 1.0, lesions=1, lesions_found=0, false_lesions=0)
EMPTY = VolumeMaskScore(0.0, 0.0, 0.0, 2.0, lesions=0, lesions_found=0, false_lesions=4)


def scored(scans: list[VolumeMaskScore], patients: list[str]) -> dict[str, Score]:
    found = scan_scores(
        scans, patients, finding="clot", split="given_data", rng=np.random.default_rng(0)
    )
    return {one.metric: one for one in found}


def test_lesions_are_counted_over_all_scans_and_the_rest_is_a_mean() -> None:
    found = scored([FULL, POOR, EMPTY], ["a", "b", "c"])
    value = {name: one.value for name, one in found.items()}
    assert value == pytest.approx(
        {
            "dice": 1 / 3, "dice_all_empty": 1 / 3, "surface_dice": 0.4, "lesion_recall": 0.5,
            "false_lesions": 5 / 3, "truth_ml": 14 / 3, "drawn_ml": 5.0,
            "volume_difference_ml": 1 / 3,
        }
    )  # fmt: skip
    assert (found["dice"].patients, found["dice"].positives) == (3, 2)
    assert found["dice"].low == 0.0
    assert found["dice"].high == pytest.approx(0.8)


def test_one_patient_has_no_interval_and_no_lesion_no_recall() -> None:
    found = scored([EMPTY], ["a"])
    assert found["lesion_recall"].value is None
    assert found["lesion_recall"].reason == "no lesion in any scan"
    assert found["dice"].reason == "no interval: one patient"
