"""survey/label_counts.py: what labels say, counted: by level, together, along the series, broken.

In: a LabelTable by the ids of an archive (or of its files alone), rows of an Index. Out: frames.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from wetread.archive.types import Float64Array
from wetread.evaluation.group_rules import GroupRule
from wetread.labels.table import LabelTable
from wetread.study.series import positions_mm, series_slices

POSITIVE = 0.5  # a label from here on is positive
BANDS = 20  # of a series from end to end
UNITS = {"image": "SOPInstanceUID", "study": "StudyInstanceUID", "patient": "patient"}
_VALUE = pl.col("value")


def count_labels(labels: LabelTable) -> pl.DataFrame:
    """Count labels as they are given: level, finding, positive, negative, unknown, share (of
    positives among the known); findings in the order of the file."""
    return (
        labels.frame.group_by("level", "finding", maintain_order=True)
        .agg(
            positive=(_VALUE >= POSITIVE).sum(),
            negative=(_VALUE < POSITIVE).sum(),
            unknown=_VALUE.is_null().sum(),
            share=(_VALUE >= POSITIVE).sum() / _VALUE.count(),
        )
        .with_columns(pl.col("share").fill_nan(None))
    )


def unit_shares(labels: LabelTable, images: pl.DataFrame) -> pl.DataFrame:
    """Count positives by every unit that could be meant by "the share of positives": finding, unit
    ("label row" over all findings, "image", "study", "patient"), positive, known, share.

    A study or patient is positive where one of its images or its own label is, negative where all
    that is known of it is. images: rows of an index with a column `patient`.
    """
    rows = labels.frame.filter(_VALUE.is_not_null())
    owners = images.select(
        image="SOPInstanceUID", study="StudyInstanceUID", patient="patient"
    ).drop_nulls("image")
    of_images = rows.filter(pl.col("level") == "image").join(
        owners, left_on="id", right_on="image", how="inner"
    )
    studies = owners.select("study", "patient").drop_nulls("study").unique("study")
    of_studies = (
        rows.filter(pl.col("level") == "study")
        .join(studies, left_on="id", right_on="study", how="inner")
        .with_columns(study="id")
    )
    parts = [_share(of_images.with_columns(unit_id="id"), "image")]
    both = pl.concat([part.select("finding", "value", "study", "patient")
                      for part in (of_images, of_studies)])  # fmt: skip
    parts += [_share(both.with_columns(unit_id=unit), unit) for unit in ("study", "patient")]
    every = rows.select(
        finding=pl.lit("all findings"), unit=pl.lit("label row"),
        positive=(_VALUE >= POSITIVE).sum().cast(pl.Int64), known=_VALUE.count().cast(pl.Int64),
    )  # fmt: skip
    counts = pl.concat([every, *parts]).filter(pl.col("known") > 0)
    return counts.with_columns(share=pl.col("positive") / pl.col("known"))


def _share(rows: pl.DataFrame, unit: str) -> pl.DataFrame:
    """Count the units (column unit_id) that have a positive label, by finding."""
    units = rows.drop_nulls("unit_id").group_by("finding", "unit_id", maintain_order=True).agg(
        positive=(_VALUE >= POSITIVE).any()
    )  # fmt: skip
    return units.group_by("finding", maintain_order=True).agg(
        unit=pl.lit(unit), positive=pl.col("positive").sum().cast(pl.Int64),
        known=pl.len().cast(pl.Int64),
    )  # fmt: skip


def co_occurrence(labels: LabelTable, level: str) -> pl.DataFrame:
    """Count findings that are positive together: finding, then a column a finding with the number
    of ids of a level that have both; on the diagonal those that have the one."""
    positive = labels.frame.filter((pl.col("level") == level) & (_VALUE >= POSITIVE))
    names = labels.frame.filter(pl.col("level") == level)["finding"].unique(maintain_order=True)
    ids = positive["id"].unique(maintain_order=True)
    place = {name: number for number, name in enumerate(names)}
    row = {one: number for number, one in enumerate(ids)}
    has = np.zeros((len(ids), len(names)), np.int64)
    for one, finding in positive.select("id", "finding").iter_rows():
        has[row[one], place[finding]] = 1
    together = has.T @ has
    return pl.DataFrame(
        {"finding": names, **{name: together[:, place[name]] for name in names}},
        schema={"finding": pl.String(), **dict.fromkeys(names, pl.Int64())},
    )


def positive_places(labels: LabelTable, images: pl.DataFrame) -> pl.DataFrame:
    """Count labeled slices along their series: finding, band (0 at the lowest slice to BANDS - 1),
    positive, known, share; of series with two slices that have a place, and more.

    images: rows of an index. What place alone earns is seen here.
    """
    rows = labels.frame.filter((pl.col("level") == "image") & _VALUE.is_not_null())
    labeled = images.filter(pl.col("SOPInstanceUID").is_in(rows["id"].unique().implode()))
    series = labeled["SeriesInstanceUID"].drop_nulls().unique().implode()
    places = [
        pl.DataFrame({"id": slices["SOPInstanceUID"], "band": bands})
        for slices in series_slices(images.filter(pl.col("SeriesInstanceUID").is_in(series)))
        if (bands := _bands(slices)) is not None
    ]
    schema = {"id": pl.String(), "band": pl.Int64()}
    placed = rows.join(pl.concat([pl.DataFrame(schema=schema), *places]), on="id", how="inner")
    return (
        placed.group_by("finding", "band")
        .agg(positive=(_VALUE >= POSITIVE).sum().cast(pl.Int64), known=pl.len().cast(pl.Int64))
        .with_columns(share=pl.col("positive") / pl.col("known"))
        .sort("finding", "band")
    )


def _bands(slices: pl.DataFrame) -> pl.Series | None:
    """Return the band of each slice of a series, in order; None where there are no two places."""
    places: Float64Array = positions_mm(slices)
    known = np.isfinite(places)
    if known.sum() < 2 or np.ptp(places[known]) == 0:
        return None
    share = (places - places[known].min()) / np.ptp(places[known])
    band = np.where(known, np.minimum(np.nan_to_num(share) * BANDS, BANDS - 1), -1).astype(np.int64)
    return pl.Series("band", band).replace(-1, None)


def broken_rules(
    labels: LabelTable, rules: Sequence[GroupRule], headline: str = ""
) -> pl.DataFrame:
    """Find the images and studies whose known labels break a rule: level, id, rule, text.

    headline: a finding of studies that says whether an image of one is positive, where the label
    file has no images of it. An unknown label neither breaks a rule of "at most" nor is missed.
    """
    found = []
    some_image = _some_image(labels, headline)
    for (level,), rows in labels.frame.group_by("level", maintain_order=True):
        wide = rows.pivot("finding", index="id", values="value", maintain_order=True)
        for rule in rules:
            if not rule.bound <= set(wide.columns):
                continue
            names = [pl.col(name) for name in rule.findings]
            present = pl.sum_horizontal((name >= POSITIVE).fill_null(False) for name in names)
            unknown = pl.sum_horizontal(name.is_null() for name in names)
            broken = present + unknown < rule.least
            if rule.most is not None:
                broken |= present > rule.most
            if rule.given is not None:
                broken &= ((pl.col(rule.given) >= POSITIVE) == rule.given_is).fill_null(False)
            ids = wide.filter(broken)["id"].to_list()
            if rule.with_image is not None:
                ids = [one for one in ids if some_image.get(one) == rule.with_image]
            found += [(str(level), one, rule.name, rule.text) for one in ids]
    schema = dict.fromkeys(("level", "id", "rule", "text"), pl.String())
    return pl.DataFrame(found, schema=schema, orient="row")


def _some_image(labels: LabelTable, headline: str) -> dict[str, bool]:
    """Find which studies have a positive image, by the label file's own table of exams, or else
    which are positive of the headline."""
    known = labels.frame.filter(_VALUE.is_not_null())
    stated = known.filter((pl.col("level") == "study") & (pl.col("finding") == headline))
    found = {one: value >= POSITIVE for one, value in stated.select("id", "value").iter_rows()}
    joined = known.filter(pl.col("level") == "image").join(
        labels.exams, left_on="id", right_on="image", how="inner"
    )
    studies = joined.group_by("study").agg(positive=(_VALUE >= POSITIVE).any())
    return found | dict(studies.iter_rows())
