"""verbs/evaluate/readers.py: readers' calls joined to the model's probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from wetread.archive.types import Float64Array
from wetread.evaluation.reader_study import ReaderRows, majority
from wetread.inputs.predictions import Predictions, findings_at
from wetread.labels.finding import Finding
from wetread.labels.reads_csv import Reads, read_reads
from wetread.labels.repair import repairs
from wetread.labels.table import LABEL_SCHEMA, LabelError, LabelTable, label_table
from wetread.training.predictions import LevelPredictions
from wetread.verbs.evaluate.levels import Levels
from wetread.verbs.evaluate.owners import Owners, patients_at

LEVELS = ("study", "image")


def open_reads(path: Path, predictions: Predictions) -> tuple[Reads, str]:
    """Read a file of readers' calls; return it by the ids of the predictions, and their level.

    LabelError where no id of it was predicted.
    """
    task = predictions.task
    findings = {one.name: one for one in (*task.at("study"), *task.at("image"))}
    reads = read_reads(path, tuple(findings.values()), task.abbreviations)
    frame = predictions.table.frame
    for level in LEVELS:
        predicted = set(frame.filter(pl.col("level") == level)["id"])
        repaired = repairs(reads.ids, predicted)
        ids = tuple(repaired.get(name, name) for name in reads.ids)
        if predicted & set(ids):
            return Reads(ids, reads.readers, reads.calls), level
    raise LabelError(
        f"{path}: none of its {len(reads.ids)} studies was predicted, the first is "
        f"{reads.ids[0]!r}; give the readers' calls of these studies, or of these images"
        if reads.ids
        else f"{path}: no row; a row is a study"
    )


def consensus_labels(reads: Reads, level: str) -> LabelTable:
    """Return what most readers say as labels; unknown where as many say the other."""
    rows = [
        (level, name, finding, None if np.isnan(value) else float(value))
        for finding, calls in reads.calls.items()
        for name, value in zip(reads.ids, majority(calls), strict=True)
    ]
    return label_table(pl.DataFrame(rows, schema=LABEL_SCHEMA, orient="row"))


def reader_rows(
    reads: Reads, level: str, predictions: Predictions, labeled: Levels | None, owners: Owners
) -> list[ReaderRows]:
    """Join calls and probabilities, a finding each, over the ids that both have.

    labeled: what is scored by labels, whose truth readers are held against; None: each against the
        others.
    """
    frame = predictions.table.frame
    predicted = set(frame.filter(pl.col("level") == level)["id"])
    kept = [place for place, name in enumerate(reads.ids) if name in predicted]
    ids = [reads.ids[place] for place in kept]
    findings = [one for one in findings_at(predictions.task, level) if one.name in reads.calls]
    patients = patients_at(owners, level, ids)
    return [
        ReaderRows(
            finding=finding.name,
            level=level,
            readers=reads.readers,
            calls=reads.calls[finding.name][:, kept],
            probability=_column(predictions.table, ids, finding),
            truth=None if labeled is None else _truth(labeled.at(level), ids, finding),
            patients=patients,
        )
        for finding in findings
    ]


def _truth(part: LevelPredictions | None, ids: Sequence[str], finding: Finding) -> Float64Array:
    """Return the truth (N,) of ids, that of studies from their images' labels where these alone are
    given; NaN where it is not known."""
    found = np.full(len(ids), np.nan)
    if part is not None:
        place = {name: row for row, name in enumerate(part.ids)}
        column = part.findings.index(finding)
        for row, name in enumerate(ids):
            if name in place:
                found[row] = part.truth[place[name], column]
    return found


def _column(table: LabelTable, ids: Sequence[str], finding: Finding) -> np.ndarray:
    values: np.ndarray = table.matrix_float64(ids, (finding,))[:, 0]
    return values
