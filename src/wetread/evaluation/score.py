"""evaluation/score.py: a number that carries where it came from, and its JSON form."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import polars as pl

from wetread.archive.notebook import table_html
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


SCORE_SCHEMA: dict[str, pl.DataType] = {
    "metric": pl.String(),
    "finding": pl.String(),
    "level": pl.String(),
    "split": pl.String(),
    "value": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
    "patients": pl.Int64(),
    "positives": pl.Int64(),
    "reason": pl.String(),
}


class Scores(tuple[Score, ...]):
    """Scores in the order in which they are reported."""

    __slots__ = ()

    @property
    def table(self) -> pl.DataFrame:
        """One row a score, SCORE_SCHEMA, in the same order."""
        rows = [tuple(score.to_dict()[name] for name in SCORE_SCHEMA) for score in self]
        return pl.DataFrame(rows, schema=SCORE_SCHEMA, orient="row")

    def find(
        self,
        metric: str | None = None,
        *,
        finding: str | None = None,
        level: str | None = None,
        split: str | None = None,
    ) -> Scores:
        """Return the scores of a metric, finding, level and split; None matches any.

        >>> score = Score("roc_auc", "any", "image", "held_out", 0.9, 0.8, 0.95, 40, 12)
        >>> Scores([score]).find("roc_auc", finding="any")[0].value
        0.9
        >>> Scores([score]).find("log_loss")
        Scores()
        """
        wanted = {"metric": metric, "finding": finding, "level": level, "split": split}
        return Scores(
            score
            for score in self
            if all(value in (None, getattr(score, name)) for name, value in wanted.items())
        )

    def __repr__(self) -> str:
        return f"Scores({', '.join(map(repr, self))})"

    def _repr_html_(self) -> str:
        """Return the table as HTML; a column in which nothing stands is left out."""
        table = self.table
        empty = [name for name in table.columns if table[name].null_count() == table.height]
        return table_html(table.drop(empty) if table.height else table, "Scores, 95 % intervals")

    @staticmethod
    def from_dict(values: JsonObject) -> Scores:
        """Return the scores that to_dict gave; keys of a later version are passed over."""
        rows = values["scores"]
        return Scores(Score(**{name: row.get(name) for name in SCORE_SCHEMA}) for row in rows)

    def to_dict(self) -> dict[str, list[JsonObject]]:
        """Return {"scores": [...]}, as scores.json has it."""
        return {"scores": [score.to_dict() for score in self]}


def finite_or_none(value: float) -> float | None:
    """Return None for NaN and infinity: absence is a value."""
    return float(value) if math.isfinite(value) else None
