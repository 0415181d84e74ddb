"""prediction/cautions.py: names of what a reader of probabilities must know of their models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wetread.archive.types import JsonObject
from wetread.training.origin import describe_origin, is_phantoms_only, is_without_patients

CALIBRATED_ON = "calibrated_on_this_study"  # of single readings
CAUTIONS: Mapping[str, str] = {
    "learned_from_phantoms_alone": "learned from synthetic phantoms alone, from no patient",
    "never_scored_on_patients": "never scored on patients: how good it is on them is not known",
    CALIBRATED_ON: "its own labels calibrated the probabilities: no test of them",
    "training_data_unknown": "made before runs kept whether they learned from phantoms or patients",
}

# In few words, for where a number stands.
SHORT: Mapping[str, str] = {
    "learned_from_phantoms_alone": "learned from phantoms alone",
    "never_scored_on_patients": "never scored on patients",
    CALIBRATED_ON: "calibrated by its own labels",
    "training_data_unknown": "not known what it learned from",
}


def find_cautions(descriptions: Sequence[JsonObject]) -> tuple[str, ...]:
    """Find the names of CAUTIONS that hold for the mean of some runs, by each run's about.json.

    Where one of the runs learned from patients, or was scored on them, the mean has.
    """
    complete = [one for one in descriptions if "learned_from" in one and "scored_on" in one]
    if len(complete) < len(descriptions):
        return ("training_data_unknown",)
    found = []
    if all(is_phantoms_only(one["learned_from"]) for one in complete):
        found.append("learned_from_phantoms_alone")
    if all(is_without_patients(one["scored_on"]) for one in complete):
        found.append("never_scored_on_patients")
    return tuple(found)


def describe_origins(descriptions: Sequence[JsonObject]) -> tuple[str, ...]:
    """Describe what each of some runs learned from and was scored on, by its about.json; runs of
    which the same is true once, with their number."""
    words = [describe_origin(one) for one in descriptions]
    counts = {text: words.count(text) for text in dict.fromkeys(words)}
    return tuple(text if n == 1 else f"{text} (each of {n} runs)" for text, n in counts.items())


def short_cautions(names: Sequence[str]) -> str:
    """Put the names of CAUTIONS in few words, in their order; "" where there are none."""
    return ", ".join(SHORT.get(name, name.replace("_", " ")) for name in names)
