"""exports/stacks.py: one series becomes films or arrays, one file a stack.

Runs in a worker process, as exports/work.py does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from wetread.archive.dataset.luts import LookupTable, VoiWindow
from wetread.archive.executor.isolated_process import still_alive
from wetread.archive.rejects import RejectError
from wetread.exports.annotate import annotate
from wetread.exports.arrays import ARRAY_ENCODERS, spacing_mm
from wetread.exports.films import FILM_WRITERS
from wetread.exports.folder import ExportFolder, ExportPart, sha256_of
from wetread.exports.formats import ExportOptions
from wetread.exports.work import (
    ExportJob,
    Row,
    SliceReader,
    finite_or_none,
    require_hu_for_windows,
    resized_spacing,
    window_text,
)
from wetread.outputs.mask_file import fill_outside, read_mask_file
from wetread.outputs.uid_names import stack_name
from wetread.study.boxes import PixelBox
from wetread.study.display import Presentation, presentation
from wetread.study.geometry import unit_axes
from wetread.study.issues import geometry_issues
from wetread.study.resample import resample_to
from wetread.study.series import positions_mm
from wetread.study.slices import slice_from_row
from wetread.study.split import CAPTURE, split_series
from wetread.study.stack import StackError
from wetread.study.unit import common_unit
from wetread.study.voi import full_range
from wetread.study.volume import Volume, volumes_from_rows
from wetread.view.picture import DisplaySlice, RenderSettings, crop_picture, render_picture


@dataclass(frozen=True)
class FilmFrame:
    """What was shown in one frame of a film.

    source: SOP Instance UID; position_mm: along the normal; low, high: of its values, in unit.
    """

    source: str
    position_mm: float
    low: float
    high: float
    unit: str | None


def export_film(job: ExportJob, folder: ExportFolder) -> None:
    """A film of each stack of the job's series, in order along the normal; localizers are none."""
    options, part = folder.options, ExportPart(rejects=list(job.lost))
    parts = split_series(job.rows)
    stacks = parts.stacks
    _refuse_captures(part, parts.captures)
    for number, (rows, acquisition) in enumerate(zip(stacks, parts.names, strict=True)):
        reader = SliceReader(rows, max(map(abs, options.mode.offsets)))
        scale = Presentation(None) if options.mode.windows else shared_presentation(reader.rows)
        shown: list[FilmFrame] = []
        frames = _frames(reader, scale.voi, job.box, options, part, shown)
        first = next(frames, None)
        if first is None:
            continue
        name = stack_name(reader.rows[0], number, len(stacks), options.ending, acquisition)
        with folder.atomic_path(name) as unfinished:
            quality = options.quality or options.kind.quality or 0
            shape = FILM_WRITERS[options.format](unfinished, chain([first], frames), quality)
            size, digest = unfinished.stat().st_size, sha256_of(unfinished)
        about = _of_film(reader.rows[0], shown, job.box, options)
        about |= {"acquisition": acquisition}
        about |= {"rows": shape[0], "columns": shape[1], "window": _one_scale(options, scale)}
        about["channels"] = 1 if first.ndim == 2 else 3
        issues = [issue.name for issue in geometry_issues(rows)]
        issues += ["capture_removed"] if parts.captures.height else []
        about["issues"] = " ".join([*issues, *(["window_unusable"] if scale.is_unusable else [])])
        folder.note(part, name, about, size, digest)
        sources, positions = [one.source for one in shown], [one.position_mm for one in shown]
        _name_slices(part, str(name), sources, positions)
    folder.finish(job.key, part)


