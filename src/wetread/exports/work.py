"""exports/work.py: one piece of an export: some slices of a stack become pictures.

Runs in a worker process and leaves its part in the folder when all of it is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from wetread.archive.dataset.luts import LookupTable
from wetread.archive.executor.isolated_process import LostItem, still_alive
from wetread.archive.notes import NAMED, note_names
from wetread.archive.rejects import RejectError
from wetread.archive.types import Row
from wetread.exports.annotate import annotate
from wetread.exports.folder import ExportFolder, ExportPart, RejectRow, TableRow, reject_row
from wetread.exports.formats import ExportOptions
from wetread.exports.stills import PICTURE_ENCODERS, VALUE_ENCODERS, EncodedImage
from wetread.outputs.uid_names import slice_name
from wetread.study.boxes import PixelBox
from wetread.study.display import Presentation, presentation
from wetread.study.series import positions_mm
from wetread.study.slices import Slice, require_hu, slice_from_row
from wetread.study.unit import is_ct
from wetread.view.picture import DisplaySlice, RenderSettings, crop_picture, render_picture
from wetread.view.window import Window


@dataclass(frozen=True, eq=False)
class ExportJob:
    """One piece of work of an export.

    rows:  of one stack in order (pictures: with the neighbors that are shown), or of one series.
    first: the first of the rows that is exported; the count rows from it on are, of a series all.
    box:   the crop, pixels; None: the whole picture.
    key:   its name in the folder.
    lost:  rows of the table of rejects that are known before it begins.
    """

    rows: pl.DataFrame
    first: int
    count: int
    box: PixelBox | None
    key: str
    lost: tuple[RejectRow, ...] = ()

    @property
    def exported(self) -> range:
        """The numbers of the rows that are exported."""
        return range(self.first, self.first + self.count)

    def without_rows(self, lost: Mapping[int, LostItem]) -> ExportJob:
        """Return the job without the rows of those numbers, which become rejects."""
        rows = self.rows.to_dicts()
        rejects = (reject_row(rows[n], item.reason, item.detail) for n, item in lost.items())
        return replace(
            self,
            rows=self.rows.filter(~pl.int_range(pl.len()).is_in(list(lost))),
            first=self.first - sum(number < self.first for number in lost),
            count=self.count - sum(number in self.exported for number in lost),
            lost=(*self.lost, *rejects),
        )


class StackReader:
    """Slices of a job's rows, read once and dropped when they are no longer near."""

    def __init__(self, rows: pl.DataFrame, reach: int) -> None:
        self.table, self.rows = rows, list(rows.iter_rows(named=True))
        self._reach = reach
        self._read: dict[int, Slice | RejectError] = {}

    def slice(self, number: int) -> Slice:
        """Return the slice of the row of that number; RejectError where it cannot be read."""
        if number not in self._read:
            try:
                self._read[number] = slice_from_row(self.rows[number])
            except RejectError as error:
                self._read[number] = error
            still_alive()
        found = self._read[number]
        if isinstance(found, RejectError):
            raise found
        return found

    def with_neighbors(self, number: int, offsets: Sequence[int]) -> list[tuple[Row, Slice]]:
        """Return the slices at the offsets from a row, with their rows.

        In place of a neighbor that does not exist, cannot be read or has another shape stands the
        slice itself. RejectError where that cannot be read.
        """
        center = self.slice(number)
        found: list[tuple[Row, Slice]] = []
        for offset in offsets:
            near = min(max(number + offset, 0), len(self.rows) - 1)
            try:
                neighbor = self.slice(near)
            except RejectError:
                near, neighbor = number, center
            if neighbor.stored.shape != center.stored.shape:
                near, neighbor = number, center
            found.append((self.rows[near], neighbor))
        for far in [n for n in self._read if n < number - self._reach]:
            del self._read[far]
        return found


def export_slices(job: ExportJob, folder: ExportFolder) -> None:
    """Write pictures of the job's exported slices, one file each."""
    options, part = folder.options, ExportPart(rejects=list(job.lost))
    offsets = options.mode.offsets if options.depth == 8 else (0,)
    reader, places = StackReader(job.rows, max(map(abs, offsets))), positions_mm(job.rows)
    for number in job.exported:
        row = reader.rows[number]
        try:
            slices = reader.with_neighbors(number, offsets)
            encoded, about = _encode_slice(slices, offsets.index(0), job.box, options)
        except RejectError as error:
            part.refuse(row, error.reason, error.detail)
            continue
        about |= _uids(row) | {"position_mm": finite_or_none(places[number])}
        folder.write_file(part, slice_name(row, options.ending), encoded.content, about)
    folder.finish(job.key, part)


