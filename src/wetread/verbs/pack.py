"""verbs/pack.py: an Index in, a Store out, cropped by what anatomy finds."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wetread.archive.index import read_index
from wetread.archive.workers import chosen_workers
from wetread.store.pack import Box, FindBox, Packing, ValuesOf
from wetread.store.pack import pack as pack_series
from wetread.store.store import Store
from wetread.study.display import hounsfield
from wetread.study.series import series_slices
from wetread.tasks import Task
from wetread.verbs.progress import Report, silent, stage
from wetread.view import crop


def pack(
    index_file: Path,
    out: Path,
    *,
    size: int | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    report: Report = silent,
) -> Store:
    """Pack every image of an index: at full size as stored, or resized to `size` pixels a side."""
    return pack_slices(
        series_slices(read_index(index_file).images),
        out,
        size=size,
        find_box=crop.whole_picture,
        workers=workers,
        cluster=cluster,
        report=report,
    )


def pack_slices(
    series: Sequence[pl.DataFrame],
    out: Path,
    *,
    size: int | None,
    find_box: FindBox,
    values: ValuesOf = hounsfield,
    workers: int | None = None,
    cluster: str | None = None,
    report: Report = silent,
) -> Store:
    """The same of series (study/series.py), with a crop: `find_box` sees the values of one and
    names the box to keep. values: what is packed, of study/display.py."""
    packing = Packing(size=size, find_box=find_box, shrink=shrink, values=values)
    return pack_series(
        series,
        out,
        packing,
        workers=chosen_workers(workers, cluster),
        progress=stage(report, "pack"),
    )


def pack_looks(
    series: Sequence[pl.DataFrame],
    out: Path,
    task: Task,
    *,
    size: int,
    workers: int | None = None,
    report: Report = silent,
) -> tuple[Store, ...]:
    """The same series once for each crop that the task's networks look at: out/store, and
    out/store-NAME of every further look."""
    if task.series is None:
        crops = {"store": task.find_box}
    else:
        first, *others = task.series.looks
        crops = {"store": first.find_box}
        crops |= {f"store-{look.name}": look.find_box for look in others}
    stores = tuple(
        pack_slices(
            series,
            out / name,
            size=size,
            find_box=find_box,
            values=task.values,
            workers=workers,
            report=report,
        )
        for name, find_box in crops.items()
    )
    ids = [store.slices["SOPInstanceUID"] for store in stores]
    for name, own in zip(crops, ids, strict=True):
        if not own.equals(ids[0], null_equal=True):
            raise RuntimeError(
                f"{out / name} does not hold the slices of {out / 'store'}: what was lost on the "
                "way stands in their rejects.parquet. Pack again with more memory: fewer --workers"
            )
    return stores


def shrink(hu: NDArray[np.float32], box: Box, size: int) -> NDArray[np.float32]:
    """The square about the box at `size` pixels a side, area means; air outside the picture."""
    return crop.crop_and_resize(hu, crop.Box(*box), size)
