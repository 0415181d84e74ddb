"""tests/view/test_view.py: the view as a value."""

import json

import pytest

from wetread.view.view import View
from wetread.view.window import BONE, BRAIN, SUBDURAL, with_curve


def test_channels_are_windows_times_slices() -> None:
    assert View((BRAIN, BONE), neighbors=2).channels == 10


def test_a_view_survives_json() -> None:
    view = View((BRAIN, BONE), neighbors=1, size=96)
    assert View.from_dict(json.loads(json.dumps(view.to_dict()))) == view


@pytest.mark.parametrize(
    ("neighbors", "size"), [(-1, 128), (0, 0)], ids=["neighbours below 0", "no pixels"]
)
def test_a_view_that_sees_nothing_is_refused(neighbors: int, size: int) -> None:
    with pytest.raises(ValueError, match="neighbours must be 0 or more"):
        View((BRAIN,), neighbors, size)


def test_a_mix_gives_three_channels_of_every_slice() -> None:
    trio = (BRAIN, SUBDURAL, BONE)
    assert View(trio, neighbors=1, mix="gradient-bsb").channels == 9
    assert View((BRAIN,), mix="gradient").channels == 3
    assert View(trio).mode.channels == 3


def test_a_view_with_curves_and_a_mix_survives_json() -> None:
    view = View(with_curve((BRAIN, SUBDURAL, BONE), "sigmoid_eps"), 0, 64, "sigmoid-gradient-bsb")
    assert View.from_dict(json.loads(json.dumps(view.to_dict()))) == view


def test_a_view_written_before_there_were_curves_is_read_as_it_was_meant() -> None:
    old = {"windows": [{"center_hu": 40.0, "width_hu": 80.0}], "neighbours": 1, "size": 32}
    assert View.from_dict(old) == View((BRAIN,), 1, 32)


def test_a_mix_that_takes_other_windows_is_refused() -> None:
    with pytest.raises(ValueError, match="takes 3 greys, not 2"):
        View((BRAIN, BONE), mix="gradient-bsb")


def test_the_distance_of_neighbors_survives_being_written_and_is_not_written_where_none_is() -> (
    None
):
    view = View((BRAIN,), neighbors=1, neighbor_mm=5.0)
    assert View.from_dict(view.to_dict()) == view
    assert "neighbor_mm" not in View((BRAIN,), neighbors=1).to_dict()  # digests of old runs hold
