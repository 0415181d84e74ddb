"""verbs/show.py: one file, or a tree of them, examined: header, pixels, place, faults."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from wetread.archive.containers.contents import name_to_text
from wetread.archive.containers.sources import TAR_SUFFIXES, ZIP_SUFFIXES, Entry, list_members
from wetread.archive.executor.isolated_process import LostItem
from wetread.archive.executor.workers import parallel_map, select_workers
from wetread.archive.files.atomic import write_output
from wetread.archive.files.paths import as_path_or_none
from wetread.archive.index.examine import examine
from wetread.archive.index.index import IndexCounts, count_refused
from wetread.archive.index.journal import rows_to_frame
from wetread.archive.index.schema import INDEX_SCHEMA
from wetread.archive.rejects import RejectError
from wetread.archive.types import Row, StrPath, UInt8Array
from wetread.inputs.progress import Report, silent
from wetread.inputs.sources import indexed
from wetread.outputs.header_text import HeaderLine, header_lines
from wetread.outputs.pictures import png_bytes
from wetread.study.display import presentation, usable_voi
from wetread.study.issue import Issue
from wetread.study.issues import geometry_issues, noted_issues
from wetread.study.overview import SeriesOverview, summarize_series
from wetread.study.series import series_slices, with_frames
from wetread.study.slices import Slice, slice_from_row
from wetread.study.unit import common_unit
from wetread.study.voi import present
from wetread.view.window import as_uint8

# Reasons that leave the header as it is.
OF_THE_PIXELS = frozenset(
    {
        *("no_pixels", "bad_pixel_header", "truncated_pixels", "unsupported_syntax", "wrong_kind"),
        *("decode_failed", "decode_mismatch", "decoder_crashed"),
    }
)


@dataclass(frozen=True)
class ValueSummary:
    """The least, greatest and mean value over all frames, also outside the field of view.

    unit: study/unit.py; None where it is not known.
    """

    min: float
    max: float
    mean: float
    unit: str | None


@dataclass(frozen=True, eq=False)
class ShownFile:
    """One file that was examined.

    state:   "read", "not_image" or "reject".
    header, pixels: which of the two was refused: "read", "reject", or for pixels None where they
             were not reached.
    row:     its row of the index; of a reject the columns that are known.
    picture: where the picture was written; None where none was asked for, or there is none.
    """

    path: Path
    member: str | None
    state: str
    header: str
    pixels: str | None
    reason: str | None
    detail: str | None
    row: Row
    values: ValueSummary | None
    issues: tuple[Issue, ...]
    picture: Path | None = None

    @property
    def refused(self) -> int:
        """1 where the file cannot be used, else 0."""
        return int(self.state == "reject")

    def to_dict(self) -> dict[str, object]:
        """Return the state, the values and the issues as plain values, for JSON."""
        row, values = self.row, self.values
        return {
            "state": self.state,
            "reason": self.reason,
            "detail": self.detail,
            "header": self.header,
            "pixels": self.pixels,
            "rows": row.get("Rows"),
            "columns": row.get("Columns"),
            "frames": None if row.get("Rows") is None else row.get("NumberOfFrames") or 1,
            "transfer_syntax": row.get("TransferSyntaxUID"),
            "modality": row.get("Modality"),
            "sop_class_uid": row.get("SOPClassUID"),
            "values": None
            if values is None
            else {"min": values.min, "max": values.max, "mean": values.mean, "unit": values.unit},
            "issues": [{"name": issue.name, "detail": issue.detail} for issue in self.issues],
            "notes": list(row.get("notes") or ()),
            "picture": None if self.picture is None else str(self.picture),
        }


@dataclass(frozen=True, eq=False)
class ShownTree:
    """The content of a folder, zip, tar or index."""

    path: Path
    counts: IndexCounts
    series: tuple[SeriesOverview, ...]
    rejects: pl.DataFrame

    def to_dict(self) -> dict[str, object]:
        """Return the counts, the series and the rejects as plain values, for JSON."""
        rejects = self.rejects.select("path", "member", "reason", "detail")
        return {
            **self.counts,
            "series": [overview.to_dict() for overview in self.series],
            "rejects": rejects.to_dicts(),
        }

    @property
    def refused(self) -> int:
        """Files that cannot be used; those that are no DICOM are not counted."""
        return count_refused(self.rejects)


_TREES = (*ZIP_SUFFIXES, *TAR_SUFFIXES, ".parquet")  # an index describes a tree, too


def show(
    source: StrPath,
    *,
    member: str | None = None,
    picture: StrPath | None = None,
    workers: int | None = None,
    report: Report = silent,
) -> ShownFile | ShownTree:
    """Examine a file (its header and its pixels), or what lies in a folder, zip or tar.

    source: a DICOM file, a folder, a zip or tar, or an index (.parquet).
    member: one file inside a zip or tar.
    picture: write the file's picture there, PNG, in the window that the file names.
    workers: processes; None: all cores. report: called with (stage, done, total).

    What cannot be read is a state with its reason, never an error. Raises FileNotFoundError, and
    ValueError for a picture of a folder.
    """
    path, picture = Path(source), as_path_or_none(picture)
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist; give a file, a folder or a zip")
    is_archive = path.is_file() and path.name.lower().endswith(_TREES)
    if path.is_dir() or (is_archive and member is None):
        if picture is not None:
            raise ValueError(f"{path} holds many files; `picture` is of one: name it")
        return show_tree(path, workers=workers, report=report)
    return show_file(path, member=member, picture=picture)


def show_file(path: Path, *, member: str | None = None, picture: Path | None = None) -> ShownFile:
    """Examine one file in a process of its own: walk its header, decode its pixels."""
    (found,) = parallel_map(examine_file, [(path, member, picture)], 1)
    if not isinstance(found, LostItem):
        return found
    row = dict.fromkeys(INDEX_SCHEMA) | examine(_entry(path, member), repair=False)
    return _refused(path, member, row, found.reason, found.detail)


def examine_file(request: tuple[Path, str | None, Path | None]) -> ShownFile:
    """Examine (file, member, picture) in this process, which a native decoder may end."""
    path, member, picture = request
    row = dict.fromkeys(INDEX_SCHEMA) | examine(_entry(path, member))
    if row["state"] == "not_image":
        return ShownFile(path, member, "not_image", "read", None, None, None, row, None, ())
    if row["state"] == "reject":
        return _refused(path, member, row, str(row["reason"]), str(row["detail"]))
    table = rows_to_frame([row], INDEX_SCHEMA)
    try:
        values, issues, middle = _read_frames(with_frames(table))
    except RejectError as reject:
        return _refused(path, member, row, reject.reason, reject.detail)
    own = _issues_of_file(table)
    known = {issue.name for issue in own}
    how = presentation(middle[1])
    if how.is_unusable:
        issues = (*issues, Issue("window_unusable", how.because))
    issues = (*own, *(issue for issue in issues if issue.name not in known))
    if picture is not None:
        write_output(picture, png_bytes(_picture(*middle)))
    whole = ShownFile(path, member, "read", "read", "read", None, None, row, values, issues)
    return replace(whole, picture=picture)


def _refused(path: Path, member: str | None, row: Row, reason: str, detail: str) -> ShownFile:
    """Return a reject: of the pixels where the header could be read, else of the header."""
    header, pixels = ("reject", None)
    if row["state"] == "image" or reason in OF_THE_PIXELS:
        header, pixels = ("read", "reject")
    return ShownFile(path, member, "reject", header, pixels, reason, detail, row, None, ())


def header_of(found: ShownFile, *, identifiers: str = "withhold") -> Iterator[HeaderLine]:
    """Yield the file's header line by line; identifiers: "withhold" or "show" those values."""
    return header_lines(
        name_to_text(str(found.path.absolute())), found.member, identifiers=identifiers
    )


