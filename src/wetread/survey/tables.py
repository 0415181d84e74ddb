"""survey/tables.py: a clinical table (age, sex, measurements over weeks) beside an archive.

In: any table, as text, with a column of ids. Out: frames: what each column holds, by group, over
time.
"""

from __future__ import annotations

import re

import polars as pl

from wetread.survey.objects import QUANTILES, quantiles

MOST_WORDS = 12  # distinct texts of a column that is taken for groups
NUMBER_SHARE = 0.95  # of the filled cells, from which on a column is one of numbers
TIME_WORDS = r"(?i)(^|[^a-z])(weeks?|days?|months?|years?|time|visit)([^a-z]|$)"
THOUSANDS = r"^-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?$"
# Columns that name persons, by their own names; and numbers that do: long, and of one row each.
IDENTIFYING = (
    r"(?i)(name|birth|dob|mrn|ssn|address|phone|email|accession|insurance|street|zip|date)"
)
LONG_NUMBER = 100_000


def numbers(cells: pl.Series) -> pl.Series:
    """Read cells as numbers; null where a cell is none. Commas part thousands where all cells with
    one have three digits behind each, and are decimal else."""
    bare = cells.str.strip_chars()
    with_comma = bare.filter(bare.str.contains(",").fill_null(False))
    thousands = len(with_comma) > 0 and with_comma.str.contains(THOUSANDS).all()
    plain = bare.str.replace_all(",", "" if thousands else ".")
    values = plain.cast(pl.Float64, strict=False)
    return values.set(~values.is_finite().fill_null(False), None)


def is_numeric(cells: pl.Series) -> bool:
    """Whether nearly all filled cells are numbers."""
    filled = cells.drop_nulls()
    return len(filled) > 0 and numbers(filled).count() >= NUMBER_SHARE * len(filled)


def describe_columns(table: pl.DataFrame, key: str) -> pl.DataFrame:
    """Describe the columns of a table of texts: column, kind ("id", "number", "group", "text" or
    "withheld"), filled, missing, share_missing, distinct, and of numbers QUANTILES and mean.

    key: the column of ids.
    """
    rows = []
    for name in table.columns:
        cells = table[name]
        kind = _kind(cells) if name != key else "id"
        row = {
            "column": name, "kind": kind, "filled": cells.count(), "missing": cells.null_count(),
            "share_missing": cells.null_count() / max(len(cells), 1),
            "distinct": cells.drop_nulls().n_unique(),
        }  # fmt: skip
        if kind == "number":
            values = numbers(cells).to_frame("value")
            row |= values.select(**quantiles(pl.col("value"))).row(0, named=True)
            row["mean"] = values["value"].mean()
        rows.append(row)
    schema = {
        "column": pl.String(), "kind": pl.String(), "filled": pl.Int64(), "missing": pl.Int64(),
        "share_missing": pl.Float64(), "distinct": pl.Int64(),
        **dict.fromkeys(QUANTILES, pl.Float64()), "mean": pl.Float64(),
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema)


def _kind(cells: pl.Series) -> str:
    """Name what a column holds; "withheld" of what may name a person, whose values are not shown:
    by its name, or as long whole numbers or texts that are new in nearly each row."""
    known = cells.drop_nulls()
    distinct = known.n_unique()
    if re.search(IDENTIFYING, cells.name):
        return "withheld"
    if is_numeric(cells) and distinct > 2:
        values = numbers(known).drop_nulls()
        whole = distinct == len(known) and bool((values % 1 == 0).all())
        return "withheld" if whole and bool((values >= LONG_NUMBER).all()) else "number"
    if distinct > MOST_WORDS:
        return "text"
    return "group" if distinct < len(known) or distinct < 3 else "withheld"


def count_groups(table: pl.DataFrame, key: str) -> pl.DataFrame:
    """Count the values of columns with few of them: column, value (null: missing), rows, ids."""
    kinds = describe_columns(table, key)
    names = kinds.filter(pl.col("kind") == "group")["column"]
    parts = [
        table.group_by(value=pl.col(name)).agg(rows=pl.len(), ids=pl.col(key).n_unique())
        .select(pl.lit(name).alias("column"), "value", "rows", "ids")
        .sort("rows", "value", descending=[True, False], nulls_last=True)
        for name in names
    ]  # fmt: skip
    schema = {"column": pl.String(), "value": pl.String(), "rows": pl.UInt32(), "ids": pl.UInt32()}
    return pl.concat([pl.DataFrame(schema=schema), *parts])


def numbers_by_group(table: pl.DataFrame, key: str) -> pl.DataFrame:
    """Describe every column of numbers in every group: number, group, value, known, mean, sd,
    median."""
    kinds = describe_columns(table, key)
    groups = kinds.filter(pl.col("kind") == "group")["column"]
    columns = kinds.filter(pl.col("kind") == "number")["column"]
    value = pl.col("number")
    parts = [
        table.select(pl.col(group).alias("value"), numbers(table[number]).alias("number"))
        .group_by("value")
        .agg(known=value.count(), mean=value.mean(), sd=value.std(), median=value.median())
        .select(pl.lit(number).alias("number"), pl.lit(group).alias("group"), "value", "known",
                "mean", "sd", "median")
        .sort("value", nulls_last=True)
        for group in groups for number in columns
    ]  # fmt: skip
    schema = {
        "number": pl.String(), "group": pl.String(), "value": pl.String(), "known": pl.UInt32(),
        "mean": pl.Float64(), "sd": pl.Float64(), "median": pl.Float64(),
    }  # fmt: skip
    return pl.concat([pl.DataFrame(schema=schema), *parts])


def time_column(table: pl.DataFrame, key: str) -> str | None:
    """Name the column of time (weeks, days, visits) where an id has several rows; None without."""
    if not table[key].drop_nulls().is_duplicated().any():
        return None
    for name in table.columns:
        if name != key and re.search(TIME_WORDS, name) and is_numeric(table[name]):
            return name
    return None


def change_over_time(table: pl.DataFrame, key: str, time: str) -> pl.DataFrame:
    """Measure by least squares how numbers change in each id with two times and more: number, ids,
    per_time_mean, per_time_sd, falling (share of ids whose number falls)."""
    kinds = describe_columns(table, key)
    columns = [n for n in kinds.filter(pl.col("kind") == "number")["column"] if n != time]
    rows = []
    for name in columns:
        pairs = table.select(
            pl.col(key).alias("id"), t=numbers(table[time]), v=numbers(table[name])
        ).drop_nulls()
        slopes = (
            pairs.group_by("id")
            .agg(slope=pl.cov("t", "v") / pl.col("t").var(), times=pl.col("t").n_unique())
            .filter(pl.col("times") > 1)["slope"]
        )
        if len(slopes) and pairs.group_by("id").agg(pl.col("v").n_unique())["v"].max() != 1:
            rows.append(
                {
                    "number": name,
                    "ids": len(slopes),
                    "per_time_mean": slopes.mean(),
                    "per_time_sd": slopes.std(),
                    "falling": (slopes < 0).mean(),
                }
            )
    schema = {
        "number": pl.String(), "ids": pl.Int64(), "per_time_mean": pl.Float64(),
        "per_time_sd": pl.Float64(), "falling": pl.Float64(),
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema)
