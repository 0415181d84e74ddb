"""verbs/pack.py: an Index in, a Store out, cropped by what anatomy finds."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from wetread.archive.executor.workers import Workers, place_for, select_workers
from wetread.archive.files.lock import exclusive_output
from wetread.archive.identity.user_key import user_key
from wetread.archive.index.index import read_index
from wetread.archive.types import StrPath
from wetread.inputs.progress import Report, silent, stage
from wetread.store.pack import pack as pack_series
from wetread.store.pack import pack_crops
from wetread.store.pack_series import FindAbsent, OneBox, Packing, nothing_absent
from wetread.store.store import Store
from wetread.study import crop
from wetread.study.display import hounsfield
from wetread.study.series import series_slices
from wetread.study.split import order_by_acquisition
from wetread.tasks import Task


@exclusive_output()
def pack(
    source: StrPath,
    out: StrPath,
    *,
    size: int | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    report: Report = silent,
    verify: bool = False,
    clear_patients: bool = False,
) -> Store:
    """Pack every image of an index into a store of slices with random access.

    source: an index (.parquet) that `index` wrote.
    out: the store's folder.
    size: resize each slice to so many pixels a side; None: full size, the stored integers.
    verify: read the pixels of every file that was packed before again, not only of those whose
        size, times or inode differ from what they were (docs/freshness.md).
    clear_patients: keep PatientIDs as they are; else the store has pseudonyms under the user's
        key.
    cluster: the address of a Dask scheduler whose workers have the same paths, for processes.
    workers: processes; None: all cores. report: called with (stage, done, total).

    An image that cannot be read is a row of the store's `rejects`. Stopped and called again, it
    goes on. Raises FileNotFoundError where there is no index.
    """
    packing = Packing(size=size, find_boxes=OneBox(crop.whole_picture))
    executor = select_workers(workers, cluster)
    index = read_index(Path(source)).pseudonymized(None if clear_patients else user_key())
    return pack_series(
        [order_by_acquisition(rows) for rows in series_slices(index.images)],
        place_for(Path(out), executor),
        packing,
        workers=executor,
        progress=stage(report, "pack"),
        verify=verify,
    )


def pack_crops_of(
    series: Sequence[pl.DataFrame],
    out: Path,
    task: Task,
    *,
    size: int,
    absent: FindAbsent = nothing_absent,
    workers: Workers | None = None,
    report: Report = silent,
    verify: bool = False,
) -> tuple[Store, ...]:
    """Pack series once for each crop of the task's networks: out/store, and out/store-NAME of
    every further crop.

    Series in which `absent` finds something missing become rejects.
    """
    crops, executor = task.crops, select_workers(workers, None)
    out = place_for(out, executor)
    packing = Packing(
        size=size,
        find_boxes=crops.find_boxes,
        values=task.values,
        in_hu=task.values is hounsfield,
        absent=absent,
    )
    return pack_crops(
        [order_by_acquisition(rows) for rows in series],
        [out / name for name in crops.stores],
        packing,
        workers=executor,
        progress=stage(report, "pack"),
        verify=verify,
    )
