"""tests/prediction/test_placement.py: a placement as plain values, and in a word."""

from wetread.prediction.placement import NOT_KNOWN, Placement
from wetread.training.bounds import Reason


def test_a_placement_as_plain_values() -> None:
    placement = Placement(False, (Reason("slices", "slices 1; learned from 20 to 30"),))
    assert placement.to_dict() == {
        "inside": False,
        "reasons": [{"name": "slices", "detail": "slices 1; learned from 20 to 30"}],
    }
    assert NOT_KNOWN.to_dict() == {"inside": None, "reasons": []}
    assert (NOT_KNOWN.word, Placement(True).word) == ("not known", "inside")
