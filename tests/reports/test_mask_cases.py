"""tests/reports/test_mask_cases.py: which images a run's page shows as found, missed, raised."""

import numpy as np
import pytest

from wetread.labels.finding import Finding
from wetread.pages.panel import Panel
from wetread.reports.run_page import case_groups
from wetread.reports.slice_panels import PanelSettings, slice_panels
from wetread.training.predictions import LevelPredictions
from wetread.view.window import BONE, BRAIN


def predicted(*rows: tuple[float, float]) -> LevelPredictions:
    """Images of a study each, of (truth, probability)."""
    truth, said = np.array(rows).T[..., None]
    names = tuple(f"i{number}" for number in range(len(rows)))
    order = np.arange(len(rows))
    return LevelPredictions(
        "image", "held_out", (Finding("any"),), names, names, names, order, truth, said, {}
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
    assert (groups["found"], groups["missed"]) == (found, missed)


def test_a_slice_in_which_nothing_glows_says_so() -> None:
    hu = np.zeros((16, 16), np.float32)
    shown = PanelSettings(
        (BRAIN, BONE), "any", "image x", no_glow="no glow: nothing in it speaks for any"
    )

    def labels(panels: tuple[Panel, ...]) -> list[str]:
        return [panel.label for panel in panels]

    first, last = labels(slice_panels(hu, None, shown))
    assert last.endswith("; no glow: nothing in it speaks for any")
    assert "glow" not in first
    glowing = labels(slice_panels(hu, np.ones((4, 4), np.float32), shown))
    assert len(glowing) == 3
    assert not any("no glow" in label for label in glowing)
