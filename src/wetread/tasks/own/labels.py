"""tasks/own/labels.py: a label file in one of the forms that a task's file describes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from wetread.labels.cell_values import CellValues
from wetread.labels.csv_file import find_column, read_header
from wetread.labels.finding import Finding
from wetread.labels.label_form import FINDING, LabelForm, read_labels
from wetread.labels.marks import Marks
from wetread.labels.table import LabelError, LabelTable, label_table
from wetread.tasks.own.schema import LabelsEntry, TaskEntry


def label_forms(entry: TaskEntry) -> tuple[LabelForm, ...]:
    """Return how each kind of label file is written."""
    words = {
        one.name: tuple(one.label) or (one.name,)
        for one in entry.findings
        if one.label or not one.any_of
    }
    drawn = tuple(one.name for one in entry.findings if one.level == "pixel")
    return tuple(_form(labels, words, drawn) for labels in entry.labels)


def _form(
    labels: LabelsEntry, words: Mapping[str, tuple[str, ...]], drawn: tuple[str, ...]
) -> LabelForm:
    separators = {"long": "_", "names": "|"}
    separator = labels.separator
    return LabelForm(
        layout=labels.layout,
        id=labels.id,
        id_of=labels.id_of,
        words=words,
        cells=CellValues(
            words=labels.values,
            blank=labels.blank,
            uncertain=labels.uncertain,
            refuse_uncertain="uncertain" not in labels.model_fields_set,
        ),
        value="Label" if labels.layout == "long" and labels.value is None else labels.value,
        finding=labels.finding or FINDING,
        reader=labels.reader,
        separator=separators.get(labels.layout, "") if separator is None else separator,
        none=tuple(labels.none),
        other=tuple(labels.other),
        marks=label_marks(labels),
        drawn=drawn,
        several=labels.several,
    )


def label_marks(labels: LabelsEntry) -> Marks | None:
    """Return the columns that say where a finding is; None where none is named."""
    in_mm = labels.unit == "mm"
    if labels.boxes:
        return Marks("box", tuple(labels.boxes), in_mm)
    if labels.corners:
        return Marks("corners", tuple(labels.corners), in_mm)
    return None if labels.runs is None else Marks(labels.runs_form, (labels.runs,))


def read_by_forms(
    path: Path,
    findings: Sequence[Finding],
    *,
    forms: Sequence[LabelForm],
    any_of: Mapping[str, Sequence[str]],
) -> LabelTable:
    """Read a label file in the first of the forms whose columns it has; any_of: findings that are
    present where any of others is. LabelError where it has the columns of none."""
    header = read_header(path)
    own = [one for one in findings if one.name not in any_of]
    for form in forms:
        if all(find_column(column, header) for column in form.columns):
            table = read_labels(path, form, own)
            return replace(table, frame=with_unions(table.frame, any_of))
    wanted = "; or ".join(", ".join(map(repr, form.columns)) for form in forms)
    raise LabelError(
        f"{path}: the task's [[labels]] want the columns {wanted}; the header has "
        f"{', '.join(map(repr, header))}. Correct the names of columns in the task's file."
    )


def with_unions(frame: pl.DataFrame, any_of: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """Add the labels of findings that are the union of others, rows of LABEL_SCHEMA: the greatest
    of the others' where all are known, 1 where any is 1, else unknown."""
    for name, parts in any_of.items():
        value = pl.col("value")
        greatest = pl.when((value.count() == len(parts)) | (value.max() == 1.0)).then(value.max())
        union = (
            frame.filter(pl.col("finding").is_in(list(parts)))
            .group_by("level", "id", maintain_order=True)
            .agg(greatest)
            .with_columns(finding=pl.lit(name))
        )
        frame = label_table(pl.concat([frame, union.select(frame.columns)])).frame
    return frame
