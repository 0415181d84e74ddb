"""verbs/baseline/slices.py: the slices of an archive, and the features of them for baselines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import polars as pl

from wetread.archive.executor.isolated_process import LostItem
from wetread.archive.executor.workers import Workers, parallel_map
from wetread.archive.rejects import RejectError
from wetread.archive.types import Float32Array, Int64Array, MutableRow, Progress, Row
from wetread.evaluation.fit_baselines import BaselineFeatures
from wetread.evaluation.header_baseline import HeaderFeatures, header_features
from wetread.store.pack_series import ValuesOf, reject_row
from wetread.store.store import REJECT_SCHEMA
from wetread.study.crop import crop_and_resize
from wetread.study.display import hounsfield
from wetread.study.series import positions_mm, series_slices
from wetread.study.slices import require_hu, slice_from_row
from wetread.study.split import ACQUISITION, order_by_acquisition
from wetread.tasks import Task
from wetread.training.slices.levels import share_below

SIZE = 256  # pixels a side of the pictures whose histograms are taken


@dataclass(frozen=True, eq=False)
class BaselineSlices:
    """N slices, study by study, series by series, in order of position.

    slices:    which they are, and where in their series: columns of a store's table.
    rows:      of the index.
    header:    the features of their headers.
    histogram: (N, D) float32, NaN where it is not read.
    lost:      slices that could not be read and are not among the N (store.py: REJECT_SCHEMA).
    """

    slices: pl.DataFrame
    rows: pl.DataFrame
    header: HeaderFeatures
    histogram: Float32Array
    lost: pl.DataFrame

    def __len__(self) -> int:
        return self.slices.height

    def of(self, numbers: Int64Array) -> BaselineSlices:
        """Select slices by number (n,)."""
        return replace(
            self,
            slices=self.slices[numbers],
            rows=self.rows[numbers],
            header=self.header.of(numbers),
            histogram=self.histogram[numbers],
        )

    @property
    def features(self) -> BaselineFeatures:
        """The features of each slice, from which the baselines predict."""
        return BaselineFeatures(share_below(self.slices), self.histogram, self.header)


def list_slices(images: pl.DataFrame) -> BaselineSlices:
    """List the slices of images, rows of an index, as packing orders them; no pixel is read."""
    series = [order_by_acquisition(rows) for rows in series_slices(images)]
    rows = pl.concat(series) if series else images
    study = pl.coalesce("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
    slices = rows.select(
        "SOPInstanceUID",
        "SeriesInstanceUID",
        study.alias("StudyInstanceUID"),
        pl.coalesce(pl.col("PatientID"), study).alias("patient"),
        *([ACQUISITION] if series else []),
        position_mm=pl.Series(
            np.concatenate([np.empty(0), *map(positions_mm, series)]), dtype=pl.Float64
        ).fill_nan(None),
        z=pl.Series([z for one in series for z in range(one.height)], dtype=pl.Int32),
        n_slices=pl.Series(
            [one.height for one in series for _ in range(one.height)], dtype=pl.Int32
        ),
    )
    unread = np.full((slices.height, 1), np.nan, np.float32)
    return BaselineSlices(
        slices, rows, header_features(rows), unread, pl.DataFrame(schema=REJECT_SCHEMA)
    )


def read_histograms(
    listed: BaselineSlices,
    task: Task,
    workers: Workers,
    progress: Progress,
) -> BaselineSlices:
    """Read every slice once and take the task's histogram of its picture at SIZE; leave out those
    that cannot be read, and list them."""
    work = partial(_histogram, values=task.values, histogram=task.spec.histogram)
    rows = list(listed.rows.iter_rows(named=True))
    rejects: list[MutableRow] = []
    kept: list[int] = []
    found: list[Float32Array] = []
    progress(0, len(rows))
    for number, answer in enumerate(parallel_map(work, rows, workers)):
        if isinstance(answer, RejectError | LostItem):
            rejects.append(reject_row(rows[number], answer.reason, answer.detail))
        else:
            kept.append(number)
            found.append(answer)
        progress(number + 1, len(rows))
    read = listed.of(np.array(kept, np.int64))
    histogram = np.stack(found) if found else read.histogram
    return replace(read, histogram=histogram, lost=pl.DataFrame(rejects, schema=REJECT_SCHEMA))


def _histogram(
    row: Row, values: ValuesOf, histogram: Callable[[Float32Array], Float32Array]
) -> Float32Array | RejectError:
    """Describe one slice without its place (D,), in a process of its own."""
    try:
        slice_ = slice_from_row(row)
        if values is hounsfield:
            require_hu(row, slice_)
        return histogram(crop_and_resize(values(row, slice_), None, SIZE))
    except RejectError as reject:
        return reject