def _encode_slice(
    slices: Sequence[tuple[Row, Slice]], center: int, box: PixelBox | None, options: ExportOptions
) -> tuple[EncodedImage, TableRow]:
    """Encode the slice of the number `center`; return its file and its row of the manifest."""
    row, slice_ = slices[center]
    values = crop_picture(slice_.values(), box)
    spacing = _pixel_spacing(row)
    about: TableRow = {"slices": 1, "unit": slice_.unit}
    about |= {"min": float(values.min()), "max": float(values.max())}
    of_header = [name for name in note_names(row["notes"]) if name in NAMED]
    issues = list(dict.fromkeys((*note_names(slice_.notes), *of_header)))
    if options.depth == 16:
        encoded = VALUE_ENCODERS[options.format](values, slice_.unit, spacing)
        shape: tuple[int, ...] = values.shape
    else:
        require_hu_for_windows(slices, options)
        shown = [_presentation(at, options) for at, _ in slices]
        found = [
            DisplaySlice(near, how.voi, at["PhotometricInterpretation"])
            for how, (at, near) in zip(shown, slices, strict=True)
        ]
        picture = render_picture(found, RenderSettings(options.mode, box, options.size))
        about["window"] = window_text(options, shown[center])
        issues += ["window_unusable"] if shown[center].is_unusable else []
        picture = annotate(picture, row, options.annotate)
        shape = picture.shape
        spacing = resized_spacing(spacing, box, slice_.stored.shape, options.size)
        encode = PICTURE_ENCODERS[options.format]
        encoded = EncodedImage(encode(picture, options.lossy_quality, spacing), "uint8")
    about["issues"] = " ".join(issues)
    about |= {"rows": shape[0], "columns": shape[1], "channels": shape[2] if shape[2:] else 1}
    about |= {"dtype": encoded.dtype, "scale": finite_or_none(encoded.scale)}
    about["offset"] = finite_or_none(encoded.offset)
    if spacing is not None:
        about |= {"row_spacing_mm": spacing[0], "column_spacing_mm": spacing[1]}
    return encoded, about


def require_hu_for_windows(slices: Sequence[tuple[Row, Slice]], options: ExportOptions) -> None:
    """Raise RejectError where windows of HU are asked for and a CT slice is in another unit."""
    if options.mode.windows:
        for row, slice_ in slices:
            if is_ct(row):
                require_hu(row, slice_)


def _presentation(row: Row, options: ExportOptions) -> Presentation:
    """Return how the header wants the slice shown, which is read only where it is asked for."""
    return Presentation(None) if options.mode.windows else presentation(row)


def window_text(options: ExportOptions, shown: Presentation) -> str:
    """Return the windows of a picture as the manifest has them: center/width/curve."""
    if options.mode.windows:
        return " ".join(map(_one_window, options.mode.windows))
    voi = shown.voi
    if isinstance(voi, LookupTable):
        return "the file's VOI table"
    if voi is None:
        return f"full range: {shown.because}"
    return f"{voi.center:g}/{voi.width:g}/{voi.function.lower()} of the file"


def _one_window(window: Window) -> str:
    return f"{window.center_hu:g}/{window.width_hu:g}/{window.curve}"


def _pixel_spacing(row: Row) -> tuple[float, float] | None:
    """Return the mm between rows and between columns; None where they are not known."""
    rows, columns = row["row_spacing_mm"], row["column_spacing_mm"]
    return None if rows is None or columns is None else (rows, columns)


def resized_spacing(
    spacing: tuple[float, float] | None,
    box: PixelBox | None,
    shape: tuple[int, ...],
    size: int | None,
) -> tuple[float, float] | None:
    """Return the spacing (rows, columns), mm, of the square that study/crop.py makes of a slice.

    shape: (rows, columns) of the slice; box: the crop; size: the square's side, None: not resized.
    """
    if spacing is None or size is None:
        return spacing
    sides = shape if box is None else (box[1] - box[0], box[3] - box[2])
    side = max(sides)
    return spacing[0] * side / size, spacing[1] * side / size


def finite_or_none(number: float) -> float | None:
    """Return the number, None where it is NaN or infinite."""
    return float(number) if np.isfinite(number) else None


def _uids(row: Row) -> TableRow:
    frame = row.get("frame")
    names = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
    return {name: row[name] for name in names} | {"frame": None if frame is None else frame + 1}
