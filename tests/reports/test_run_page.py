"""tests/reports/test_run_page.py: which images a run's page shows as found, missed, raised."""

import numpy as np
import pytest

from wetread.labels.finding import Finding
from wetread.reports.run_page import case_groups
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
