"""tests/pages/test_abstention_chart.py: the curves by their names, as one SVG element."""

import numpy as np

from wetread.evaluation.abstention import abstention_curves, judge_rows
from wetread.pages.abstention_chart import abstention_chart


def test_every_curve_is_drawn_and_named() -> None:
    rng = np.random.default_rng(0)
    predicted = rng.random(60)
    truth = (rng.random(60) < predicted).astype(float)
    names = [str(row) for row in range(60)]
    both = abstention_chart(abstention_curves(judge_rows(truth, predicted, names, rng.random(60))))
    alone = abstention_chart(abstention_curves(judge_rows(truth, predicted, names)))
    assert both.startswith("<svg")
    assert both.count("<svg") == 1
    for words in ("nearest to 0.5 left out first", "left out at random"):
        assert words in both
        assert words in alone
    assert "largest disagreement left out first" in both
    assert "disagreement" not in alone
