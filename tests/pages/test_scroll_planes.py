"""tests/pages/test_scroll_planes.py: which planes can be made, how they lie, and why not."""

import numpy as np
import pytest

from wetread.pages.scroll_planes import describe_planes
from wetread.study.placement import SlicePlacement

AXIAL = (1.0, 0, 0, 0, 1, 0)


def place(
    origins: np.ndarray,
    orientation: tuple[float, ...] = AXIAL,
    spacing: tuple[float, float] = (2.0, 1.0),
) -> SlicePlacement:
    return SlicePlacement(origins, np.array(orientation), spacing, np.full(len(origins), np.nan))


def along_z(*positions: float) -> np.ndarray:
    return np.array([(-20.0, 30.0, z) for z in positions])


def ways(told: dict[str, object]) -> dict[str, tuple[object, ...]]:
    made = told["made"]
    assert isinstance(made, list)
    return {one["name"]: (one["across"], one["down"], one["through"]) for one in made}


@pytest.mark.parametrize("positions", [(10.0, 5, 0), (0.0, 5, 10)])
def test_of_axial_slices_coronal_and_sagittal_stand_head_up(positions: tuple[float, ...]) -> None:
    told = describe_planes(place(along_z(*positions)), (3, 8, 6))
    assert (told["acquired"], told["notes"], told["step"]) == ("axial", [], 5.0)
    assert ways(told) == {
        "coronal": ([0, 1], [2, -1], [1, 1]),
        "sagittal": ([1, 1], [2, -1], [0, 1]),
    }
    letters = {one["name"]: one["letters"] for one in told["made"]}
    assert letters["coronal"] == {"left": "R", "right": "L", "top": "H", "bottom": "F"}
    assert letters["sagittal"] == {"left": "A", "right": "P", "top": "H", "bottom": "F"}


def test_of_sagittal_slices_axial_is_seen_from_the_feet_and_coronal_from_the_front() -> None:
    origins = np.array([(x, 0.0, 0.0) for x in (-4.0, 0, 4)])
    told = describe_planes(place(origins, (0, 1, 0, 0, 0, -1)), (3, 8, 6))
    assert told["acquired"] == "sagittal"
    assert ways(told)["axial"] == ([2, -1], [0, 1], [1, 1])  # the normal runs to the right
    letters = {one["name"]: one["letters"] for one in told["made"]}
    assert letters["axial"] == {"left": "R", "right": "L", "top": "A", "bottom": "P"}
    assert letters["coronal"] == {"left": "R", "right": "L", "top": "H", "bottom": "F"}


def test_a_prone_patient_stands_head_up_and_with_the_right_on_the_left() -> None:
    told = describe_planes(place(along_z(0, 5), (-1, 0, 0, 0, -1, 0)), (2, 8, 6))
    assert ways(told) == {
        "coronal": ([0, -1], [2, -1], [1, -1]),
        "sagittal": ([1, -1], [2, -1], [0, -1]),
    }


def test_a_tilted_gantry_is_said_and_its_shear_is_kept() -> None:
    turn = np.radians(18.5)
    tilted = (1.0, 0, 0, 0, np.cos(turn), -np.sin(turn))
    told = describe_planes(place(along_z(0, 5, 10), tilted), (3, 8, 6))
    assert told["notes"] == [
        "gantry tilt of 18.5°: each slice is shown where it lies",
        "the planes follow the slices, which lean by 18.5°",
    ]
    offsets = np.array(told["offsets"])
    np.testing.assert_allclose(np.diff(offsets[:, 2]), 5 * np.cos(turn))
    np.testing.assert_allclose(np.diff(offsets[:, 1]), -5 * np.sin(turn))


def test_uneven_steps_are_said() -> None:
    told = describe_planes(place(along_z(0, 5, 10, 25)), (4, 8, 6))
    assert told["notes"] == ["uneven steps of 5 to 15 mm; gaps are dark"]


@pytest.mark.parametrize(
    ("where", "slices", "why"),
    [
        (place(np.full((3, 3), np.nan)), 3, "do not say where"),
        (place(along_z(0, 5), spacing=(np.nan, np.nan)), 2, "do not say where"),
        (place(along_z(0)), 1, "one slice"),
        (place(along_z(0, 0, 5)), 3, "one position"),
        (place(along_z(0, 10, 5)), 3, "out of order"),
        (
            place(along_z(0, 5), (*np.array([1, 1, 1]) / 3**0.5, *np.array([1, -1, 0]) / 2**0.5)),
            2,
            "between two planes",
        ),
    ],
)
def test_what_cannot_be_made_is_refused_with_its_reason(
    where: SlicePlacement, slices: int, why: str
) -> None:
    assert why in describe_planes(where, (slices, 8, 6))["refused"]
