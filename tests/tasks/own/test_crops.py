"""tests/tasks/own/test_crops.py: crops by name are those of the package's own tasks."""

import numpy as np

from wetread.anatomy.chest_box import find_chest_boxes
from wetread.tasks.own.crops import CT_CROPS, FILM_CROPS


def test_lungs_and_heart_are_the_boxes_of_an_angiogram() -> None:
    hu = np.full((40, 64, 64), -1000, np.float32)
    hu[:, 8:56, 6:58] = 40
    for columns in (slice(10, 26), slice(38, 54)):
        hu[5:35, 16:48, columns] = -800
    lungs, heart = find_chest_boxes(hu)
    assert CT_CROPS["lungs"](hu) == lungs
    assert CT_CROPS["heart"](hu) == heart
    assert lungs != CT_CROPS["picture"](hu) == FILM_CROPS["picture"](hu)
