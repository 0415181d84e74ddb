"""tests/reports/test_run_page.py: which images a run's page shows as found, missed, raised."""

import json
from pathlib import Path

import numpy as np
import pytest

from wetread.labels.finding import Finding
from wetread.reports.run_page import calibrated_on, case_groups
from wetread.training.calibration import ALTERED, FILE, VALIDATION, CalibratedOn, Calibration
from wetread.training.predictions import LevelPredictions


def predicted(*rows: tuple[float, float]) -> LevelPredictions:
    """Images of a study each, of (truth, probability)."""
    truth, probability = np.array(rows).T[..., None]
    names = tuple(f"i{number}" for number in range(len(rows)))
    order = np.arange(len(rows))
    return LevelPredictions(
        "image", "held_out", (Finding("any"),), names, names, names, order, truth, probability, {}
    )


@pytest.mark.parametrize(
    ("rows", "found", "missed"),
    [
        ([(1, 0.9), (0, 0.2), (0, 0.1)], [0], []),  # one that has it, and it is found
        ([(1, 0.5), (0, 0.52), (0, 0.51)], [], [0]),  # the same below all that have it not
        ([(1, 0.1), (1, 0.9), (0, 0.5)], [1], [0]),
        ([(1, 0.9), (1, 0.8)], [0, 1], []),  # nothing to compare with
        ([(1, p / 10) for p in range(10)], [9, 8, 7], [0, 1, 2]),
        ([(0, 0.5)], [], []),
    ],
)
def test_no_image_stands_for_what_was_found_and_for_what_was_missed(
    rows: list[tuple[float, float]], found: list[int], missed: list[int]
) -> None:
    groups = case_groups(predicted(*rows), 0)
    assert (groups["found"], groups["least sure where it is"]) == (found, missed)


def test_scores_of_phantoms_and_probabilities_of_new_studies_are_calibrated_on_their_own(
    tmp_path: Path,
) -> None:
    plain = Calibration(on=(CalibratedOn(VALIDATION, 20, 4),))
    (tmp_path / FILE).write_text(json.dumps(plain.to_dict()))
    assert list(calibrated_on(tmp_path)) == ["calibrated on"]
    altered = Calibration(on=(CalibratedOn(ALTERED, 20, 4),))
    (tmp_path / FILE).write_text(json.dumps(altered.to_dict()))
    found = calibrated_on(tmp_path)
    assert ALTERED not in found["calibrated on"]
    assert found["new studies calibrated on"] == f"{ALTERED} (20 images of 4 phantom patients)"
