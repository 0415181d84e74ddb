"""survey/series.py: series and studies in numbers: slices, spacing, coverage, tilt; and every issue
of geometry, counted.

In: the table of an Index (INDEX_SCHEMA). Out: frames with a row a series, or a row a number.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import polars as pl

from wetread.study.issues import geometry_issues
from wetread.study.series import series_slices
from wetread.survey.objects import Table, collected, hashed, images_of, quantiles

MOST_IMAGES = 30_000  # of the series whose issues are looked for; of more, series drawn by seed
SAME_MM = 0.01  # positions that differ by less are one place
MOST_DISTANCE_MM = 50.0  # between slices, and of their thickness: more is no scan of a body
MOST_PIXEL_MM = 5.0  # likewise between pixels
LEAST_MM = 0.02
STUDY_NUMBERS = {"series": "series a study", "slices": "images a study"}
SERIES_NUMBERS = {
    "slices": "images", "distance_mm": "mm", "thickness_mm": "mm", "coverage_mm": "mm",
    "pixel_mm": "mm", "tilt_degrees": "degrees",
}  # fmt: skip


def series_table(table: Table) -> pl.DataFrame:
    """Describe every series: series, study (64-bit hashes of their UIDs, null where there is none),
    modality, slices, places, distance_mm (mean, between distinct places), thickness_mm,
    coverage_mm, pixel_mm, tilt_degrees (of the slices' normal to the table's long axis)."""
    row, column = ([_item("orientation", start + k) for k in range(3)] for start in (0, 3))
    normal = [
        row[(k + 1) % 3] * column[(k + 2) % 3] - row[(k + 2) % 3] * column[(k + 1) % 3]
        for k in range(3)
    ]
    place = sum((normal[k] * _item("position_mm", k) for k in range(3)), pl.lit(0.0))
    uid = pl.coalesce("SeriesInstanceUID", "SOPInstanceUID")
    rows = images_of(table).select(
        series=uid.hash(),
        study=hashed("StudyInstanceUID"),
        modality="Modality",
        place=place,
        thickness="SliceThickness",
        pixel="row_spacing_mm",
        normal=pl.concat_str((one * 100).round().cast(pl.String) for one in normal).hash(),
        tilt=normal[2].abs().clip(0.0, 1.0).arccos().degrees(),
    )
    ordered = pl.col("place").drop_nulls().sort()
    places = (ordered.diff() > SAME_MM).sum() + pl.col("place").is_not_null().any()
    # Planes that cross, as those of scouts, have places on normals of their own, and no distance.
    one_plane = pl.col("normal").drop_nulls().n_unique() == 1
    coverage = pl.when(one_plane).then(pl.col("place").max() - pl.col("place").min())
    found = rows.group_by("study", "series").agg(
        modality=pl.col("modality").first(),
        slices=pl.len(),
        places=places,
        coverage_mm=pl.when(places > 1).then(coverage),
        thickness_mm=pl.col("thickness").median(),
        pixel_mm=pl.col("pixel").median(),
        tilt_degrees=pl.col("tilt").median(),
    )
    distance = pl.col("coverage_mm") / (pl.col("places") - 1)
    return collected(found).with_columns(distance_mm=distance).sort("study", "series")


def _item(column: str, place: int) -> pl.Expr:
    return pl.col(column).list.get(place, null_on_oob=True)


def describe_series(series: pl.DataFrame) -> pl.DataFrame:
    """Describe the numbers of a series_table: number, unit, known, least, p5, median, p95,
    greatest."""
    return pl.concat(
        series.select(
            number=pl.lit(name), unit=pl.lit(unit), known=pl.col(name).count().cast(pl.Int64),
            **quantiles(pl.col(name).cast(pl.Float64)),
        )
        for name, unit in SERIES_NUMBERS.items()
    )  # fmt: skip


def describe_studies(series: pl.DataFrame) -> pl.DataFrame:
    """Describe studies by a series_table: number, known (studies), least, p5, median, p95,
    greatest."""
    studies = series.drop_nulls("study").group_by("study").agg(
        series=pl.len(), slices=pl.col("slices").sum()
    )  # fmt: skip
    return pl.concat(
        studies.select(
            number=pl.lit(words), known=pl.col(name).count().cast(pl.Int64),
            **quantiles(pl.col(name).cast(pl.Float64)),
        )
        for name, words in STUDY_NUMBERS.items()
    )  # fmt: skip


def impossible_spacing(series: pl.DataFrame) -> pl.DataFrame:
    """Find the series whose distances, thickness or pixels no scan of a body has: rows of a
    series_table."""
    volume = pl.col("modality").is_in(["CT", "MR", "PT"])
    lengths = {"distance_mm": MOST_DISTANCE_MM, "thickness_mm": MOST_DISTANCE_MM,
               "pixel_mm": MOST_PIXEL_MM}  # fmt: skip
    wrong = [
        ~pl.col(name).is_between(LEAST_MM, most).fill_null(True) for name, most in lengths.items()
    ]
    return series.filter(volume & pl.any_horizontal(wrong))


def geometry_counts(table: Table, seed: int = 0, most: int = MOST_IMAGES) -> pl.DataFrame:
    """Count the issues of geometry: issue (of study/issue.py), series, example (the UID of one
    that has it). Where there are more images than `most`, series are drawn by seed."""
    counts: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for rows in series_slices(draw_series(table, seed, most)):
        for name in {issue.name for issue in geometry_issues(rows)}:
            counts[name] += 1
            examples.setdefault(name, str(rows["SeriesInstanceUID"][0] or ""))
    found = [(name, count, examples[name]) for name, count in sorted(counts.items())]
    schema = {"issue": pl.String(), "series": pl.Int64(), "example": pl.String()}
    return pl.DataFrame(found, schema=schema, orient="row").sort(
        "series", descending=True, maintain_order=True
    )


def draw_series(table: Table, seed: int, most: int) -> pl.DataFrame:
    """Read the images of all series, or of so many series, drawn by seed, as have no more than
    `most` images (of one, whatever it has): rows of the table."""
    images = images_of(table)
    uid = pl.coalesce("SeriesInstanceUID", "SOPInstanceUID").hash()
    sizes = collected(images.group_by(series=uid).agg(images=pl.len())).sort("series")
    if sizes["images"].sum() > most:
        order = np.random.default_rng(seed).permutation(sizes.height)
        sizes = sizes[order].filter(
            (pl.col("images").cum_sum() <= most) | (pl.int_range(pl.len()) == 0)
        )
        images = images.filter(uid.is_in(sizes["series"].implode()))
    return collected(images)
