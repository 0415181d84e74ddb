"""tests/archive/test_rejects.py: a reject has a reason of the closed list."""

import pickle

import pytest

from wetread.archive.rejects import REASONS, Reject, RejectError


@pytest.mark.parametrize("reason", REASONS)
def test_an_error_says_reason_and_detail_and_survives_a_process(reason: str) -> None:
    error = pickle.loads(pickle.dumps(RejectError(reason, "512 rows")))
    assert (error.reason, error.detail, str(error)) == (reason, "512 rows", f"{reason}: 512 rows")


def test_a_reason_that_is_not_on_the_list_is_refused_with_the_list() -> None:
    with pytest.raises(ValueError, match="'tired' is not a reject reason; known: io_error"):
        RejectError("tired", "")


def test_equal_rejects_are_one() -> None:
    first, second = Reject("a", None, "empty", "0 bytes"), Reject("a", None, "empty", "0 bytes")
    assert {first} == {second}
