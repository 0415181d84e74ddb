"""survey/header_shortcuts.py: findings that the header alone tells: scanner, view or file form.

In: a LabelTable by the ids of an archive, rows of its Index. Out: a frame with a row a finding.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from wetread.archive.types import Float64Array
from wetread.evaluation.header_baseline import (
    COLUMNS,
    HeaderFeatures,
    carrying_columns,
    cross_validated_header,
    header_features,
)
from wetread.evaluation.intervals import bootstrap
from wetread.evaluation.metrics import roc_auc
from wetread.labels.table import LabelTable

FOLDS = 5
LEAST = 10  # patients with a finding, and without: fewer give an AUC that chance makes
MOST_IDS = 20_000  # of a level; of more so many are drawn by seed
SURE_AUC = 0.55  # a shortcut is warned of where the whole interval lies above
NEEDED = tuple(dict.fromkeys(name for column in COLUMNS for name in column.needs))
SCHEMA: dict[str, pl.DataType] = {
    "level": pl.String(),
    "finding": pl.String(),
    "ids": pl.Int64(),
    "positive": pl.Int64(),
    "roc_auc": pl.Float64(),  # out of fold, of the header alone
    "low": pl.Float64(),  # of the 95 % interval over patients
    "high": pl.Float64(),
    "columns": pl.List(pl.String()),  # whose permutation costs most, the dearest first
    "costs": pl.List(pl.Float64()),  # in ROC AUC
}


def shortcut_table(labels: LabelTable, images: pl.DataFrame, seed: int = 0) -> pl.DataFrame:
    """Predict every finding from the header alone, cross-validated by patient: SCHEMA.

    images: rows of an index, all slices of every series, with the columns NEEDED, the UIDs and
    `patient`; where that is null a study stands for one. A study has the header of its first image.
    Columns are named where the interval lies above SURE_AUC. A finding is left out that too few
    patients have, or have not.
    """
    features = header_features(images)
    parts = [pl.DataFrame(schema=SCHEMA)]
    for level, column in (("image", "SOPInstanceUID"), ("study", "StudyInstanceUID")):
        rows = labels.frame.filter((pl.col("level") == level) & pl.col("value").is_not_null())
        first = (
            images.select(
                id=pl.col(column), patient=pl.coalesce("patient", "StudyInstanceUID", column)
            )
            .with_row_index("row")
            .drop_nulls("id")
            .unique("id", keep="first", maintain_order=True)
            .join(rows.select("id").unique(), on="id", how="semi", maintain_order="left")
        )
        if first.height > MOST_IDS:
            drawn = np.random.default_rng(seed).permutation(first.height)[:MOST_IDS]
            first = first[np.sort(drawn)]
        names = rows["finding"].unique(maintain_order=True).to_list()
        truth = _matrix(rows, first["id"], names)
        patients: list[str] = first["patient"].to_list()
        known = [n for n, column in enumerate(truth.T) if _enough(column, patients)]
        if known:
            own = features.of(first["row"].to_numpy().astype(np.int64))
            found = _rows(own, truth[:, known], [names[n] for n in known], patients, level, seed)
            parts.append(found)
    return pl.concat(parts)


def _matrix(rows: pl.DataFrame, ids: pl.Series, names: Sequence[str]) -> Float64Array:
    """Return labels (N, F) of ids and findings, NaN where unknown."""
    place = {name: number for number, name in enumerate(names)}
    numbered = pl.DataFrame({"id": ids}).with_row_index("row")
    known = rows.join(numbered, on="id", how="inner")
    truth = np.full((len(ids), len(names)), np.nan)
    columns = [place[name] for name in known["finding"]]
    truth[known["row"].to_numpy(), columns] = known["value"].to_numpy()
    return truth


def _enough(truth: Float64Array, patients: Sequence[str]) -> bool:
    """Whether LEAST patients have a finding, and LEAST have not; truth (N,) and N patients."""
    known = ~np.isnan(truth)
    having = {one for one, value in zip(patients, truth, strict=True) if value >= 0.5}
    lacking = {one for one, is_known in zip(patients, known, strict=True) if is_known} - having
    return min(len(having), len(lacking)) >= LEAST


def _rows(
    features: HeaderFeatures,
    truth: Float64Array,
    names: Sequence[str],
    patients: Sequence[str],
    level: str,
    seed: int,
) -> pl.DataFrame:
    probability = cross_validated_header(features, truth, patients, FOLDS, seed)
    rows: list[dict[str, object]] = []
    for name, true, said in zip(names, truth.T, probability.T, strict=True):
        known = np.flatnonzero(~np.isnan(true))
        own = [patients[row] for row in known.tolist()]
        true, said = (true[known] >= 0.5).astype(np.float64), said[known]
        interval = _interval(true, said, own, seed)
        rows.append(
            {
                "level": level, "finding": name, "ids": len(known), "positive": int(true.sum()),
                "roc_auc": roc_auc(true, said), "low": interval[0], "high": interval[1],
                "columns": [], "costs": [],
            }
        )  # fmt: skip
    sure = [n for n, row in enumerate(rows) if _is_sure(row["low"])]
    if sure:
        carrying = carrying_columns(features, truth[:, sure], patients, FOLDS, seed)
        for n, columns in zip(sure, carrying, strict=True):
            rows[n]["columns"] = [one.name for one in columns]
            rows[n]["costs"] = [one.cost for one in columns]
    return pl.DataFrame(rows, schema=SCHEMA)


def _interval(
    truth: Float64Array, probability: Float64Array, patients: Sequence[str], seed: int
) -> tuple[float | None, float | None]:
    rng = np.random.default_rng(seed)
    found = bootstrap(lambda rows: roc_auc(truth[rows], probability[rows]), patients, rng)
    return found or (None, None)


def _is_sure(low: object) -> bool:
    return isinstance(low, float) and low > SURE_AUC


def shortcuts(table: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of a shortcut_table whose interval lies above SURE_AUC."""
    return table.filter((pl.col("low") > SURE_AUC).fill_null(False))
