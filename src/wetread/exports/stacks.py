"""exports/stacks.py: one series becomes films or arrays, one file a stack.

Runs in a worker process, as exports/work.py does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
import polars as pl

from wetread.archive.dataset.luts import LookupTable, VoiWindow
from wetread.archive.executor.isolated_process import still_alive
from wetread.archive.rejects import RejectError
from wetread.archive.types import Float64Array, NumberArray, Row, UInt8Array
from wetread.exports.annotate import annotate
from wetread.exports.arrays import ARRAY_ENCODERS, volume_spacing
from wetread.exports.films import FILM_WRITERS
from wetread.exports.folder import (
    ExportFolder,
    ExportPart,
    FileDigest,
    TableRow,
    sha256_of_file,
)
from wetread.exports.formats import ExportOptions
from wetread.exports.work import (
    ExportJob,
    StackReader,
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
    """The slice that one frame of a film shows.

    source: SOP Instance UID; position_mm: along the normal; low, high: of its values, in unit.
    """

    source: str
    position_mm: float
    low: float
    high: float
    unit: str | None


class StackFrames:
    """The pictures of one stack, all on one scale; `shown` and the part grow as they are drawn."""

    def __init__(self, reader: StackReader, job: ExportJob, folder: ExportFolder) -> None:
        self.reader, self.box, self.options = reader, job.box, folder.options
        by_header = not self.options.mode.windows
        self.scale = shared_presentation(reader.rows) if by_header else Presentation(None)
        self.shown: list[FilmFrame] = []

    def draw(self, part: ExportPart) -> Iterator[UInt8Array]:
        """Yield (rows, columns) or (rows, columns, 3) uint8, red first; refuse in the part what
        cannot be read."""
        options, offsets = self.options, self.options.mode.offsets
        settings = RenderSettings(options.mode, self.box, options.size)
        places = positions_mm(self.reader.table)
        for number in evenly_spaced(len(self.reader.rows), options.frames):
            row = self.reader.rows[number]
            try:
                near = self.reader.with_neighbors(number, offsets)
                require_hu_for_windows(near, options)
                slices = [
                    DisplaySlice(slice_, self.scale.voi, at["PhotometricInterpretation"])
                    for at, slice_ in near
                ]
                picture = render_picture(slices, settings)
            except RejectError as error:
                part.refuse(row, error.reason, error.detail)
                continue
            center = near[offsets.index(0)][1]
            values = crop_picture(center.values(), self.box)
            uid, place = row["SOPInstanceUID"] or "", float(places[number])
            low, high = float(values.min()), float(values.max())
            self.shown.append(FilmFrame(uid, place, low, high, center.unit))
            yield annotate(picture, row, options.annotate)

    def scale_text(self) -> str:
        """Return the scale as the manifest has it."""
        if self.options.mode.windows:
            return window_text(self.options, self.scale)
        # Where no window of the file is used, the scale is the range of all values.
        scale = replace(self.scale, voi=None) if self.scale.because else self.scale
        return f"{window_text(self.options, scale)}, one for all frames"

    def manifest_row(self) -> TableRow:
        """Return the part of the manifest's row on the slices shown."""
        row = self.reader.rows[0]
        spacing = row["row_spacing_mm"], row["column_spacing_mm"]
        if None not in spacing:
            shape = row["Rows"], row["Columns"]
            spacing = resized_spacing(spacing, self.box, shape, self.options.size) or spacing
        return _series_uids(row) | {
            "slices": len(self.shown),
            "dtype": "uint8",
            "unit": common_unit(frame.unit for frame in self.shown),
            "min": min(frame.low for frame in self.shown),
            "max": max(frame.high for frame in self.shown),
            "row_spacing_mm": spacing[0],
            "column_spacing_mm": spacing[1],
            "window": self.scale_text(),
        }


def export_film(job: ExportJob, folder: ExportFolder) -> None:
    """Write a film of each stack of the job's series, in order along the normal; localizers give
    none."""
    options, part = folder.options, ExportPart(rejects=list(job.lost))
    parts = split_series(job.rows)
    _refuse_captures(part, parts.captures)
    for number, (rows, acquisition) in enumerate(zip(parts.stacks, parts.names, strict=True)):
        reader = StackReader(rows, max(map(abs, options.mode.offsets)))
        frames = StackFrames(reader, job, folder)
        pictures = frames.draw(part)
        first = next(pictures, None)
        if first is None:
            continue
        name = stack_name(reader.rows[0], number, len(parts.stacks), options.ending, acquisition)
        with folder.atomic_path(name) as unfinished:
            write = FILM_WRITERS[options.format]
            shape = write(unfinished, chain([first], pictures), options.lossy_quality)
            digest = FileDigest(unfinished.stat().st_size, sha256_of_file(unfinished))
        about = frames.manifest_row() | {"acquisition": acquisition}
        about |= {"rows": shape[0], "columns": shape[1], "channels": 1 if first.ndim == 2 else 3}
        issues = [issue.name for issue in geometry_issues(rows)]
        issues += ["capture_removed"] if parts.captures.height else []
        issues += ["window_unusable"] if frames.scale.is_unusable else []
        folder.add_file(part, name, about | {"issues": " ".join(issues)}, digest)
        sources = [frame.source for frame in frames.shown]
        _name_slices(part, str(name), sources, [frame.position_mm for frame in frames.shown])
    folder.finish(job.key, part)


