"""tests/study/test_distances.py: gaps are multiples of the usual distance, other distances are
irregular, each in its run of equal thickness."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetread.study.distances import measure_distances

NO_THICKNESS = np.nan


def measured(*along: float, thickness: float | list[float] = 5.0):
    along_mm = np.array(along)
    return measure_distances(along_mm, np.broadcast_to(np.array(thickness), along_mm.shape))


def test_equal_steps_have_no_gap_and_nothing_irregular() -> None:
    found = measured(0, 5, 10, 15)
    assert found.apart.tolist() == found.usual.tolist() == [5, 5, 5]
    assert (found.missing.tolist(), found.irregular) == ([0, 0, 0], ())


@pytest.mark.parametrize("thickness", [5.0, NO_THICKNESS])
def test_a_double_and_a_triple_distance_lack_one_slice_and_two(thickness: float) -> None:
    found = measured(0, 5, 15, 20, 35, 40, thickness=thickness)
    assert found.missing.tolist() == [0, 1, 0, 2, 0]
    assert found.irregular == ()


def test_a_distance_between_one_and_two_is_irregular_with_its_place() -> None:
    found = measured(0, 5, 12.2, 17.2, 22.2)
    assert found.missing.tolist() == [0, 0, 0, 0]
    assert found.irregular == ("7.20 mm after slice 1 at 5.00 mm (usual 5.00)",)


def test_small_differences_that_add_up_are_irregular_as_a_whole() -> None:
    found = measured(*np.cumsum([0] + [5.0] * 5 + [5.15] * 5))
    assert found.irregular == ("5.000 to 5.150 mm, more than 0.1 mm beside equal steps",)


def test_a_change_of_thickness_begins_a_run_of_its_own() -> None:
    found = measured(0, 5, 10, 15, 17.5, 20, thickness=[5, 5, 5, 2.5, 2.5, 2.5])
    np.testing.assert_array_equal(found.usual, [5, 5, np.nan, 2.5, 2.5])
    assert found.missing.tolist() == [0] * 5
    assert found.irregular == ("5.00, then 2.50 mm as the thickness changes",)


def test_slices_at_one_position_have_no_distance() -> None:
    found = measured(0, 5, 5, 10)
    assert found.usual.tolist() == [5, 5, 5]
    assert found.irregular == ()


@given(
    step=st.floats(0.5, 10),
    absent=st.sets(st.integers(1, 18), max_size=5),
)
def test_as_many_slices_are_missing_as_were_taken_out(step: float, absent: set[int]) -> None:
    numbers = np.array([number for number in range(20) if number not in absent])
    found = measured(*(numbers * step), thickness=step)
    assert found.missing.sum() == len(absent)
    assert (found.missing == np.diff(numbers) - 1).all()
    assert found.irregular == ()
