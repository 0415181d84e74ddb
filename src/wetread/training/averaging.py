"""training/averaging.py: the best epochs so far, and the mean of their weights."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Ranked:
    """An epoch and what it was judged by; None: not scored, and then the later is the better."""

    epoch: int
    value: float | None


def best_epochs(
    ranked: Sequence[Ranked], new: Ranked, count: int, higher_is_better: bool
) -> tuple[Ranked, ...]:
    """At most `count` of them, the best first; of equals the earlier stays."""

    def place(one: Ranked) -> tuple[float, int]:
        if one.value is None:
            return 0.0, -one.epoch
        return (-one.value if higher_is_better else one.value), one.epoch

    return tuple(sorted((*ranked, new), key=place)[:count])


def mean_state(states: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of every floating tensor; counts are the first's."""
    if len(states) == 1:
        return states[0]
    return {
        key: torch.stack([state[key] for state in states]).mean(0)
        if tensor.is_floating_point()
        else tensor
        for key, tensor in states[0].items()
    }
