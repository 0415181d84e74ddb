"""training/predictions.py: predictions of slices and studies never trained on, as one long table.

One row a level, id and finding; truth is null where unknown, and beside the model's probability
stand those of the baselines, so that every score can be computed again from the table alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from wetread.archive.files.damaged import expect_form
from wetread.archive.files.table_file import read_parquet
from wetread.archive.types import Float64Array, Int64Array
from wetread.evaluation.fit_baselines import BASELINES
from wetread.labels.finding import Finding, finding_names

FILE = "predictions.parquet"
WANTED = "the predictions of a run, which wetread train writes"
UNCALIBRATED = "uncalibrated"  # the probability before it was scaled
DISAGREEMENT = "disagreement"  # standard deviation of the networks' and views' logits
SCHEMA: dict[str, pl.DataType] = {
    "level": pl.String(),
    "split": pl.String(),
    "model": pl.Int32(),  # which of the run's models
    "id": pl.String(),  # SOPInstanceUID or StudyInstanceUID
    "study": pl.String(),
    "patient": pl.String(),
    "row": pl.Int64(),  # of the store; null for a study
    "finding": pl.String(),
    "truth": pl.Float64(),
    "probability": pl.Float64(),
    "prior": pl.Float64(),
    "position": pl.Float64(),
    "histogram": pl.Float64(),
    "header": pl.Float64(),  # null in runs from before it was computed
    UNCALIBRATED: pl.Float64(),  # null in runs from before they calibrated
    DISAGREEMENT: pl.Float64(),  # null where one network read one view
}
ADDED = ("header", UNCALIBRATED, DISAGREEMENT)  # columns that older runs lack


@dataclass(frozen=True, eq=False)
class LevelPredictions:
    """One level of one split: arrays (N, F), and who they are of.

    baselines: those of BASELINES by name, "header" where headers were at hand, and UNCALIBRATED
               where the probability was scaled.
    disagreement: standard deviation of the logits of networks and views; None where it is unknown.
    """

    level: str
    split: str
    findings: tuple[Finding, ...]
    ids: tuple[str, ...]
    studies: tuple[str, ...]
    patients: tuple[str, ...]
    rows: Int64Array | None
    truth: Float64Array
    probability: Float64Array
    baselines: Mapping[str, Float64Array]
    disagreement: Float64Array | None = None


def to_table(predicted: LevelPredictions, model: int) -> pl.DataFrame:
    """Arrays to the long table, finding by finding within each id."""
    names = finding_names(predicted.findings)
    count = len(names)

    def each(values: Sequence[object]) -> list[object]:
        return [value for value in values for _ in range(count)]

    rows = [None] * len(predicted.ids) if predicted.rows is None else predicted.rows.tolist()
    columns = {
        "level": [predicted.level] * (len(predicted.ids) * count),
        "split": [predicted.split] * (len(predicted.ids) * count),
        "model": [model] * (len(predicted.ids) * count),
        "id": each(predicted.ids),
        "study": each(predicted.studies),
        "patient": each(predicted.patients),
        "row": each(rows),
        "finding": list(names) * len(predicted.ids),
        "truth": predicted.truth.ravel(),
        "probability": predicted.probability.ravel(),
    }
    columns |= {name: predicted.baselines[name].ravel() for name in BASELINES if name not in ADDED}
    for name, values in (
        ("header", predicted.baselines.get("header")),
        (UNCALIBRATED, predicted.baselines.get(UNCALIBRATED)),
        (DISAGREEMENT, predicted.disagreement),
    ):
        columns[name] = [None] * predicted.probability.size if values is None else values.ravel()
    return pl.DataFrame(columns, schema=SCHEMA, strict=False).with_columns(
        pl.col("truth").fill_nan(None)
    )


def read_predictions(path: Path, findings: Mapping[str, Sequence[Finding]]) -> pl.DataFrame:
    """The table of a run, SCHEMA. DamagedFileError where it is not whole: each id of a level has
    all its findings in their order, and every number is a probability.

    findings: of each level there may be.
    """
    needed = {name: kind for name, kind in SCHEMA.items() if name not in ADDED}
    table = read_parquet(path, schema=needed, expected=WANTED)
    lacking = [name for name in ADDED if name not in table.columns]
    table = table.with_columns(pl.lit(None, pl.Float64).alias(name) for name in lacking)
    levels = table["level"].unique().to_list()
    with expect_form(path, WANTED):
        if not levels or not set(levels) <= set(findings) or "image" not in levels:
            raise ValueError(f"levels {levels}")
        for level in levels:
            _check_level(table.filter(pl.col("level") == level), finding_names(findings[level]))
    return table


def _check_level(rows: pl.DataFrame, names: Sequence[str]) -> None:
    count = rows.height // max(len(names), 1)
    if rows["finding"].to_list() != [*names] * count:
        raise ValueError("findings that are missing, or in another order")
    if (rows["id"] != rows["id"].gather_every(len(names)).repeat_by(len(names)).explode()).any():
        raise ValueError("an id without all its findings")
    if rows.select(pl.col("split", "id", "study", "patient").is_null().any()).row(0).count(True):
        raise ValueError("a row without id, study, patient or split")
    for name in ("probability", "truth", *BASELINES, UNCALIBRATED):
        values = rows[name].drop_nulls()
        if name == "truth" and (values.is_nan()).any():
            raise ValueError("truth that is no number")
        if not values.drop_nans().is_between(0.0, 1.0).all():
            raise ValueError(f"{name} that is none")
    if not rows["probability"].is_finite().all():
        raise ValueError("a probability that is no number")


def from_table(
    table: pl.DataFrame, level: str, findings: Sequence[Finding]
) -> LevelPredictions | None:
    """One level of the long table as arrays again; None where the table has none of it."""
    rows = table.filter(pl.col("level") == level)
    if rows.is_empty():
        return None
    count = len(findings)
    heads = rows.gather_every(count)

    def matrix(name: str) -> Float64Array:
        """Read a column as (N, F)."""
        return rows[name].cast(pl.Float64).fill_null(float("nan")).to_numpy().reshape(-1, count)

    return LevelPredictions(
        level=level,
        split=heads["split"][0],
        findings=tuple(replace(finding, level=level) for finding in findings),  # type: ignore[arg-type]
        ids=tuple(heads["id"]),
        studies=tuple(heads["study"]),
        patients=tuple(heads["patient"]),
        rows=None if level == "study" else heads["row"].to_numpy(),
        truth=matrix("truth"),
        probability=matrix("probability"),
        baselines={
            name: matrix(name)
            for name in (*BASELINES, UNCALIBRATED)
            if name not in ADDED or not rows[name].is_null().any()
        },
        disagreement=None if rows[DISAGREEMENT].is_null().any() else matrix(DISAGREEMENT),
    )