def shared_presentation(rows: Sequence[Row]) -> Presentation:
    """Return one scale for all frames of a stack: the window that most headers name, else the
    first VOI table, else the range of all values."""
    named = [presentation(row) for row in rows]
    windows = Counter(shown.voi for shown in named if isinstance(shown.voi, VoiWindow))
    if windows:
        return Presentation(windows.most_common(1)[0][0])
    tables = [shown for shown in named if isinstance(shown.voi, LookupTable)]
    if tables:
        return tables[0]
    unusable = [shown for shown in named if shown.is_unusable]
    return replace((unusable or named)[0], voi=_range_of_all(rows))


def _range_of_all(rows: Sequence[Row]) -> VoiWindow:
    ends: list[float] = []
    for row in rows:
        try:
            values = slice_from_row(row).values()
        except RejectError:
            continue  # refused where it is shown
        ends += [float(values.min()), float(values.max())]
        still_alive()
    return full_range(np.array(ends or [0.0]))


def evenly_spaced(count: int, most: int | None) -> list[int]:
    """Return at most `most` of the numbers below `count`, evenly spread, both ends among them."""
    if most is None or most >= count:
        return list(range(count))
    return [round(float(place)) for place in np.linspace(0, count - 1, most)]


def export_array(job: ExportJob, folder: ExportFolder) -> None:
    """Write an array of each stack of the job's series, masked, cropped and resampled as the
    options say."""
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
        first = _first_row(rows, volume)
        name = stack_name(first, number, len(volumes), folder.options.ending, volume.acquisition)
        try:
            fitted = _apply_options(volume, job.box, folder.options)
            content, numbers = ARRAY_ENCODERS[folder.options.format](fitted)
        except StackError as error:
            which = f"{len(volume.hu)} slices, stack {number + 1} of {len(volumes)}"
            detail = f"{which}: {error} Or give a spacing, which makes equal steps."
            part.refuse(first, "no_geometry", detail)
            continue
        except RejectError as error:
            part.refuse(first, error.reason, error.detail)
            continue
        about = _series_uids(first) | _array_row(fitted, numbers)
        folder.write_file(part, name, content, about)
        _name_slices(part, str(name), fitted.sources, fitted.positions_mm)
    folder.finish(job.key, part)


def _first_row(rows: pl.DataFrame, volume: Volume) -> Row:
    """Return the row of a volume's first slice; the first of all where that has no UID."""
    own = rows.filter(pl.col("SOPInstanceUID") == volume.sources[0])
    return (own if own.height else rows).row(0, named=True)


def _refuse_captures(part: ExportPart, captures: pl.DataFrame) -> None:
    """Refuse each picture of a screen or a page by name: it is no slice of a stack."""
    for row in captures.iter_rows(named=True):
        part.refuse(row, "wrong_kind", CAPTURE)


def _apply_options(volume: Volume, box: PixelBox | None, options: ExportOptions) -> Volume:
    """Return the volume masked, cropped and resampled as the options say."""
    if options.mask is not None:
        volume = fill_outside(volume, read_mask_file(Path(options.mask), volume))
    if box is not None:
        volume = _cropped(volume, box)
    return volume if options.spacing_mm is None else resample_to(volume, options.spacing_mm)


def _cropped(volume: Volume, box: PixelBox) -> Volume:
    """Return the part of the box that lies in the slices, at its place."""
    hu, place = crop_picture(volume.hu, box), volume.place
    if np.isnan(place.orientation).any():
        return replace(volume, hu=hu)
    along_row, along_column, _ = unit_axes(place.orientation)
    down, across = max(box[0], 0) * place.spacing_mm[0], max(box[2], 0) * place.spacing_mm[1]
    origins = place.origins_mm + down * along_column + across * along_row
    return replace(volume, hu=hu, place=replace(place, origins_mm=origins))


def _array_row(volume: Volume, numbers: NumberArray) -> TableRow:
    """Return the manifest's row of the array (Z, Y, X) that was written of a volume."""
    between, rows, columns = map(finite_or_none, volume_spacing(volume))
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
    """Refuse every row that cannot be read; where all can, the first with the error."""
    before = len(part.rejects)
    for row in rows.iter_rows(named=True):
        try:
            slice_from_row(row)
        except RejectError as found:
            part.refuse(row, found.reason, found.detail)
    if error is not None and len(part.rejects) == before:
        part.refuse(rows.row(0, named=True), error.reason, error.detail)


def _name_slices(
    part: ExportPart, file: str, sources: Sequence[str], positions: Sequence[float] | Float64Array
) -> None:
    part.slices += [
        {"file": file, "z": z, "SOPInstanceUID": source, "position_mm": finite_or_none(at)}
        for z, (source, at) in enumerate(zip(sources, positions, strict=True))
    ]


def _series_uids(row: Row) -> TableRow:
    return {name: row[name] for name in ("StudyInstanceUID", "SeriesInstanceUID")}