def _entry(path: Path, member: str | None) -> Entry:
    status = path.stat()
    whole = Entry(
        name_to_text(str(path.absolute())), None, status.st_size, status.st_mtime_ns, None
    )
    if member is None:
        return whole
    for found in list_members(whole):
        if found.member == member and isinstance(found, Entry):
            return found
    raise FileNotFoundError(f"{path} has no member {member!r}; wetread show {path} lists it")


def _read_frames(
    frames: pl.DataFrame,
) -> tuple[ValueSummary, tuple[Issue, ...], tuple[Slice, Row]]:
    """Return the values over all frames, the pixels' issues, and the middle frame with its row."""
    low, high, total, pixels = np.inf, -np.inf, 0.0, 0
    notes: list[tuple[str, ...]] = []
    middle, units = None, set[str | None]()
    for number, row in enumerate(frames.iter_rows(named=True)):
        slice_ = slice_from_row(row)
        found = slice_.values()
        units.add(slice_.unit)
        low, high = min(low, float(found.min())), max(high, float(found.max()))
        total, pixels = total + float(found.sum(dtype=np.float64)), pixels + found.size
        notes.append(slice_.notes)
        if middle is None or number <= frames.height // 2:
            middle = slice_, row
    assert middle is not None
    values = ValueSummary(low, high, total / pixels, common_unit(units))
    return values, tuple(noted_issues(notes)), middle


def _issues_of_file(table: pl.DataFrame) -> tuple[Issue, ...]:
    """Return the issues that one file can have: a single image may lie alone, or without place."""
    issues = [issue for stack in series_slices(table) for issue in geometry_issues(stack)]
    if (table["NumberOfFrames"][0] or 1) > 1:
        return tuple(issues)
    return tuple(issue for issue in issues if issue.name not in ("single_slice", "no_geometry"))


def _picture(slice_: Slice, row: Row) -> UInt8Array:
    """Return (rows, columns) uint8 as the file wants it shown; all its values without a window."""
    return as_uint8(present(slice_.values(), usable_voi(row), row["PhotometricInterpretation"]))


def show_tree(path: Path, *, workers: int | None = None, report: Report = silent) -> ShownTree:
    """Read a folder, zip or tar from its headers alone; nothing is left on disk."""
    with indexed([path], select_workers(workers, None), report) as index:
        series = tuple(summarize_series(rows) for rows in series_slices(index.images))
        return ShownTree(path, index.counts(), series, index.rejects)
