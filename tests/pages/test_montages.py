"""tests/pages/test_montages.py: panels keep their pixels, their order and their words."""

import numpy as np

from wetread.outputs.pictures import GAP, LINE
from wetread.pages.montages import MontagePanel, montage_grid

RED = np.zeros((20, 30, 3), np.uint8)
RED[..., 0] = 250
GREY = np.full((20, 30), 90, np.uint8)


def test_grey_panels_stay_grey_and_stand_in_reading_order() -> None:
    panels = [MontagePanel(np.full((20, 30), grey, np.uint8), ()) for grey in (10, 20, 30)]
    whole = montage_grid(panels, columns=2)
    below = 20 + 6 + GAP  # a picture, its empty strip, the gap
    assert whole.shape == (2 * (20 + 6) + GAP, 60 + GAP)
    assert (whole[0, 0], whole[0, 30 + GAP], whole[below, 0]) == (10, 20, 30)


def test_grey_beside_colour_is_grey_and_colour_is_blue_first() -> None:
    whole = montage_grid([MontagePanel(RED, ("a",)), MontagePanel(GREY, ())], columns=2)
    assert whole[5, 5].tolist() == [0, 0, 250]
    assert whole[5, 30 + GAP + 5].tolist() == [90, 90, 90]


def test_a_smaller_picture_stands_in_the_middle_of_its_cell() -> None:
    whole = montage_grid(
        [MontagePanel(GREY, ()), MontagePanel(np.full((10, 10), 200, np.uint8), ())], columns=2
    )
    second = whole[:20, 30 + GAP :]
    assert (second == 200).sum() == 100
    assert (second[5:15, 10:20] == 200).all()


def test_a_panel_without_a_picture_is_black_above_its_words() -> None:
    whole = montage_grid(
        [MontagePanel(GREY, ("slice 1",)), MontagePanel(None, ("cannot be read",))], columns=2
    )
    assert whole.shape == (20 + LINE + 6, 60 + GAP)
    assert not whole[:20, 30 + GAP :].any()
    assert whole[20:, 30 + GAP :].max() > 100
    assert montage_grid([MontagePanel(None, ("nothing at all",))], columns=1).max() > 150