def _frames(
    reader: SliceReader,
    voi: VoiWindow | LookupTable | None,
    box: PixelBox | None,
    options: ExportOptions,
    part: ExportPart,
    shown: list[FilmFrame],
) -> Iterator[np.ndarray]:
    """The pictures of a stack on one scale; what each shows is noted as it is drawn."""
    offsets, settings = options.mode.offsets, RenderSettings(options.mode, box, options.size)
    places = positions_mm(reader.table)
    for number in evenly_spaced(len(reader.rows), options.frames):
        row = reader.rows[number]
        try:
            near = reader.with_neighbors(number, offsets)
            require_hu_for_windows(near, options)
            slices = [DisplaySlice(one, voi, at["PhotometricInterpretation"]) for at, one in near]
            picture = render_picture(slices, settings)
        except RejectError as error:
            part.refuse(row, error.reason, error.detail)
            continue
        one = near[offsets.index(0)][1]
        values = crop_picture(one.values(), box)
        low, high = float(values.min()), float(values.max())
        uid = row["SOPInstanceUID"] or ""
        shown.append(FilmFrame(uid, float(places[number]), low, high, one.unit))
        yield annotate(picture, row, options.annotate)


def shared_presentation(rows: Sequence[Row]) -> Presentation:
    """The window that most headers of a stack name, else the first table, else the range of all
    values: one scale for all frames."""
    named = [presentation(row) for row in rows]
    windows = Counter(one.voi for one in named if isinstance(one.voi, VoiWindow))
    if windows:
        return Presentation(windows.most_common(1)[0][0])
    tables = [one for one in named if isinstance(one.voi, LookupTable)]
    if tables:
        return tables[0]
    unusable = [one for one in named if one.is_unusable]
    return replace((unusable or named)[0], voi=_full_range(rows))


def _full_range(rows: Sequence[Row]) -> VoiWindow:
    ends: list[float] = []
    for row in rows:
        try:
            values = slice_from_row(row).values()
        except RejectError:
            continue  # refused where it is shown
        ends += [float(values.min()), float(values.max())]
        still_alive()
    return full_range(np.array(ends or [0.0]))


def _one_scale(options: ExportOptions, scale: Presentation) -> str:
    if options.mode.windows:
        return window_text(options, scale)
    if scale.because:  # there the window is the range of all values
        scale = replace(scale, voi=None)
    return f"{window_text(options, scale)}, one for all frames"


def _of_film(
    row: Row, shown: Sequence[FilmFrame], box: PixelBox | None, options: ExportOptions
) -> dict[str, Any]:
    spacing = row["row_spacing_mm"], row["column_spacing_mm"]
    if None not in spacing:
        spacing = (
            resized_spacing(spacing, box, (row["Rows"], row["Columns"]), options.size) or spacing
        )
    return _of_series(row) | {
        "slices": len(shown),
        "dtype": "uint8",
        "unit": common_unit(one.unit for one in shown),
        "min": min(one.low for one in shown),
        "max": max(one.high for one in shown),
        "row_spacing_mm": spacing[0],
        "column_spacing_mm": spacing[1],
    }


def evenly_spaced(count: int, options: int | None) -> list[int]:
    """Numbers of `wanted` of `count` things, evenly spread, the first and the last among them."""
    if options is None or options >= count:
        return list(range(count))
    return [round(float(place)) for place in np.linspace(0, count - 1, options)]


def export_array(job: ExportJob, folder: ExportFolder) -> None:
    """An array of each stack of the job's series: masked, cropped, resampled, as it is wanted."""
    part = ExportPart(rejects=list(job.lost))
    captures = split_series(job.rows).captures
    _refuse_captures(part, captures)
    rows = job.rows.join(captures, on=["path", "member"], how="anti", nulls_equal=True)
    volumes: list[Volume] = []
    try:
        volumes = volumes_from_rows(job.rows)
    except RejectError as error:
        _refuse_unread(part, rows, error)
    if any(issue.name == "slices_rejected" for volume in volumes for issue in volume.issues):
        _refuse_unread(part, rows, None)
    for number, volume in enumerate(volumes):
        first = _first_of(rows, volume)
        name = stack_name(first, number, len(volumes), folder.options.ending, volume.acquisition)
        try:
            made = _as_wanted(volume, job.box, folder)
            content, numbers = ARRAY_ENCODERS[folder.options.format](made)
        except StackError as error:
            which = f"{len(volume.hu)} slices, stack {number + 1} of {len(volumes)}"
            detail = f"{which}: {error} Or --spacing, which makes equal steps."
            part.refuse(first, "no_geometry", detail)
            continue
        except RejectError as error:
            part.refuse(first, error.reason, error.detail)
            continue
        folder.keep(part, name, content, _of_series(first) | _of_volume(made, numbers))
        _name_slices(part, str(name), made.sources, made.positions_mm)
    folder.finish(job.key, part)


