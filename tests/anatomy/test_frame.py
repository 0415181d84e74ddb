"""tests/anatomy/test_frame.py: arrays are turned to head, back and left, and back again."""

from itertools import permutations, product

import numpy as np
import pytest

from wetread.anatomy.frame import PatientFrame, patient_frame
from wetread.study.placement import SlicePlacement
from wetread.study.stack import StackError
from wetread.study.volume import Volume

TURNS = [
    PatientFrame(order, flipped, (1.0, 1.0, 1.0))  # type: ignore[arg-type]
    for order in permutations(range(3))
    for flipped in product((False, True), repeat=3)
]


@pytest.mark.parametrize("frame", TURNS)
def test_a_turn_and_its_return_are_the_array(frame: PatientFrame) -> None:
    array = np.arange(24).reshape(2, 3, 4)
    turned = frame.to_patient(array)
    assert turned.shape == tuple(array.shape[axis] for axis in frame.order)
    assert np.array_equal(frame.from_patient(turned), array)


def volume(orientation: list[float], step: list[float]) -> Volume:
    """Three slices of 4 x 5 pixels of 2 x 3 mm whose origins go by step, mm LPS."""
    origins = np.arange(3)[:, None] * np.array(step)
    place = SlicePlacement(origins, np.array(orientation), (2.0, 3.0), np.full(3, 1.0))
    hu = np.zeros((3, 4, 5), np.float32)
    return Volume(hu, place, ("a", "b", "c"), (), np.arange(3.0))


def test_an_axial_stack_from_the_feet_up_lies_in_the_frame() -> None:
    frame = patient_frame(volume([1, 0, 0, 0, 1, 0], [0, 0, 7.0]))
    assert (frame.order, frame.flipped) == ((0, 1, 2), (False, False, False))
    assert frame.spacing_mm == (7.0, 2.0, 3.0)


def test_a_stack_from_the_head_down_is_flipped() -> None:
    frame = patient_frame(volume([1, 0, 0, 0, 1, 0], [0, 0, -7.0]))
    assert (frame.order, frame.flipped) == ((0, 1, 2), (True, False, False))


def test_a_prone_patient_is_turned_to_the_same_left_and_back() -> None:
    frame = patient_frame(volume([-1, 0, 0, 0, -1, 0], [0, 0, 7.0]))
    assert frame.flipped == (False, True, True)


def test_a_sagittal_stack_gives_its_slices_to_the_left() -> None:
    frame = patient_frame(volume([0, 1, 0, 0, 0, -1], [7.0, 0, 0]))
    assert (frame.order, frame.flipped) == ((1, 2, 0), (True, False, False))
    assert frame.spacing_mm == (2.0, 3.0, 7.0)


def test_uneven_slices_have_no_frame() -> None:
    uneven = volume([1, 0, 0, 0, 1, 0], [0, 0, 7.0])
    uneven.place.origins_mm[2] = [0, 0, 50.0]
    with pytest.raises(StackError):
        patient_frame(uneven)
