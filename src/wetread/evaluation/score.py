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
        """The score as a JSON object."""
        return asdict(self)


class Scores(tuple[Score, ...]):
    """Scores in the order in which they are reported."""

    __slots__ = ()

    def to_dict(self) -> dict[str, list[JsonObject]]:
        """{"scores": [...]}, as scores.json and --json have it."""
        return {"scores": [score.to_dict() for score in self]}


def scores_to_json(scores: Iterable[Score]) -> str:
    """{"scores": [...]} as indented text; NaN and infinity are refused (they are not JSON)."""
    return json.dumps(Scores(scores).to_dict(), indent=1, allow_nan=False)


def scores_from_json(text: str) -> list[Score]:
    """The scores that scores_to_json wrote; keys added by later versions are passed over."""
    fields = Score.__dataclass_fields__
    return [
        Score(**{key: value for key, value in row.items() if key in fields})
        for row in json.loads(text)["scores"]
    ]


def finite_or_none(value: float) -> float | None:
    """NaN and infinity become None: absence is a value."""
    return float(value) if math.isfinite(value) else None
