"""survey/values.py: what pixels hold, by the forms in which they are stored: a seeded sample.

In: the table of an Index. Out: a frame with a row an image that was read, and histograms by form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from wetread.archive.executor.isolated_process import LostItem
from wetread.archive.executor.workers import Workers, parallel_map
from wetread.archive.index.intercept import has_signature, is_wrapped
from wetread.archive.pixels.stored_pixels import read_stored
from wetread.archive.rejects import Reject, RejectError
from wetread.archive.types import Float32Array, Progress, Row
from wetread.study.histogram import HU_BINS, STORED_BINS, Histogram, add_histograms, histogram
from wetread.study.series import with_frames
from wetread.study.slices import slice_from_row
from wetread.study.unit import is_ct
from wetread.survey.letters import count_letters
from wetread.survey.objects import PIXEL_FORM, Table, images_of, rows_at

SAMPLE = 200  # images whose pixels are read
CORNER = 16  # pixels a side: air outside the body, or outside the field of view
FLAT_HU = 48.0  # between the corners of one slice: air, or what stands for it, is alike in all
NO_AIR_HU = -850.0  # corners above it hold no air
SHIFTED_HU = (900.0, 1200.0)  # soft tissue of a slice whose intercept is 1000 or 1024 too high
SHIFTED_SHARE = 0.2  # of the pixels; of right slices bone takes a few percent there
MANY_PIXELS = 0.05  # share of an image: fewer are highlights, or the rim of a circle
LETTERS = 8  # that stand in one line: a side marker has one or two
VALUES_SCHEMA: dict[str, pl.DataType] = {
    "path": pl.String(),
    "member": pl.String(),
    "SOPInstanceUID": pl.String(),
    "SeriesInstanceUID": pl.String(),
    "form": pl.Int64(),  # the row of pixel_forms; images of one form are stored alike
    "unit": pl.String(),
    "least": pl.Float64(),  # of the values, in their unit
    "mean": pl.Float64(),
    "greatest": pl.Float64(),
    "constant": pl.Boolean(),
    "saturated": pl.Float64(),  # share of pixels at the greatest value that the bits hold
    "outside": pl.Float64(),  # share of pixels below -1024 HU, or declared as padding
    "corner_hu": pl.Float64(),  # commonest value of the corners, where all are alike; CT in HU
    "shifted": pl.Float64(),  # share of pixels in SHIFTED_HU; CT in HU
    "wrapped": pl.Boolean(),  # the header and the pixels of a wrong intercept
    "letters": pl.Int64(),  # in the longest line of letters that is burnt in
}


@dataclass(frozen=True, eq=False)
class SampledValues:
    """Pixels of a sample of an archive.

    images:  VALUES_SCHEMA, a row an image that was read.
    stored, values: the histograms of each form's images, by the number of the form: integers as
             they are stored, and what they mean, in `unit`.
    rejects: images that could not be read.
    """

    images: pl.DataFrame
    stored: dict[int, Histogram]
    values: dict[int, Histogram]
    rejects: tuple[Reject, ...]


def draw_images(table: Table, seed: int = 0, most: int = SAMPLE) -> pl.DataFrame:
    """Draw images by seed, some of every form in which pixels are stored: rows of the table with
    their `form`, a number; the most frequent form is 0."""
    numbered = images_of(table).with_row_index("at")
    forms = numbered.select("at", key=pl.struct(PIXEL_FORM).hash()).collect(engine="streaming")
    order = forms["key"].value_counts().sort("count", "key", descending=[True, False])
    rng = np.random.default_rng(seed)
    chosen: dict[int, int] = {}
    for number, (key, count) in enumerate(
        zip(order["key"], _rooms(order["count"], most), strict=True)
    ):
        if count == 0:
            break  # more forms than images are to be read: the rarest are not
        places = forms.filter(pl.col("key") == key)["at"].to_numpy()
        drawn = rng.choice(places, count, replace=False)
        chosen |= dict.fromkeys(np.sort(drawn).tolist(), number)
    rows = rows_at(images_of(table), list(chosen))
    form = pl.col("at").replace_strict(chosen, return_dtype=pl.Int64)
    return rows.with_columns(form=form).drop("at")


def _rooms(counts: pl.Series, most: int) -> list[int]:
    """Deal `most` places to forms of so many images, most of them first: one to each as long as
    there are any, the rest by their share."""
    room = [min(1, max(0, most - number)) for number in range(len(counts))]
    left, total = most - sum(room), int(counts.sum())
    for number, count in enumerate(counts):
        more = min(count - room[number], -(-left * count // total))
        room[number] += max(0, min(more, most - sum(room)))
    return room


def sample_values(
    images: pl.DataFrame, workers: Workers = 1, progress: Progress | None = None
) -> SampledValues:
    """Read the pixels of images, rows of draw_images. One that cannot be read is a reject; of a
    file of several frames the middle one is read."""
    rows = list(_middle_frames(images).iter_rows(named=True))
    records: list[dict[str, object]] = []
    stored: dict[int, Histogram] = {}
    values: dict[int, Histogram] = {}
    rejects: list[Reject] = []
    found_of = parallel_map(_describe, rows, workers)
    for number, (row, found) in enumerate(zip(rows, found_of, strict=True), start=1):
        if isinstance(found, LostItem | RejectError):
            rejects.append(Reject(row["path"], row["member"], found.reason, found.detail))
        else:
            record, *histograms = found
            records.append(record)
            for kept, one in zip((stored, values), histograms, strict=True):
                form = int(row["form"])
                kept[form] = add_histograms(kept[form], one) if form in kept else one
        if progress is not None:
            progress(number, len(rows))
    frame = pl.DataFrame(records, schema=VALUES_SCHEMA)
    return SampledValues(frame, stored, values, tuple(rejects))


def _middle_frames(images: pl.DataFrame) -> pl.DataFrame:
    """Keep one frame of each file, the middle one."""
    frames = with_frames(images)
    key = ["path", "member"]
    return frames.group_by(key, maintain_order=True).agg(
        pl.all().get(pl.len() // 2)
    ).select(frames.columns)  # fmt: skip


def _describe(row: Row) -> tuple[dict[str, object], Histogram, Histogram] | RejectError:
    """Describe one image, in a process of its own."""
    try:
        stored, slice_ = read_stored(row), slice_from_row(row)
    except RejectError as reject:
        return reject
    values = slice_.values()
    in_hu = slice_.unit == "HU" and is_ct(row)
    signed, bits = row["PixelRepresentation"] or 0, row["BitsStored"] or 16
    top = (1 << (bits - signed)) - 1
    low, high = slice_.padding or (1, 0)
    outside = (slice_.stored >= low) & (slice_.stored <= high)
    if in_hu:
        outside |= slice_.stored * slice_.slope + slice_.intercept < HU_BINS.low
    record = {
        **{name: row[name] for name in
           ("path", "member", "SOPInstanceUID", "SeriesInstanceUID", "form")},
        "unit": slice_.unit,
        "least": float(values.min()), "mean": float(values.mean()),
        "greatest": float(values.max()),
        "constant": bool(values.min() == values.max()),
        "saturated": float((stored == top).mean()),
        "outside": float(outside.mean()),
        "corner_hu": corner_value(values) if in_hu else None,
        "shifted": share_between(values, SHIFTED_HU) if in_hu else None,
        "wrapped": has_signature(row) and is_wrapped(stored),
        "letters": 0 if in_hu else count_letters(values),
    }  # fmt: skip
    return record, histogram(stored, STORED_BINS), histogram(values, HU_BINS)


def corner_value(values: Float32Array) -> float | None:
    """Return the median of the corners of a slice (rows, columns), HU; None where they differ."""
    ends = (slice(None, CORNER), slice(-CORNER, None))
    corners = [float(np.median(values[row, column])) for row in ends for column in ends]
    return float(np.median(corners)) if max(corners) - min(corners) <= FLAT_HU else None


def share_between(values: Float32Array, ends: tuple[float, float]) -> float:
    """Return the share of values, of any shape, between two ends, both included."""
    return float(((values >= ends[0]) & (values <= ends[1])).mean())


def suspected_intercepts(values: pl.DataFrame) -> pl.DataFrame:
    """Find the series whose air is not near -1000 HU, or whose soft tissue is near 1000:
    SeriesInstanceUID, images, suspected, corner_hu, wrapped; rows of series of which at least half
    of the images that were read are suspected. values: VALUES_SCHEMA."""
    no_air = (pl.col("corner_hu") > NO_AIR_HU).fill_null(False)
    shifted = (pl.col("shifted") > SHIFTED_SHARE).fill_null(False)
    suspected = pl.col("wrapped") | shifted | (no_air & ~pl.col("constant"))
    return (
        values.with_columns(SeriesInstanceUID=pl.coalesce("SeriesInstanceUID", "SOPInstanceUID"))
        .group_by("SeriesInstanceUID", maintain_order=True)
        .agg(
            images=pl.len(),
            suspected=suspected.sum(),
            corner_hu=pl.col("corner_hu").median(),
            wrapped=pl.col("wrapped").any(),
        )
        .filter(pl.col("suspected") * 2 >= pl.col("images"), pl.col("suspected") > 0)
    )


def describe_values(values: pl.DataFrame) -> pl.DataFrame:
    """Describe what was read by form: form, unit, images, least, mean, greatest, constant,
    saturated and outside (images of which more than MANY_PIXELS are). values: VALUES_SCHEMA."""
    return (
        values.group_by("form", "unit")
        .agg(
            images=pl.len(), least=pl.col("least").min(), mean=pl.col("mean").mean(),
            greatest=pl.col("greatest").max(), constant=pl.col("constant").sum(),
            saturated=(pl.col("saturated") > MANY_PIXELS).sum(),
            outside=(pl.col("outside") > MANY_PIXELS).sum(),
        )
        .sort("form", "unit")
    )  # fmt: skip
