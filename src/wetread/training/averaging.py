"""training/averaging.py: the best epochs so far, and the mean of their weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class RankedEpoch:
    """An epoch and the value it is ranked by; None: not scored, the later is then the better."""

    epoch: int
    value: float | None


NO_EPOCH = RankedEpoch(-1, None)


def best_epochs(
    ranked: Sequence[RankedEpoch], new: RankedEpoch, count: int, *, higher_is_better: bool
) -> tuple[RankedEpoch, ...]:
    """Return at most `count` epochs of the ranked and the new, the best first; of equals the
    earlier stays."""

    def order(one: RankedEpoch) -> tuple[float, int]:
        if one.value is None:
            return 0.0, -one.epoch
        return (-one.value if higher_is_better else one.value), one.epoch

    return tuple(sorted((*ranked, new), key=order)[:count])


def mean_state(states: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Average the floating tensors (any shape) of state dicts by name; counts are the first's."""
    if len(states) == 1:
        return dict(states[0])
    return {
        key: torch.stack([state[key] for state in states]).mean(0)
        if tensor.is_floating_point()
        else tensor
        for key, tensor in states[0].items()
    }


def average_with_start(
    state: Mapping[str, Tensor], start: Mapping[str, Tensor], share: float
) -> dict[str, Tensor]:
    """Average the floating tensors (any shape) of a state dict with those that its training started
    from, which have the share; counts stay (Wortsman and others 2022, WiSE-FT)."""
    if not share:
        return dict(state)
    return {
        key: torch.lerp(tensor, start[key].to(tensor), share)
        if tensor.is_floating_point()
        else tensor
        for key, tensor in state.items()
    }
