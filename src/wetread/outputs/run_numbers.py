"""outputs/run_numbers.py: the numbers of a run as trackers of experiments take them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Plain = bool | int | float | str


@dataclass(frozen=True)
class RunNumbers:
    """A run, finished or not, as numbers by name and step.

    name:     by which a tracker shows it. id: by which it is known again.
    began_ms: since 1970; None where the run does not say.
    state:    ended (trained), running or stopped.
    settings: its recipe and its machine, by dotted name.
    epochs:   network ("model-0") -> name ("loss") -> step, the epoch from 1 on -> value.
    scores:   "roc_auc/any/image" -> value, "..._low" and "..._high" its interval; they stand at
              the last epoch.
    """

    name: str
    id: str
    task: str
    began_ms: int | None
    state: Literal["ended", "running", "stopped"]
    settings: Mapping[str, Plain]
    epochs: Mapping[str, Mapping[str, Mapping[int, float]]]
    scores: Mapping[str, float]

    @property
    def last_step(self) -> int:
        """The last epoch that any network has ended; 0: none has."""
        steps = [step for names in self.epochs.values() for of in names.values() for step in of]
        return max(steps, default=0)
