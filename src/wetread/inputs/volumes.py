"""inputs/volumes.py: files of any kind in, one volume or one slice out, for notebooks."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from wetread.archive.executor.workers import select_workers
from wetread.archive.files.paths import as_paths
from wetread.archive.index.index import Index
from wetread.archive.rejects import RejectError
from wetread.archive.types import StrPath, StrPaths
from wetread.inputs.sources import best_series, indexed
from wetread.study.series import series_slices, with_frames
from wetread.study.slices import Slice, slice_from_row
from wetread.study.volume import Volume, volume_from_rows


def read_volume(
    source: StrPaths,
    *,
    series: str | None = None,
    as_hu: bool = False,
    workers: int | None = None,
) -> Volume:
    """Read one series of an archive as one block of voxels with its place in space.

    source: folders, zips, tars or files, one or several; or one index (.parquet).
    series: a SeriesInstanceUID; None takes the series that suits best (most slices of a plausible
            distance, no localizer: study/series_choice.py).
    as_hu:  take CT whose header does not say HU as HU.
    workers: processes that index the files; None: all cores.

    Raises FileNotFoundError for a source that does not exist, ValueError for a series that is not
    there, and RejectError where no slice can be read.

    >>> volume = read_volume("archive")
    >>> volume.hu.ndim, volume.unit
    (3, 'HU')
    """
    images = _images(source, as_hu, workers)
    return volume_from_rows(best_series(series_slices(images), series))


def read_slice(
    source: StrPath, *, member: str | None = None, frame: int | None = None, as_hu: bool = False
) -> Slice:
    """Read one image file as a slice; `values()` are its HU, or the gray of a radiograph.

    source: a DICOM file, or a zip or tar that holds `member`.
    frame:  counted from 0, of a file of several frames.
    as_hu:  take CT whose header does not say HU as HU.

    Raises FileNotFoundError, ValueError where the source holds several images and neither member
    nor frame says which, and RejectError where the file cannot be read.
    """
    images = with_frames(_images(source, as_hu, 1))
    if member is not None:
        images = images.filter(pl.col("member") == member)
    if frame is not None:
        images = images.filter(pl.col("frame").fill_null(0) == frame)
    if images.height != 1:
        raise ValueError(
            f"{source} holds {images.height} images for member {member} and frame {frame}; "
            "name the one, or use read_volume"
        )
    return slice_from_row(images.row(0, named=True))


def _images(source: StrPaths, as_hu: bool, workers: int | None) -> pl.DataFrame:
    """The image rows of the sources; RejectError with the first reason where there is none."""
    paths = as_paths(source)
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"{path} does not exist; give folders, zips, files or an index")
    with indexed(paths, select_workers(workers, None), as_hu=as_hu) as index:
        images = index.images
        if images.is_empty():
            raise _no_image(index, paths)
    return images


def _no_image(index: Index, paths: tuple[Path, ...]) -> RejectError:
    """The reason of the first file that was refused, or that there is no image at all."""
    for reason, detail in index.rejects.select("reason", "detail").iter_rows():
        return RejectError(reason, f"{paths[0]}: {detail}")
    return RejectError("no_pixels", f"{', '.join(map(str, paths)) or 'no path'}: no image in it")
