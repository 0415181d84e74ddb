"""labels/table.py: labels as one long table, and how they join to images. Reads no files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from wetread.archive.errors import WetreadError
from wetread.archive.types import Float32Array, Float64Array
from wetread.labels.finding import Finding, Level

LABEL_SCHEMA: dict[str, pl.DataType] = {
    "level": pl.String(),
    "id": pl.String(),
    "finding": pl.String(),
    "value": pl.Float64(),
}
CONFLICT_SCHEMA: dict[str, pl.DataType] = {
    "level": pl.String(),
    "id": pl.String(),
    "finding": pl.String(),
    "values": pl.List(pl.Float64()),
}
MASK_SCHEMA: dict[str, pl.DataType] = {
    "id": pl.String(),
    "finding": pl.String(),
    "form": pl.String(),
    "runs": pl.List(pl.String()),
}
EXAM_SCHEMA: dict[str, pl.DataType] = {
    "image": pl.String(),
    "series": pl.String(),
    "study": pl.String(),
}
KEY = ("level", "id", "finding")


class LabelError(WetreadError):
    """A label file that cannot be taken as it is; the message says where and what to do."""


@dataclass(frozen=True, eq=False)
class LabelTable:
    """Labels, one row each, no key twice; and masks, where they are known.

    A finding in an image is known in three ways: present, with its mask (value 1 and runs);
    present, without (value 1, no row in masks); absent (value 0: the mask is empty, row or no row).

    frame:      LABEL_SCHEMA; value in 0..1, null where unknown. Ids are text as they were written.
    conflicts:  CONFLICT_SCHEMA; keys that stood more than once with unequal values (unknown in
                frame), and the values.
    duplicates: rows left out because an equal one was read before.
    masks:      MASK_SCHEMA; one row an (id, finding) of known mask. runs: its run-length texts, to
                be united ([] where nothing is marked); form: one of labels/mask_text.py.
    exams:      EXAM_SCHEMA; which image is of which series and study, where the file says so; no
                image twice.
    """

    frame: pl.DataFrame
    conflicts: pl.DataFrame
    duplicates: int
    masks: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=MASK_SCHEMA))
    exams: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=EXAM_SCHEMA))

    def with_frame(self, frame: pl.DataFrame) -> LabelTable:
        """Replace the labels by others, LABEL_SCHEMA, no key twice."""
        return replace(self, frame=frame)

    def matrix(self, ids: Sequence[str], findings: Sequence[Finding]) -> Float32Array:
        """Return the values (N, F) float32, a row an id and a column a finding; NaN where
        unknown."""
        return self.matrix_float64(ids, findings).astype(np.float32)

    def matrix_float64(
        self, ids: Sequence[str] | pl.Series, findings: Sequence[Finding]
    ) -> Float64Array:
        """Return the values (N, F) float64, a row an id and a column a finding; NaN where unknown.

        Every digit of the file is kept: for the official metric.
        """
        values = np.full((len(ids), len(findings)), np.nan)
        rows = pl.DataFrame({"id": pl.Series(ids, dtype=pl.String())}).with_row_index("row")
        columns = pl.DataFrame(
            {
                "level": [finding.level for finding in findings],
                "finding": [finding.name for finding in findings],
                "column": range(len(findings)),
            },
            schema={"level": pl.String(), "finding": pl.String(), "column": pl.Int64()},
        )
        known = (
            self.frame.filter(pl.col("value").is_not_null())
            .join(columns, on=["level", "finding"])
            .join(rows, on="id")
        )
        values[known["row"].to_numpy(), known["column"].to_numpy()] = known["value"].to_numpy()
        return values


@dataclass(frozen=True)
class Match:
    """How many labels and images belong to each other, in distinct ids; labeled +
    images_without_label = images.

    labeled:             images with at least one known label.
    images_without_label: images with none (no row at all, or only unknown values).
    labels_without_image: ids of the table that are no image here.
    """

    labeled: int
    images_without_label: int
    labels_without_image: int


def match(labels: LabelTable, ids: Sequence[str], level: Level = "image") -> Match:
    """Count the ids with and without labels at one level, and the labels of no id."""
    images = pl.DataFrame({"id": list(ids)}, schema={"id": pl.String()}).unique()
    listed = labels.frame.filter(pl.col("level") == level)
    known = listed.filter(pl.col("value").is_not_null()).select("id").unique()
    labeled = images.join(known, on="id", how="semi").height
    strangers = listed.select("id").unique().join(images, on="id", how="anti").height
    return Match(labeled, images.height - labeled, strangers)


def label_table(rows: pl.DataFrame) -> LabelTable:
    """Make a LabelTable of rows (LABEL_SCHEMA, keys may repeat), in order of first appearance.

    Equal values are one label; a known value beside an unknown one stands; unequal known values
    make the label unknown and are listed.
    """
    rows = rows.select(*KEY, "value").cast(LABEL_SCHEMA)  # type: ignore[arg-type]
    repeated = rows.select(pl.struct(KEY).is_duplicated().alias("repeated"))["repeated"]
    if not repeated.any():
        return LabelTable(rows, pl.DataFrame(schema=CONFLICT_SCHEMA), 0)
    groups = (
        rows.filter(repeated)
        .group_by(KEY, maintain_order=True)
        .agg(pl.col("value").drop_nulls().alias("values"), pl.len().alias("times"))
    )
    disagree = pl.col("values").list.n_unique() > 1
    conflicts = groups.filter(disagree).select(*KEY, "values")
    duplicates = int(groups.filter(~disagree).select((pl.col("times") - 1).sum()).item())
    resolved = groups.select(
        *KEY,
        pl.when(disagree).then(None).otherwise(pl.col("values").list.first()).alias("resolved"),
    )
    frame = (
        rows.with_columns(repeated)
        .unique(subset=KEY, keep="first", maintain_order=True)
        .join(resolved, on=KEY, how="left", maintain_order="left")
        .select(*KEY, pl.when("repeated").then("resolved").otherwise("value").alias("value"))
    )
    return LabelTable(frame, conflicts.cast(CONFLICT_SCHEMA), duplicates)  # type: ignore[arg-type]


def merge_labels(tables: Sequence[LabelTable]) -> LabelTable:
    """Merge several label files into one table.

    A label that one file contradicts in itself stays unknown; a mask of a finding that is unknown
    is left out.
    """
    if len(tables) == 1:
        return tables[0]
    merged = merge_values(tables)
    masks = merge_masks([table.masks for table in tables])
    disputed = merged.conflicts.select("id", "finding").unique()
    known = masks.join(disputed, on=["id", "finding"], how="anti", maintain_order="left")
    exams = [pl.DataFrame(schema=EXAM_SCHEMA), *(table.exams for table in tables)]
    return replace(merged, masks=known, exams=unique_images(pl.concat(exams)))


def merge_values(tables: Sequence[LabelTable]) -> LabelTable:
    """Merge the values of several tables, without masks."""
    frame = pl.concat([table.frame for table in tables] or [pl.DataFrame(schema=LABEL_SCHEMA)])
    earlier = pl.concat(
        [table.conflicts for table in tables] or [pl.DataFrame(schema=CONFLICT_SCHEMA)]
    )
    merged = label_table(frame)
    duplicates = merged.duplicates + sum(table.duplicates for table in tables)
    if earlier.is_empty():
        return LabelTable(merged.frame, merged.conflicts, duplicates)
    conflicts = (
        pl.concat([earlier, merged.conflicts])
        .group_by(KEY, maintain_order=True)
        .agg(pl.col("values").list.explode())
    )
    value = pl.when("disputed").then(None).otherwise("value").alias("value")
    resolved = merged.frame.join(
        conflicts.select(*KEY, pl.lit(True).alias("disputed")),
        on=KEY,
        how="left",
        maintain_order="left",
    ).select(*KEY, value)
    return LabelTable(resolved, conflicts, duplicates)


def unique_images(exams: pl.DataFrame) -> pl.DataFrame:
    """Return rows of EXAM_SCHEMA, equal ones once; LabelError where an image has two series or
    studies."""
    rows = exams.select(list(EXAM_SCHEMA))
    if not rows["image"].is_duplicated().any():
        return rows
    rows = rows.unique(maintain_order=True)
    torn = rows.filter(pl.col("image").is_duplicated())
    if not torn.is_empty():
        raise LabelError(
            f"image {torn['image'][0]!r} is given to two series or studies "
            f"({torn['image'].n_unique()} such images). An image is of one; correct the files."
        )
    return rows


def merge_masks(masks: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Merge tables of MASK_SCHEMA: the runs of one (id, finding) are united, each text once.

    LabelError where one mask stands in two forms: texts of two forms are no one mask's.
    """
    rows = pl.concat([*masks, pl.DataFrame(schema=MASK_SCHEMA)])
    key = ["id", "finding"]
    if not rows.select(pl.struct(key).is_duplicated().any()).item():
        return rows
    marked = pl.col("runs").list.len() > 0  # an empty mask is empty in every form
    forms = pl.col("form").filter(marked)
    groups = rows.group_by(key, maintain_order=True).agg(
        forms.n_unique().alias("forms"),
        pl.coalesce(forms.first(), pl.col("form").first()).alias("form"),
        pl.col("runs").list.explode().drop_nulls().unique(maintain_order=True),
    )
    several = groups.filter(pl.col("forms") > 1)
    if not several.is_empty():
        raise LabelError(
            f"the mask of {several['finding'][0]} in {several['id'][0]} stands in two run-length "
            f"forms ({several.height} such masks). Write the files in one form, or leave one out."
        )
    return groups.select(list(MASK_SCHEMA))
