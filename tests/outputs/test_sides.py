"""tests/outputs/test_sides.py: left and right at the edges of pictures, by the orientation."""

import numpy as np
import pytest

from wetread.outputs.pictures import with_letters
from wetread.outputs.sides import left_right_letters, opposite, side_label


@pytest.mark.parametrize(
    ("orientation", "said"),
    [
        ([1, 0, 0, 0, 1, 0], "R < > L"),
        ([-1, 0, 0, 0, 1, 0], "L < > R"),
        ([0, 1, 0, 0, 0, -1], "A < > P"),
        ([0.8, 0.6, 0, -0.6, 0.8, 0], "RA < > LP"),
        (None, ""),
        ([], ""),
        ([float("nan")] * 6, ""),
        ([1, 0, 0, 1, 0, 0], ""),  # no two directions
    ],
)
def test_a_line_says_what_lies_left_and_right(orientation: list[float] | None, said: str) -> None:
    assert side_label(orientation) == said
    left, right = left_right_letters(orientation)
    assert opposite(left) == right


def test_letters_stand_at_their_own_edges_and_nowhere_else() -> None:
    plain = np.full((90, 120, 3), 60, np.uint8)
    for edge, where in (
        ("left", np.s_[30:60, :40]),
        ("right", np.s_[30:60, 80:]),
        ("top", np.s_[:30, 40:80]),
        ("bottom", np.s_[60:, 40:80]),
    ):
        changed = (with_letters(plain, {edge: "R"}) != plain).any(axis=2)
        assert changed.sum() > 20
        assert changed.sum() == changed[where].sum()
    assert (with_letters(plain, {}) == plain).all()