def _first_of(rows: pl.DataFrame, volume: Volume) -> Row:
    """The row of a volume's first slice; the first of all where that has no UID."""
    own = rows.filter(pl.col("SOPInstanceUID") == volume.sources[0])
    return (own if own.height else rows).row(0, named=True)


def _refuse_captures(part: ExportPart, captures: pl.DataFrame) -> None:
    """Each picture of a screen or a page by name: it is no slice of a stack."""
    for row in captures.iter_rows(named=True):
        part.refuse(row, "wrong_kind", CAPTURE)


def _as_wanted(volume: Volume, box: PixelBox | None, folder: ExportFolder) -> Volume:
    options = folder.options
    if options.mask is not None:
        volume = fill_outside(volume, read_mask_file(Path(options.mask), volume))
    if box is not None:
        volume = _cropped(volume, box)
    return volume if options.spacing_mm is None else resample_to(volume, options.spacing_mm)


def _cropped(volume: Volume, box: PixelBox) -> Volume:
    """What of the box lies in the slices, at its place."""
    hu, place = crop_picture(volume.hu, box), volume.place
    if np.isnan(place.orientation).any():
        return replace(volume, hu=hu)
    along_row, along_column, _ = unit_axes(place.orientation)
    down, across = max(box[0], 0) * place.spacing_mm[0], max(box[2], 0) * place.spacing_mm[1]
    origins = place.origins_mm + down * along_column + across * along_row
    return replace(volume, hu=hu, place=replace(place, origins_mm=origins))


def _of_volume(volume: Volume, numbers: np.ndarray) -> dict[str, Any]:
    between, rows, columns = map(finite_or_none, spacing_mm(volume))
    return {
        "acquisition": volume.acquisition,
        "slices": numbers.shape[0],
        "rows": numbers.shape[1],
        "columns": numbers.shape[2],
        "channels": 1,
        "dtype": numbers.dtype.name,
        "unit": volume.unit,
        "scale": 1.0,
        "offset": 0.0,
        "min": float(volume.hu.min()),
        "max": float(volume.hu.max()),
        "slice_spacing_mm": between,
        "row_spacing_mm": rows,
        "column_spacing_mm": columns,
        "issues": " ".join(dict.fromkeys(issue.name for issue in volume.issues)),
    }


def _refuse_unread(part: ExportPart, rows: pl.DataFrame, error: RejectError | None) -> None:
    """Every row that cannot be read; where all can, the error for the first."""
    before = len(part.rejects)
    for row in rows.iter_rows(named=True):
        try:
            slice_from_row(row)
        except RejectError as found:
            part.refuse(row, found.reason, found.detail)
    if error is not None and len(part.rejects) == before:
        part.refuse(rows.row(0, named=True), error.reason, error.detail)


def _name_slices(
    part: ExportPart, file: str, sources: Sequence[str], positions: Sequence[float] | np.ndarray
) -> None:
    part.slices += [
        {"file": file, "z": z, "SOPInstanceUID": source, "position_mm": finite_or_none(at)}
        for z, (source, at) in enumerate(zip(sources, positions, strict=True))
    ]


def _of_series(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in ("StudyInstanceUID", "SeriesInstanceUID")}
