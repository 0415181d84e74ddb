"""evaluation/score.py: a number that carries where it came from, and its JSON form."""

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from wetread.archive.types import JsonObject


@dataclass(frozen=True)
class Score:
    """One score of one finding (or of "all") on one split.

    value:     None where it cannot be computed; `reason` then says why.
    low, high: 95 % interval over resampled patients; None where there is none.
    patients:  distinct patients with known truth behind the value.
    positives: rows (images, studies) whose truth is positive; for "all": in any finding.
    """

    metric: str
    finding: str
    level: str
    split: str
    value: float | None
    low: float | None
    high: float | None
    patients: int
    positives: int
    reason: str | None = None

    def to_dict(self) -> JsonObject:
        """Return the score as a JSON object."""
        return asdict(self)


class Scores(tuple[Score, ...]):
    """Scores in the order in which they are reported."""

    __slots__ = ()

    def to_dict(self) -> dict[str, list[JsonObject]]:
        """{"scores": [...]}, as scores.json and --json have it."""
        return {"scores": [score.to_dict() for score in self]}


def scores_to_json(scores: Iterable[Score]) -> str:
    """Write {"scores": [...]} as indented text; ValueError for NaN or infinity, which JSON has
    not."""
    return json.dumps(Scores(scores).to_dict(), indent=1, allow_nan=False)


def finite_or_none(value: float) -> float | None:
    """Return None for NaN and infinity: absence is a value."""
    return float(value) if math.isfinite(value) else None
