"""verbs/export.py: DICOM in; pictures, films, arrays and NIfTI out, with a manifest."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from wetread.anatomy.head import find_head_box
from wetread.archive.executor.isolated_process import LostItem, still_alive
from wetread.archive.executor.workers import Workers, parallel_map, select_workers
from wetread.archive.files.lock import exclusive_output
from wetread.archive.files.paths import as_paths
from wetread.archive.rejects import Reject, RejectError
from wetread.archive.types import StrPath, StrPaths
from wetread.exports.folder import ExportFolder, ExportPart, open_export_folder, sha256_of
from wetread.exports.formats import Annotation, ExportOptions, parse_crop
from wetread.exports.stacks import evenly_spaced, export_array, export_film
from wetread.exports.work import ExportJob, export_slices
from wetread.inputs.progress import Report, silent, stage
from wetread.inputs.sources import in_hu, indexed
from wetread.outputs.optional import import_optional
from wetread.study.boxes import PixelBox
from wetread.study.series import series_slices
from wetread.study.slices import slice_from_row
from wetread.study.split import split_series

SLICES_A_JOB = 16  # pictures: what is lost when a run is killed
EXPORTERS: dict[str, Callable[[ExportJob, ExportFolder], None]] = {
    "slice": export_slices,
    "film": export_film,
    "array": export_array,
}


@dataclass(frozen=True)
class ExportResult:
    """What was written: files of this run (also those that were there already), slices they hold,
    and what was refused (out/rejects.csv)."""

    out: Path
    files: int
    slices: int
    not_image: int
    refused: int

    def to_dict(self) -> dict[str, Any]:
        """For --json."""
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
    """Write every image of the sources (folders, zips, files, or one index) as files under `out`.

    format: png, jpeg, tiff, gif, mp4, npy, npz or nifti.
    window, size, neighbors, frames, crop, depth, spacing_mm, mask, annotate, quality: as
    `ExportOptions` has them.
    as_hu: take CT whose header does not say HU as HU; else it is refused where windows of HU are
    asked for, and its values are written as they are.
    verify: as for `pack`. A run that was killed goes on where it was; other settings need another
    folder (ValueError). What was written of the same sources before and is not now is removed.
    What cannot be exported is a row of out/rejects.csv. Errors: FileNotFoundError for a source or
    a mask that does not exist; ValueError for settings that do not go together.
    """
    options = ExportOptions(
        format=format,
        window=window,
        size=size,
        neighbours=neighbors,
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
    """The same with its settings as one value."""
    _require_files(sources, options)
    if options.kind.needs is not None:
        import_optional(options.kind.needs)
    folder = open_export_folder(out.absolute(), options)
    with indexed(sources, workers, report, repair=repair) as found:
        if as_hu:
            found = in_hu(found)
        series = series_slices(found.images)
        if options.mask is not None and len(series) != 1:
            raise ValueError(f"a mask is of one series; the sources hold {len(series)}")
        jobs = plan_jobs(folder, series, _boxes(series, options, workers, report))
        total, done = sum(job.own for job in jobs), 0
        whole = folder.fresh([job.key for job in jobs], workers, verify)
        waiting = [job for job in jobs if job.key not in whole]
        say = stage(report, "export")
        done = total - sum(job.own for job in waiting)
        say(done, total)
        work = partial(run_export_job, folder=folder)
        for job, answer in zip(waiting, parallel_map(work, waiting, workers), strict=True):
            if isinstance(answer, LostItem):
                _without_the_lost(job, work, folder, workers, answer)
            done += job.own
            say(done, total)
        rejects = [
            Reject(*row)
            for row in found.rejects.select("path", "member", "reason", "detail").iter_rows()
        ]
        folder.forget([job.key for job in jobs], sources)
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
    """What is to be done, in the order of studies and series."""
    options = folder.options
    mask = "" if options.mask is None else sha256_of(Path(options.mask))
    if options.kind.holds != "slice":
        return [
            ExportJob(rows, 0, rows.height, box, folder.key(rows, f"{box} {mask}"))
            for rows, box in zip(series, boxes, strict=True)
        ]
    return [
        job
        for rows, box in zip(series, boxes, strict=True)
        for stack in _stacks(rows, options)
        for job in _runs(stack, box, folder)
    ]


def _stacks(rows: pl.DataFrame, options: ExportOptions) -> list[pl.DataFrame]:
    """The series, or its stacks where it matters which slices are neighbours; localizers too."""
    if options.depth == 16 or (options.frames is None and options.mode.offsets == (0,)):
        return [rows]
    parts = split_series(rows)
    return [*parts.stacks, *(part for part in (parts.localizers, parts.captures) if part.height)]


def _runs(stack: pl.DataFrame, box: PixelBox | None, folder: ExportFolder) -> Iterator[ExportJob]:
    """Neighbouring slices of a stack, with what they see of it on both sides."""
    offsets = folder.options.mode.offsets if folder.options.depth == 8 else (0,)
    reach, chosen = max(map(abs, offsets)), evenly_spaced(stack.height, folder.options.frames)
    step = SLICES_A_JOB if len(chosen) == stack.height else 1
    for first in chosen[::step]:
        own = min(step, stack.height - first)
        start = max(first - reach, 0)
        rows = stack[start : first + own + reach]
        yield ExportJob(
            rows, first - start, own, box, folder.key(rows, f"{first - start} {own} {box}")
        )


def _boxes(
    series: Sequence[pl.DataFrame], options: ExportOptions, workers: Workers, report: Report
) -> list[PixelBox | None]:
    """The crop of each series."""
    if options.crop != "head":
        return [parse_crop(options.crop)] * len(series)
    say, found = stage(report, "crop"), list[PixelBox | None]()
    for box in parallel_map(find_series_head_box, series, workers):
        found.append(None if isinstance(box, LostItem) else box)  # whose slices are refused later
        say(len(found), len(series))
    return found


def find_series_head_box(rows: pl.DataFrame) -> PixelBox | None:
    """The box round the head in the slices of a series that have its commonest shape; None where
    none can be read. It may reach past the picture."""
    values: list[np.ndarray] = []
    shape = rows.group_by("Rows", "Columns").len().sort("len").select("Rows", "Columns").row(-1)
    for row in rows.iter_rows(named=True):
        with contextlib.suppress(RejectError):
            one = slice_from_row(row)
            if one.stored.shape == shape:
                values.append(one.values())
        still_alive()
    return find_head_box(np.stack(values)) if values else None


def _without_the_lost(
    job: ExportJob,
    work: Callable[[ExportJob], None],
    folder: ExportFolder,
    workers: Workers,
    lost: LostItem,
) -> None:
    """A job that took its process with it: without the files that do so when alone; where no file
    does, all of it is refused."""
    rows = job.rows.to_dicts()
    answers = parallel_map(decode, rows, workers)
    alone = {number: one for number, one in enumerate(answers) if isinstance(one, LostItem)}
    if 0 < len(alone) < len(rows):
        job = job.without(alone)
        (answer,) = parallel_map(work, [job], workers)
        if not isinstance(answer, LostItem):
            return
        lost = answer
    every = range(job.first, job.first + job.own)
    folder.finish(job.key, ExportPart(rejects=list(job.without(dict.fromkeys(every, lost)).lost)))


def run_export_job(job: ExportJob, folder: ExportFolder) -> None:
    """One piece of work, in a worker process."""
    folder.record(job.key, job.rows)
    EXPORTERS[folder.options.kind.holds](job, folder)


def decode(row: dict[str, Any]) -> None:
    """What an export does with a file, and nothing kept: does the process live?"""
    with contextlib.suppress(RejectError):
        slice_from_row(row).values()
