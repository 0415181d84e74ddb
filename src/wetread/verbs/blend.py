"""verbs/blend.py: submissions of the same images in; one submission out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from wetread.archive.files.atomic import write_csv
from wetread.archive.files.paths import as_paths
from wetread.archive.plural import plural
from wetread.archive.types import Float64Array, StrPath, StrPaths
from wetread.evaluation.blend import blend_groups
from wetread.evaluation.remap import remap as remap_probabilities
from wetread.labels.csv_file import LINE, check_ids, label_values, read_text_columns
from wetread.labels.table import LabelError
from wetread.labels.text_table import read_text_table
from wetread.tasks import TASKS

ID_COLUMNS, LABEL_COLUMNS = ("ID", "id"), ("Label", "label")
LEVELS = ("image", "study")
ALL = "all"


@dataclass(frozen=True)
class BlendResult:
    """The file that was written, how many rows it has, how much each submission weighs, and the
    thresholds that became one half."""

    out: Path
    rows: int
    how: str
    weights: tuple[float, ...]
    remap: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        """Return the result as plain values, for JSON."""
        return {
            "out": str(self.out),
            "rows": self.rows,
            "how": self.how,
            "weights": list(self.weights),
            "remap": dict(self.remap),
        }


def blend(
    submissions: StrPaths,
    out: StrPath,
    *,
    weights: Sequence[float] = (),
    how: str = "mean",
    remap: Mapping[str, float] | None = None,
) -> BlendResult:
    """Blend submissions of probabilities, two columns each, into one with the rows of the first.

    submissions: files of the same ids (`ID,Label` or `id,label`), two or more; with `remap` one is
        enough.
    out: the file that is written, in the first one's order.
    weights: one a file, any sum; none: all alike.
    how: "mean" of the probabilities; "logit", the mean of their logits; "rank", the mean of their
        ranks within each finding: an order for the area under a curve, and no probability.
    remap: finding to a threshold that becomes one half, what is above and below it moved linearly,
        after blending; "all" is of the other findings. Harm where probabilities are true.

    A mean of answers that obey a competition's rules may break them: `score` says so. Raises
    LabelError for a file of masks, one with an empty or a wrong cell, and for ids that one file has
    and another has not.
    """
    files, out = as_paths(submissions), Path(out)
    if len(files) < (1 if remap else 2):
        raise ValueError(
            f"{plural(len(files), 'submission')}; give two or more to blend, or one and `remap`"
        )
    tables = [_read(file) for file in files]
    first = tables[0]
    for file, table in zip(files[1:], tables[1:], strict=True):
        _require_same_ids(files[0], first, file, table)
    joined = first.select("id")
    for number, table in enumerate(tables):
        column = table.select("id", pl.col("value").alias(f"value-{number}"))
        joined = joined.join(column, on="id", how="left", maintain_order="left")
    values = joined.drop("id").to_numpy().T
    findings = findings_of_ids(joined["id"].to_list())
    group = np.unique(findings, return_inverse=True)[1].astype(np.int64)
    share = tuple(float(weight) for weight in (weights or [1.0] * len(files)))
    blended = _remapped(blend_groups(values, share, how, group), findings, remap or {})
    header = read_text_table(files[0]).frame.columns
    name, label = _columns(files[0], header)
    write_csv(out, pl.DataFrame({name: joined["id"], label: blended}))
    weighs = tuple(one / sum(share) for one in share)
    return BlendResult(out, joined.height, how, weighs, remap or {})


def findings_of_ids(ids: Sequence[str]) -> list[str]:
    """Name the finding of each id: the longest name of a known one that the id ends with after an
    underscore; "" of ids that end with none, as those of an exam's images."""
    known = {one.name for task in TASKS.values() for level in LEVELS for one in task.at(level)}
    names = [""] * len(ids)
    for place, name in enumerate(ids):
        ends = (name[at + 1 :] for at, letter in enumerate(name) if letter == "_")
        names[place] = next((end for end in ends if end in known), "")
    return names


def _remapped(
    probability: Float64Array, findings: Sequence[str], thresholds: Mapping[str, float]
) -> Float64Array:
    """Remap probabilities (N,) by the thresholds of their findings (N,). ValueError for a finding
    that no row has."""
    own, remapped = np.array(findings), probability.copy()
    for name, threshold in thresholds.items():
        inside = ~np.isin(own, list(thresholds)) if name == ALL else own == name
        if not 0 < threshold < 1:
            raise ValueError(f"`remap`: {name}={threshold:g}; give a number between 0 and 1")
        if not inside.any() and name != ALL:
            raise ValueError(
                f"`remap`: no row is of {name!r}; of findings there are: "
                f"{', '.join(sorted(set(findings) - {''})) or 'none by name; give all=THRESHOLD'}"
            )
        remapped[inside] = remap_probabilities(probability[inside], threshold)
    return remapped


def _read(path: Path) -> pl.DataFrame:
    """Read a submission: id, value float64, one row an id."""
    columns = _columns(path, read_text_table(path).frame.columns)
    name, label = columns
    rows = read_text_columns(path, columns)
    check_ids(path, rows, name)
    table = rows.select(
        pl.col(name).alias("id"), label_values(path, rows, label).alias("value"), LINE
    )
    for wrong, words in (
        (table["value"].is_null() | table["value"].is_nan(), "without a probability"),
        (table["id"].is_duplicated(), "whose id stands there more than once"),
    ):
        if wrong.any():
            row = table.filter(wrong)
            raise LabelError(f"{path}: line {row[LINE][0]}, {row['id'][0]!r}, {words}; correct it.")
    return table.drop(LINE)


def _columns(path: Path, header: Sequence[str]) -> tuple[str, str]:
    """Find the columns of the id and of the probability. LabelError where there are none."""
    found = [
        next((name for name in names if name in header), None)
        for names in (ID_COLUMNS, LABEL_COLUMNS)
    ]
    name, label = found
    if name is None or label is None:
        raise LabelError(
            f"{path}: the header has {', '.join(map(repr, header))}; submissions of probabilities "
            "have ID,Label or id,label. Masks cannot be blended."
        )
    return name, label


def _require_same_ids(first: Path, one: pl.DataFrame, second: Path, other: pl.DataFrame) -> None:
    """Raise LabelError where one of two files has an id that the other has not."""
    for having, lacking, table, against in (
        (first, second, one, other),
        (second, first, other, one),
    ):
        strange = table.join(against, on="id", how="anti")
        if strange.height:
            raise LabelError(
                f"{lacking}: {plural(strange.height, 'id')} missing that {having} has, the first "
                f"{strange['id'][0]!r}; blend submissions of the same images."
            )
