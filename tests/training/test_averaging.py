"""tests/training/test_averaging.py: the best epochs and the mean of their weights."""

import pytest
import torch

from wetread.training.averaging import RankedEpoch, best_epochs, mean_state


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
