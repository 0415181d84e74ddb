"""exports/work.py: one piece of an export: some slices, or one series, become files.

Runs in a worker process and leaves its part in the folder when all of it is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from wetread.archive.dataset.luts import LookupTable
from wetread.archive.executor.isolated_process import LostItem, still_alive
from wetread.archive.notes import NAMED, names_of
from wetread.archive.rejects import RejectError
from wetread.exports.annotate import annotate
from wetread.exports.folder import ExportFolder, ExportPart, reject_row
from wetread.exports.formats import ExportOptions
from wetread.exports.stills import PICTURE_ENCODERS, VALUE_ENCODERS, EncodedImage
from wetread.outputs.uid_names import slice_name
from wetread.study.boxes import PixelBox
from wetread.study.display import Presentation, presentation
from wetread.study.series import positions_mm
from wetread.study.slices import Slice, require_hu, slice_from_row
from wetread.study.unit import is_ct
from wetread.view.picture import DisplaySlice, RenderSettings, crop_picture, render_picture
from wetread.view.window import Window as HUWindow

Row = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class ExportJob:
    """One piece of work.

    rows: of one stack in order (pictures: with the neighbours that are seen), or of one series.
    own:  how many of the rows, from `first` on, are exported; of a series all.
    box:  the crop, pixels; None: the whole picture.
    key:  its name in the folder.
    lost: rows of the table of rejects that are known before it begins.
    """

    rows: pl.DataFrame
    first: int
    own: int
    box: PixelBox | None
    key: str
    lost: tuple[dict[str, Any], ...] = ()

    def without(self, lost: Mapping[int, LostItem]) -> ExportJob:
        """The same without some rows, which are refused."""
        rows = self.rows.to_dicts()
        before = sum(number < self.first for number in lost)
        among = sum(self.first <= number < self.first + self.own for number in lost)
        return replace(
            self,
            rows=self.rows.filter(~pl.int_range(pl.len()).is_in(list(lost))),
            first=self.first - before,
            own=self.own - among,
            lost=(
                *self.lost,
                *(reject_row(rows[n], one.reason, one.detail) for n, one in lost.items()),
            ),
        )


class SliceReader:
    """Slices of a job's rows, read once and dropped when they are no longer near."""

    def __init__(self, rows: pl.DataFrame, reach: int) -> None:
        self.table, self.rows = rows, list(rows.iter_rows(named=True))
        self._reach = reach
        self._read: dict[int, Slice | RejectError] = {}

    def slice(self, number: int) -> Slice:
        """The slice of that row; RejectError where it cannot be read."""
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
        """The slice and its neighbours; where there is none, or none of its shape, itself."""
        own = self.slice(number)
        found: list[tuple[Row, Slice]] = []
        for offset in offsets:
            near = min(max(number + offset, 0), len(self.rows) - 1)
            try:
                there = self.slice(near)
            except RejectError:
                near, there = number, own
            if there.stored.shape != own.stored.shape:
                near, there = number, own
            found.append((self.rows[near], there))
        for far in [n for n in self._read if n < number - self._reach]:
            del self._read[far]
        return found


def export_slices(job: ExportJob, folder: ExportFolder) -> None:
    """Pictures of the job's own slices, one file each."""
    options, part = folder.options, ExportPart(rejects=list(job.lost))
    offsets = options.mode.offsets if options.depth == 8 else (0,)
    reader, places = SliceReader(job.rows, max(map(abs, offsets))), positions_mm(job.rows)
    for number in range(job.first, job.first + job.own):
        row = reader.rows[number]
        try:
            slices = reader.with_neighbors(number, offsets)
            encoded, about = _still(slices, offsets.index(0), job.box, options)
        except RejectError as error:
            part.refuse(row, error.reason, error.detail)
            continue
        about |= _uids(row) | {"position_mm": finite_or_none(places[number])}
        folder.keep(part, slice_name(row, options.ending), encoded.content, about)
    folder.finish(job.key, part)


