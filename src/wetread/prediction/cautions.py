"""prediction/cautions.py: what whoever reads a probability must know of its models, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wetread.training.origin import is_phantoms_only

CAUTIONS: Mapping[str, str] = {
    "learned_from_phantoms_alone": "learned from synthetic phantoms alone, from no patient",
    "never_scored_on_patients": "never scored on patients: how good it is on them is not known",
    "training_data_unknown": "made before runs kept whether they learned from phantoms or patients",
}


def find_cautions(abouts: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Names of CAUTIONS that hold for the mean of some runs, each run's about.json as it was read.

    Where one of the runs learned from patients, or was scored on them, the mean has.
    """
    told = [about for about in abouts if "learned_from" in about and "scored_on" in about]
    if len(told) < len(abouts):
        return ("training_data_unknown",)
    found = []
    if all(is_phantoms_only(about["learned_from"]) for about in told):
        found.append("learned_from_phantoms_alone")
    if all(is_phantoms_only(about["scored_on"]) for about in told):
        found.append("never_scored_on_patients")
    return tuple(found)
