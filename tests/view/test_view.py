"""tests/view/test_view.py: the view as a value."""

import json

import pytest

from wetread.view.view import View
from wetread.view.window import BONE, BRAIN


def test_channels_are_windows_times_slices() -> None:
    assert View((BRAIN, BONE), neighbours=2).channels == 10


def test_a_view_survives_json() -> None:
    view = View((BRAIN, BONE), neighbours=1, size=96)
    assert View.from_dict(json.loads(json.dumps(view.to_dict()))) == view


@pytest.mark.parametrize(
    ("neighbours", "size"), [(-1, 128), (0, 0)], ids=["neighbours below 0", "no pixels"]
)
def test_a_view_that_sees_nothing_is_refused(neighbours: int, size: int) -> None:
    with pytest.raises(ValueError, match="neighbours must be 0 or more"):
        View((BRAIN,), neighbours, size)
