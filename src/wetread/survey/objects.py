"""survey/objects.py: what an archive holds, counted: objects, headers, pixel forms, rejects.

In: the table of an Index (INDEX_SCHEMA), as a frame or lazily from disk. Out: small frames. Tables
are scanned column by column, so that ten million rows take no more memory than a few columns.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from wetread.archive.files.foreign_text import visible

Table = pl.LazyFrame | pl.DataFrame
HEADERS = (  # columns whose values are counted
    "Modality", "BodyPartExamined", "ViewPosition", "PatientSex", "Manufacturer",
    "ManufacturerModelName", "ConvolutionKernel", "KVP", "PhotometricInterpretation",
)  # fmt: skip
PIXEL_FORM = (
    "Modality", "Rows", "Columns", "BitsAllocated", "BitsStored", "PixelRepresentation",
    "PhotometricInterpretation", "RescaleSlope", "RescaleIntercept", "PixelPaddingValue",
)  # fmt: skip
NUMBERS = {  # columns that are described by their range, and their units
    "size": "bytes", "age_years": "years", "Rows": "pixels", "Columns": "pixels",
    "row_spacing_mm": "mm", "column_spacing_mm": "mm", "SliceThickness": "mm", "KVP": "kV",
}  # fmt: skip
EXPECTED = (  # columns that a reader of images wants to find filled
    "PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "Modality",
    "BodyPartExamined", "ViewPosition", "PatientSex", "age_years", "Manufacturer",
    "ManufacturerModelName", "ConvolutionKernel", "KVP", "InstanceNumber", "row_spacing_mm",
    "SliceThickness", "position_mm", "orientation", "RescaleSlope", "RescaleIntercept",
    "RescaleType", "WindowCenter", "PixelPaddingValue", "lossy",
)  # fmt: skip
QUANTILES = {"least": 0.0, "p5": 0.05, "median": 0.5, "p95": 0.95, "greatest": 1.0}
_UNITS = {"series": "SeriesInstanceUID", "studies": "StudyInstanceUID", "patients": "PatientID"}


def images_of(table: Table) -> pl.LazyFrame:
    """Return the rows that hold an image, lazily."""
    return table.lazy().filter(pl.col("state") == "image")


def collected(rows: pl.LazyFrame) -> pl.DataFrame:
    """Compute a small frame from rows that may not fit into memory."""
    found: pl.DataFrame = rows.collect(engine="streaming")
    return found


def hashed(column: str) -> pl.Expr:
    """Return 64-bit hashes of a column of identifiers, null where there is none: hashed before
    rows are grouped, ten million take a tenth of the memory of their texts."""
    return pl.when(pl.col(column).is_not_null()).then(pl.col(column).hash())


def distinct(name: str) -> pl.Expr:
    """Count the distinct values of a column, of which null is none."""
    return pl.col(name).drop_nulls().n_unique()


def count_objects(table: Table) -> pl.DataFrame:
    """Count the images of an archive: images, series, studies, patients, bytes, one row."""
    rows = images_of(table).select("size", **{n: hashed(uid) for n, uid in _UNITS.items()})
    units = {name: distinct(name) for name in _UNITS}
    return collected(rows.select(images=pl.len(), **units, bytes=pl.col("size").sum()))


def count_values(table: Table, column: str) -> pl.DataFrame:
    """Count a header's values: value (text, null where the header has none), images, series,
    studies, patients; the most frequent first."""
    return count_headers(table, (column,))[column]


def count_headers(table: Table, columns: Sequence[str] = HEADERS) -> dict[str, pl.DataFrame]:
    """Count the values of several headers in one scan, each as count_values does."""
    rows = images_of(table).select(*columns, **{n: hashed(uid) for n, uid in _UNITS.items()})
    units = {name: distinct(name) for name in _UNITS}
    counts = [
        rows.group_by(value=pl.col(column).cast(pl.String)).agg(images=pl.len(), **units)
        for column in columns
    ]
    found = pl.collect_all(counts, engine="streaming")
    shown = pl.col("value").map_elements(visible, return_dtype=pl.String)
    order = {"descending": [True, False], "nulls_last": True}
    return {
        column: one.sort("images", "value", **order).with_columns(shown)  # type: ignore[arg-type]
        for column, one in zip(columns, found, strict=True)
    }


def pixel_forms(table: Table) -> pl.DataFrame:
    """Count the forms in which pixels are stored: PIXEL_FORM, images, series; the most frequent
    first. Why air is -1000 in one image and -1024 in another is read here."""
    key = pl.struct(PIXEL_FORM).hash()
    rows = images_of(table).select(*PIXEL_FORM, key=key, series=hashed("SeriesInstanceUID"))
    counts = rows.group_by("key").agg(
        *(pl.col(name).first() for name in PIXEL_FORM), images=pl.len(), series=distinct("series")
    )
    return (
        collected(counts).drop("key").sort("images", *PIXEL_FORM, descending=[True] + [False] * 10)
    )


def transfer_syntaxes(table: Table) -> pl.DataFrame:
    """Count transfer syntaxes: TransferSyntaxUID, name, lossy, images."""
    from pydicom.uid import UID

    counts = collected(
        images_of(table).group_by("TransferSyntaxUID", "lossy").agg(images=pl.len())
    ).sort("images", "TransferSyntaxUID", "lossy", descending=[True, False, False])
    names = [UID(uid).name if uid else None for uid in counts["TransferSyntaxUID"]]
    return counts.select(
        "TransferSyntaxUID", pl.Series("name", names, pl.String), "lossy", "images"
    )


def missing_headers(table: Table) -> pl.DataFrame:
    """Count the images that lack a header: column, missing, share; the most lacking first."""
    rows = images_of(table).select(pl.len(), *(pl.col(name).null_count() for name in EXPECTED))
    found = collected(rows)
    total = max(found["len"].item(), 1)
    counts = [(name, found[name].item(), found[name].item() / total) for name in EXPECTED]
    schema = {"column": pl.String(), "missing": pl.Int64(), "share": pl.Float64()}
    return pl.DataFrame(counts, schema=schema, orient="row").sort(
        "missing", descending=True, maintain_order=True
    )


def describe_numbers(table: Table) -> pl.DataFrame:
    """Describe columns of numbers over the images: column, unit, known, and QUANTILES."""
    parts = []
    for name, unit in NUMBERS.items():
        value = pl.col(name).cast(pl.Float64)
        row = images_of(table).select(known=value.count(), **quantiles(value))
        columns = {"column": pl.lit(name), "unit": pl.lit(unit)}
        parts.append(collected(row).select(**columns, known="known", **{q: q for q in QUANTILES}))
    return pl.concat(parts)


def quantiles(value: pl.Expr) -> dict[str, pl.Expr]:
    """Make the expressions of QUANTILES of a number; the nearest values that are there."""
    return {name: value.quantile(q, "nearest") for name, q in QUANTILES.items()}


def count_rejects(rejects: pl.DataFrame) -> pl.DataFrame:
    """Count what was refused: reason, files, and of each the path of an example with its detail."""
    path = pl.concat_str("path", pl.col("member").fill_null(""), separator=" ").str.strip_chars()
    return (
        rejects.with_columns(example=path)
        .group_by("reason")
        .agg(files=pl.len(), example=pl.col("example").first(), detail=pl.col("detail").first())
        .sort("files", "reason", descending=[True, False])
    )


def count_notes(table: Table) -> pl.DataFrame:
    """Count what is odd in files that are read all the same: name (of archive/notes.py), images."""
    name = pl.col("notes").str.split(":").list.first()
    rows = images_of(table).select("notes").explode("notes").drop_nulls().select(name=name)
    counts = collected(rows.group_by("name").agg(images=pl.len()))
    return counts.sort("images", "name", descending=[True, False])


def draw_rows(table: Table, most: int, seed: int) -> pl.DataFrame:
    """Read the images of a table, or of more than `most` so many, drawn by seed."""
    images = images_of(table)
    count: int = collected(images.select(pl.len())).item()
    if count <= most:
        return collected(images)
    drawn = np.random.default_rng(seed).choice(count, most, replace=False)
    return rows_at(images, np.sort(drawn).tolist()).drop("at")


def rows_at(images: pl.LazyFrame, places: Sequence[int]) -> pl.DataFrame:
    """Read the rows at some places, with their place `at`; of other rows no more than the file is
    decoded, and of a table on disk only the parts in which these lie."""
    files = ["path", "member"]
    numbered = images.select(files).with_row_index("at")
    wanted = collected(numbered.filter(pl.col("at").is_in(list(places))))
    inside = pl.all_horizontal(
        pl.col(name).is_in(wanted[name].unique().implode(), nulls_equal=True) for name in files
    )
    rows = collected(images.filter(inside))
    return rows.join(wanted, on=files, how="inner", nulls_equal=True, maintain_order="right")