def _still(
    slices: Sequence[tuple[Row, Slice]], own: int, box: PixelBox | None, options: ExportOptions
) -> tuple[EncodedImage, dict[str, Any]]:
    """The file of one slice and its row of the manifest."""
    row, one = slices[own]
    values = crop_picture(one.values(), box)
    spacing = _spacing(row)
    about: dict[str, Any] = {"slices": 1, "unit": one.unit}
    about |= {"min": float(values.min()), "max": float(values.max())}
    of_header = [name for name in names_of(row["notes"]) if name in NAMED]
    about["issues"] = " ".join(dict.fromkeys((*names_of(one.notes), *of_header)))
    if options.depth == 16:
        encoded = VALUE_ENCODERS[options.format](values, one.unit, spacing)
        shape: tuple[int, ...] = values.shape
    else:
        require_hu_for_windows(slices, options)
        settings = RenderSettings(options.mode, box, options.size)
        shown = [_presentation(at, options) for at, _ in slices]
        found = [
            DisplaySlice(near, how.voi, at["PhotometricInterpretation"])
            for how, (at, near) in zip(shown, slices, strict=True)
        ]
        picture = render_picture(found, settings)
        about["window"] = window_text(options, shown[own])
        if shown[own].is_unusable:
            about["issues"] = f"{about['issues']} window_unusable".strip()
        picture = annotate(picture, row, options.annotate)
        shape, spacing = (
            picture.shape,
            resized_spacing(spacing, box, one.stored.shape, options.size),
        )
        quality = options.quality or options.kind.quality or 0
        encoded = EncodedImage(PICTURE_ENCODERS[options.format](picture, quality, spacing), "uint8")
    about |= {"rows": shape[0], "columns": shape[1], "channels": shape[2] if shape[2:] else 1}
    about |= {"dtype": encoded.dtype, "scale": finite_or_none(encoded.scale)}
    about["offset"] = finite_or_none(encoded.offset)
    if spacing is not None:
        about |= {"row_spacing_mm": spacing[0], "column_spacing_mm": spacing[1]}
    return encoded, about


def require_hu_for_windows(slices: Sequence[tuple[Row, Slice]], options: ExportOptions) -> None:
    """RejectError where windows of HU are asked for, and a CT slice is in another unit."""
    if options.mode.windows:
        for row, one in slices:
            if is_ct(row):
                require_hu(row, one)


def _presentation(row: Row, options: ExportOptions) -> Presentation:
    """The header's window, which is looked for only where it is wanted."""
    return Presentation(None) if options.mode.windows else presentation(row)


def window_text(options: ExportOptions, shown: Presentation) -> str:
    """The windows of a picture as the manifest tells them: center/width/curve."""
    if options.mode.windows:
        return " ".join(map(_one_window, options.mode.windows))
    voi = shown.voi
    if isinstance(voi, LookupTable):
        return "the file's VOI table"
    if voi is None:
        return f"full range: {shown.because}"
    return f"{voi.center:g}/{voi.width:g}/{voi.function.lower()} of the file"


def _one_window(window: HUWindow) -> str:
    return f"{window.center_hu:g}/{window.width_hu:g}/{window.curve}"


def _spacing(row: Row) -> tuple[float, float] | None:
    """Between rows and between columns, mm."""
    rows, columns = row["row_spacing_mm"], row["column_spacing_mm"]
    return None if rows is None or columns is None else (rows, columns)


def resized_spacing(
    spacing: tuple[float, float] | None,
    box: PixelBox | None,
    shape: tuple[int, ...],
    size: int | None,
) -> tuple[float, float] | None:
    """The spacing of the square that comes out of view/crop.py."""
    if spacing is None or size is None:
        return spacing
    sides = shape if box is None else (box[1] - box[0], box[3] - box[2])
    side = max(sides)
    return spacing[0] * side / size, spacing[1] * side / size


def finite_or_none(number: float) -> float | None:
    """The number, None where it is none."""
    return float(number) if np.isfinite(number) else None


def _uids(row: Row) -> dict[str, Any]:
    frame = row.get("frame")
    names = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
    return {name: row[name] for name in names} | {"frame": None if frame is None else frame + 1}
