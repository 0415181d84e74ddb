"""verbs/export.py: DICOM in; pictures, movies, arrays and NIfTI out, with a manifest."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from wetread.anatomy.head import find_head_box
from wetread.archive.executor.isolated_process import LostItem, still_alive
from wetread.archive.executor.workers import Workers, parallel_map, select_workers
from wetread.archive.files.lock import exclusive_output
from wetread.archive.files.paths import as_paths
from wetread.archive.rejects import Reject, RejectError
from wetread.archive.types import Float32Array, Row, StrPath, StrPaths
from wetread.exports.folder import ExportFolder, ExportPart, open_export_folder, sha256_of_file
from wetread.exports.formats import Annotation, ExportOptions, parse_crop
from wetread.exports.stacks import evenly_spaced, export_array, export_film
from wetread.exports.work import ExportJob, export_slices
from wetread.inputs.progress import Report, silent, stage
from wetread.inputs.sources import indexed
from wetread.outputs.optional import import_optional
from wetread.study.boxes import PixelBox
from wetread.study.series import series_slices
from wetread.study.slices import slice_from_row
from wetread.study.split import split_series

SLICES_PER_JOB = 16  # pictures: so many are lost when a run is killed
EXPORTERS: dict[str, Callable[[ExportJob, ExportFolder], None]] = {
    "slice": export_slices,
    "film": export_film,
    "array": export_array,
}


@dataclass(frozen=True)
class ExportResult:
    """An export's folder and counts.

    files:     written by this run, or by an earlier one and still current.
    slices:    in those files.
    not_image: objects that are no image.
    refused:   rows of out/rejects.csv but for files that are no DICOM.
    """

    out: Path
    files: int
    slices: int
    not_image: int
    refused: int

    def to_dict(self) -> dict[str, object]:
        """Return the counts and the paths as plain values, for JSON."""
        return {
            "out": str(self.out),
            "manifest": str(self.out / "manifest.csv"),
            "files": self.files,
            "slices": self.slices,
            "not_image": self.not_image,
            "refused": self.refused,
        }


def export(
    format: str,
    source: StrPaths,
    out: StrPath,
    *,
    window: str = "metadata",
    size: int | None = None,
    neighbors: int = 0,
    frames: int | None = None,
    crop: str = "none",
    depth: int = 8,
    spacing_mm: tuple[float, float, float] | None = None,
    mask: StrPath | None = None,
    annotate: Annotation = "none",
    quality: int | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    repair: bool = True,
    as_hu: bool = False,
    verify: bool = False,
    report: Report = silent,
) -> ExportResult:
    """Write every image of an archive as files under a folder, with a manifest.

    format: png, jpeg, tiff (a picture a slice), gif, mp4 (a movie a stack), npy, npz or nifti (an
        array a stack).
    source: folders, zips, tars or files, one or several; or one index (.parquet).
    out: the folder; STUDY/SERIES/INSTANCE.png and the like, manifest.csv, rejects.csv.
    window: a mode or window by name, for pictures of 8 bits; "metadata": each header's own.
    size: side of the square that comes out, pixels. neighbors: slices on either side, as channels.
    frames: so many slices of a stack, evenly spread.
    crop: "none", "head", or "row0,row1,column0,column1" in pixels.
    depth: 8, or 16 for PNG and TIFF that keep the values.
    spacing_mm: resample arrays to these distances between slices, rows and columns.
    mask: a file (NPY or NIfTI) outside of which arrays hold air.
    annotate: "header" draws what the header says below the picture, "identifiers" also what
        identifies.
    quality: 1 to 100, of jpeg and mp4.
    repair: as for `index`, where files are indexed. verify: as for `pack`.
    as_hu: take CT whose header does not say HU as HU; else it is refused where windows of HU are
        asked for.
    cluster: the address of a Dask scheduler whose workers have the same paths, for processes.
    workers: processes; None: all cores. report: called with (stage, done, total).

    Stopped and called again, it goes on; other settings need another folder. Files of the same
    sources that are no longer exported are removed. What cannot be exported is a row of
    rejects.csv. Raises FileNotFoundError for a source or a mask that does not exist, and
    ValueError for settings that do not go together.
    """
    options = ExportOptions(
        format=format,
        window=window,
        size=size,
        neighbors=neighbors,
        frames=frames,
        crop=crop,
        depth=depth,
        spacing_mm=spacing_mm,
        mask=None if mask is None else str(Path(mask).absolute()),
        annotate=annotate,
        quality=quality,
    )
    return export_with_options(
        options,
        as_paths(source),
        Path(out),
        workers=select_workers(workers, cluster),
        repair=repair,
        as_hu=as_hu,
        verify=verify,
        report=report,
    )


@exclusive_output()
def export_with_options(
    options: ExportOptions,
    sources: Sequence[Path],
    out: Path,
    *,
    workers: Workers,
    repair: bool = True,
    as_hu: bool = False,
    verify: bool = False,
    report: Report = silent,
) -> ExportResult:
    """Write every image of the sources as files under `out`, with the settings as one value.

    Errors, and what is removed, as `export` has them.
    """
    _require_files(sources, options)
    if options.file_format.library is not None:
        import_optional(options.file_format.library)
    folder = open_export_folder(out.absolute(), options)
    with indexed(sources, workers, report, repair=repair, as_hu=as_hu) as found:
        series = series_slices(found.images)
        if options.mask is not None and len(series) != 1:
            raise ValueError(f"a mask is of one series; the sources hold {len(series)}")
        jobs = plan_jobs(folder, series, _boxes(series, options, workers, report))
        total, done = sum(job.count for job in jobs), 0
        current = folder.current([job.key for job in jobs], workers, verify)
        waiting = [job for job in jobs if job.key not in current]
        say = stage(report, "export")
        done = total - sum(job.count for job in waiting)
        say(done, total)
        work = partial(run_export_job, folder=folder)
        for job, answer in zip(waiting, parallel_map(work, waiting, workers), strict=True):
            if isinstance(answer, LostItem):
                _retry_without_lost(job, folder, workers, answer)
            done += job.count
            say(done, total)
        rejects = [
            Reject(*row)
            for row in found.rejects.select("path", "member", "reason", "detail").iter_rows()
        ]
        folder.remove_outdated([job.key for job in jobs], sources)
        files, slices, refused = folder.write_tables([job.key for job in jobs], rejects)
        return ExportResult(out, files, slices, found.counts()["not_image"], refused)


def _require_files(sources: Sequence[Path], options: ExportOptions) -> None:
    for source in sources:
        if not source.exists():
            raise FileNotFoundError(
                f"{source} does not exist; give folders, zip files, DICOM files or an index"
            )
    if options.mask is not None and not Path(options.mask).is_file():
        raise FileNotFoundError(f"{options.mask}: no mask there; give an NPY or NIfTI file")


def plan_jobs(
    folder: ExportFolder, series: Sequence[pl.DataFrame], boxes: Sequence[PixelBox | None]
) -> list[ExportJob]:
    """Return the pieces of work, in the order of studies and series."""
    options = folder.options
    mask = "" if options.mask is None else sha256_of_file(Path(options.mask))
    if options.file_format.content != "slice":
        return [
            ExportJob(rows, 0, rows.height, box, folder.key(rows, f"{box} {mask}"))
            for rows, box in zip(series, boxes, strict=True)
        ]
    return [
        job
        for rows, box in zip(series, boxes, strict=True)
        for stack in _stacks(rows, options)
        for job in _slice_jobs(stack, box, folder)
    ]


def _stacks(rows: pl.DataFrame, options: ExportOptions) -> list[pl.DataFrame]:
    """Return the series, or its stacks where slices have neighbors; localizers too."""
    if options.depth == 16 or (options.frames is None and options.mode.offsets == (0,)):
        return [rows]
    parts = split_series(rows)
    return [*parts.stacks, *(part for part in (parts.localizers, parts.captures) if part.height)]


def _slice_jobs(
    stack: pl.DataFrame, box: PixelBox | None, folder: ExportFolder
) -> Iterator[ExportJob]:
    """Yield jobs of adjacent slices of a stack, with the neighbors that they show on both sides."""
    offsets = folder.options.mode.offsets if folder.options.depth == 8 else (0,)
    reach, chosen = max(map(abs, offsets)), evenly_spaced(stack.height, folder.options.frames)
    step = SLICES_PER_JOB if len(chosen) == stack.height else 1
    for first in chosen[::step]:
        count = min(step, stack.height - first)
        start = max(first - reach, 0)
        rows = stack[start : first + count + reach]
        yield ExportJob(
            rows, first - start, count, box, folder.key(rows, f"{first - start} {count} {box}")
        )


def _boxes(
    series: Sequence[pl.DataFrame], options: ExportOptions, workers: Workers, report: Report
) -> list[PixelBox | None]:
    """Return the crop of each series; None: the whole picture."""
    if options.crop != "head":
        return [parse_crop(options.crop)] * len(series)
    say, found = stage(report, "crop"), list[PixelBox | None]()
    for box in parallel_map(find_series_head_box, series, workers):
        found.append(None if isinstance(box, LostItem) else box)  # lost slices are refused later
        say(len(found), len(series))
    return found


def find_series_head_box(rows: pl.DataFrame) -> PixelBox | None:
    """Return the box around the head in the slices of a series that have its commonest shape.

    None where no slice can be read. The box may reach past the picture.
    """
    values: list[Float32Array] = []
    shape = rows.group_by("Rows", "Columns").len().sort("len").select("Rows", "Columns").row(-1)
    for row in rows.iter_rows(named=True):
        with contextlib.suppress(RejectError):
            slice_ = slice_from_row(row)
            if slice_.stored.shape == shape:
                values.append(slice_.values())
        still_alive()
    return find_head_box(np.stack(values)) if values else None


def _retry_without_lost(
    job: ExportJob, folder: ExportFolder, workers: Workers, lost: LostItem
) -> None:
    """Redo a job that ended its process, without the files that end it alone; where no single
    file does, all of the job is refused."""
    rows = job.rows.to_dicts()
    answers = parallel_map(try_decoding, rows, workers)
    alone = {
        number: answer for number, answer in enumerate(answers) if isinstance(answer, LostItem)
    }
    if 0 < len(alone) < len(rows):
        job = job.without_rows(alone)
        (answer,) = parallel_map(partial(run_export_job, folder=folder), [job], workers)
        if not isinstance(answer, LostItem):
            return
        lost = answer
    rejects = job.without_rows(dict.fromkeys(job.exported, lost)).lost
    folder.finish(job.key, ExportPart(rejects=list(rejects)))


def run_export_job(job: ExportJob, folder: ExportFolder) -> None:
    """Do one piece of work, in a worker process."""
    folder.record_sources(job.key, job.rows)
    EXPORTERS[folder.options.file_format.content](job, folder)


def try_decoding(row: Row) -> None:
    """Decode the pixels of a row's file and keep nothing: a decoder may end the process."""
    with contextlib.suppress(RejectError):
        slice_from_row(row).values()
