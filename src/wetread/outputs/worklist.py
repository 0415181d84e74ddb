"""outputs/worklist.py: which study to open first. One row a study, none left out."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from wetread.archive.files.atomic import write_csv
from wetread.archive.types import JsonObject
from wetread.prediction.reading import Reading


def write_worklist(
    readings: Sequence[Reading], findings: Sequence[str], headline: str, path: Path
) -> None:
    """Write worklist.csv: rising rank by falling probability of the headline finding.

    What must be known of the models stands before the probabilities: names of
    prediction/cautions.py, parted by blanks, and whether the study is inside of that which they
    learned; why it is outside stands in `outside`. flagged: whether it reaches the threshold of an
    operating point, where one was asked for. Equal probabilities go by study UID. A study without
    a probability stands at the end, its cells empty: it was not read, `state` says so, and
    `reason` why. Numbers that were measured in masks stand last, a column each, named with their
    unit.
    """
    columns = (headline, *(name for name in findings if name != headline))
    schema = {
        "rank": pl.Int64(),
        "study_uid": pl.String(),
        "state": pl.String(),
        "cautions": pl.String(),
        "in_distribution": pl.String(),
        **{name: pl.Float64() for name in columns},
        "flagged": pl.Boolean(),
        "key_slice": pl.String(),
        "slices": pl.Int64(),
        "rejects": pl.Int64(),
        "issues": pl.Int64(),
        "reason": pl.String(),
        "outside": pl.String(),
    }
    measured = {column_of(one): None for reading in readings for one in reading.measures}
    schema |= dict.fromkeys(measured, pl.Float64())
    order = by_urgency(readings, headline)
    rows = [
        (
            rank,
            reading.study_uid,
            "read" if headline in reading.study else "unread",
            " ".join(reading.cautions) or None,
            reading.placement.word if reading.study else None,
            *(reading.study.get(name) for name in columns),
            reading.flagged,
            reading.key_slices[0] if reading.key_slices else None,
            len(reading.slices),
            len(reading.rejects),
            len(reading.issues),
            reading.reason,
            "; ".join(one.detail for one in reading.placement.reasons) or None,
            *({column_of(one): one["value"] for one in reading.measures}.get(n) for n in measured),
        )
        for rank, reading in enumerate(order, start=1)
    ]
    table = pl.DataFrame(rows, schema=schema, orient="row")
    if all(reading.flagged is None for reading in readings):  # no operating point was asked for
        table = table.drop("flagged")
    write_csv(path, table)


def column_of(measure: JsonObject) -> str:
    """Name the column of a measured number: its name, and its unit where it has one."""
    return "_".join(part for part in (measure["name"], measure["unit"]) if part)


def by_urgency(readings: Sequence[Reading], headline: str) -> list[Reading]:
    """Sort by falling probability of the headline finding, then by study UID; unread ones last."""
    return sorted(readings, key=lambda reading: _urgency(reading, headline))


def _urgency(reading: Reading, headline: str) -> tuple[bool, float, str]:
    probability = reading.study.get(headline)
    return (probability is None, -(probability or 0.0), reading.study_uid)
