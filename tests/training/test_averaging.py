"""tests/training/test_averaging.py: the best epochs and the mean of their weights."""

import pytest
import torch

from wetread.training.averaging import RankedEpoch, average_with_start, best_epochs, mean_state


@pytest.mark.parametrize(
    ("values", "higher", "kept"),
    [
        ([0.5, 0.3, 0.4, 0.3], False, [1, 3]),  # of equals the earlier first
        ([0.5, 0.3, 0.4, 0.6], True, [3, 0]),
        ([None, None, None, None], False, [3, 2]),  # not scored: the last
    ],
)
def test_the_best_are_kept_in_order(
    values: list[float | None], higher: bool, kept: list[int]
) -> None:
    top: tuple[RankedEpoch, ...] = ()
    for epoch, value in enumerate(values):
        top = best_epochs(top, RankedEpoch(epoch, value), 2, higher_is_better=higher)
    assert [one.epoch for one in top] == kept


def test_weights_are_averaged_and_counts_are_not() -> None:
    states = [{"w": torch.tensor([value]), "n": torch.tensor(count)} for value, count in
              ((1.0, 4), (3.0, 9))]  # fmt: skip
    mean = mean_state(states)
    assert mean["w"].tolist() == [2.0]
    assert mean["n"] == 4


def test_a_start_has_its_share_in_the_weights_and_none_in_the_counts() -> None:
    end = {"w": torch.tensor([1.0, 5.0]), "n": torch.tensor(7)}
    start = {"w": torch.tensor([3.0, 1.0]), "n": torch.tensor(2)}
    mixed = average_with_start(end, start, 0.25)
    assert mixed["w"].tolist() == [1.5, 4.0]
    assert mixed["n"] == 7
    assert average_with_start(end, {}, 0.0) == end
