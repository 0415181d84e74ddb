"""exports/folder.py: the folder of an export: its settings, its parts, its tables.

export.json      the settings; another export does not go into the same folder
manifest.csv     one row a file: where it comes from, how it was made, what its numbers mean
slices.csv       one row a slice of an array or film: which instance it was
rejects.csv      what could not be exported
.parts/KEY.sources the files of one piece of work as they were (archive/index/digest.py)
.parts/KEY.json  what one piece of work wrote, written last: without it the piece is done again
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import TypedDict

import polars as pl

from wetread.archive.containers.contents import text_to_name
from wetread.archive.executor.workers import Workers
from wetread.archive.files.atomic import atomic_path, write_csv, write_whole
from wetread.archive.files.damaged import DamagedFileError
from wetread.archive.files.json_file import read_json
from wetread.archive.files.table_file import read_parquet, write_parquet
from wetread.archive.index.digest import RECORD_SCHEMA, record_files, refresh_records
from wetread.archive.rejects import Reject
from wetread.archive.types import Row
from wetread.exports.formats import ExportOptions
from wetread.outputs.rejects import write_rejects

PARTS = ".parts"
SOURCES = ".sources"
_LISTS = ("files", "slices", "rejects")
TableRow = dict[str, object]  # column: value, of one of the tables below
FORM = 1  # of the parts; another one is not taken up

MANIFEST_SCHEMA: dict[str, pl.DataType] = {
    "file": pl.String(),  # below the folder
    "StudyInstanceUID": pl.String(),
    "SeriesInstanceUID": pl.String(),
    "SOPInstanceUID": pl.String(),  # of a picture; an array's and a film's are in slices.csv
    "frame": pl.Int64(),  # of a file with several, counted from 1
    "position_mm": pl.Float64(),  # of a picture, along the normal
    "acquisition": pl.String(),  # what tells a stack apart from others of its series
    "slices": pl.Int64(),
    "format": pl.String(),
    "window": pl.String(),  # center/width/curve of each window; empty where values are kept
    "rows": pl.Int64(),
    "columns": pl.Int64(),
    "channels": pl.Int64(),
    "dtype": pl.String(),  # of the numbers in the file
    "unit": pl.String(),  # of min and max, and of the numbers where scale says so
    "scale": pl.Float64(),  # value = number * scale + offset; empty for pictures
    "offset": pl.Float64(),
    "min": pl.Float64(),  # of the values, before a window
    "max": pl.Float64(),
    "slice_spacing_mm": pl.Float64(),  # as it is in the file
    "row_spacing_mm": pl.Float64(),
    "column_spacing_mm": pl.Float64(),
    "issues": pl.String(),  # names of study/issue.py
    "bytes": pl.Int64(),
    "sha256": pl.String(),
}
SLICES_SCHEMA: dict[str, pl.DataType] = {
    "file": pl.String(),
    "z": pl.Int64(),
    "SOPInstanceUID": pl.String(),  # empty for a slice that was made of two
    "position_mm": pl.Float64(),  # along the normal
}


class RejectRow(TypedDict):
    """A row of rejects.csv."""

    path: str
    member: str | None
    reason: str
    detail: str


@dataclass
class ExportPart:
    """The rows that one piece of work adds to manifest.csv, slices.csv and rejects.csv."""

    files: list[TableRow] = field(default_factory=list)
    slices: list[TableRow] = field(default_factory=list)
    rejects: list[RejectRow] = field(default_factory=list)

    def refuse(self, row: Row, reason: str, detail: str) -> None:
        """Add a row of the index to the rejects."""
        self.rejects.append(reject_row(row, reason, detail))

    @property
    def file_names(self) -> set[str]:
        """The names of its files, below the folder."""
        return {str(file["file"]) for file in self.files}


def reject_row(row: Row, reason: str, detail: str) -> RejectRow:
    """Return the row of the table of rejects for a row of the index."""
    return {"path": row["path"], "member": row["member"], "reason": reason, "detail": detail}


@dataclass(frozen=True)
class FileDigest:
    """A file's length in bytes and its SHA-256 in hexadecimal digits."""

    size: int
    sha256: str


@dataclass(frozen=True)
class ExportFolder:
    """The folder that an export writes into, and the export's settings."""

    path: Path
    options: ExportOptions

    def key(self, rows: pl.DataFrame, about: str) -> str:
        """Return the name of a piece of work: a digest of its files as they are now, of the
        settings, and of what else it depends on."""
        digest = hashlib.sha256(f"{FORM} {self.options.fingerprint} {about}".encode())
        for row in rows.select(
            "path", "member", "size", "mtime_ns", "crc", "frame", pl.col("notes").list.join(" ")
        ).iter_rows():
            digest.update(repr(row).encode())
        return digest.hexdigest()[:24]

    def write_file(
        self, part: ExportPart, name: PurePosixPath, content: bytes, row: TableRow
    ) -> None:
        """Write a file whole, and add it to the part with its row of the manifest."""
        with self.atomic_path(name) as unfinished:
            unfinished.write_bytes(content)
        self.add_file(part, name, row, FileDigest(len(content), sha256(content)))

    def atomic_path(self, name: PurePosixPath) -> AbstractContextManager[Path]:
        """Give the path where a file is written until it is whole, also when the program is killed.

        Nobody waits for the disk: the lengths are recorded and compared when an export goes on.
        """
        return atomic_path(self.path / name, self.path / PARTS, durable=False)

    def add_file(
        self, part: ExportPart, name: PurePosixPath, row: TableRow, digest: FileDigest
    ) -> None:
        """Add a file that is written already to the part."""
        about = {"file": str(name), "format": self.options.format}
        part.files.append({**about, **row, "bytes": digest.size, "sha256": digest.sha256})

    def finish(self, key: str, part: ExportPart) -> None:
        """Write the part's record: the piece of work is done, and all its files are written."""
        with self.atomic_path(PurePosixPath(PARTS, f"{key}.json")) as unfinished:
            unfinished.write_text(json.dumps(asdict(part)))

    def is_done(self, key: str) -> bool:
        """Whether the piece of work is done and its files still exist, in their length."""
        part = self._read(self._part(key))
        return part is not None and all(map(self._exists, part.files))

    def record_sources(self, key: str, rows: pl.DataFrame) -> None:
        """Record what the files of a piece of work are, before their pixels are read."""
        with self.atomic_path(PurePosixPath(PARTS, f"{key}{SOURCES}")) as unfinished:
            write_parquet(record_files(rows.iter_rows(named=True)), unfinished)

    def current(self, keys: Sequence[str], workers: Workers, verify: bool) -> set[str]:
        """Return the pieces of work that are done and show the pixels that their files have now."""
        records_of: dict[str, pl.DataFrame] = {}
        for key in filter(self.is_done, keys):
            with suppress(DamagedFileError, FileNotFoundError):
                records = read_parquet(self.path / PARTS / f"{key}{SOURCES}", schema=RECORD_SCHEMA)
                records_of[key] = records.select(list(RECORD_SCHEMA)).with_columns(key=pl.lit(key))
        if not records_of:
            return set()
        before = pl.concat(records_of.values())
        now = refresh_records(before.drop("key"), workers=workers, verify=verify)
        return set(records_of) - set(before["key"].filter(~now["fits"]))

    def remove_outdated(self, keys: Sequence[str], sources: Sequence[Path]) -> None:
        """Remove what earlier pieces of work wrote of these sources that is not written now: of
        files since removed, or of other pixels."""
        own = [part for part in map(self._read, map(self._part, keys)) if part is not None]
        names = {name for part in own for name in part.file_names}
        tops = [os.path.abspath(source) for source in sources]
        for path in (self.path / PARTS).glob("*.json"):
            record, part = path.with_suffix(SOURCES), self._read(path)
            if path.stem in keys or part is None or not record.is_file():
                continue
            paths = map(text_to_name, read_parquet(record)["path"].unique())
            if all(
                any(file == top or file.startswith(f"{top}/") for top in tops) for file in paths
            ):
                path.unlink()
                record.unlink()
                for name in part.file_names - names:
                    (self.path / name).unlink(missing_ok=True)
                    with suppress(OSError):  # another's files lie in it
                        (self.path / name).parent.rmdir()

    def write_tables(self, keys: Sequence[str], rejects: Iterable[Reject]) -> tuple[int, int, int]:
        """Write manifest.csv, slices.csv and rejects.csv of this run's parts and, after them, of
        the files that earlier runs left in the folder; return this run's numbers of files, of
        slices in them, and of rejects."""
        own = [part for part in map(self._read, map(self._part, keys)) if part is not None]
        names = {name for part in own for name in part.file_names}
        earlier = [
            ExportPart(
                files, [row for row in part.slices if row["file"] in {f["file"] for f in files}]
            )
            for part in self._others(frozenset(keys))
            if (files := [f for f in part.files if f["file"] not in names and self._exists(f)])
        ]
        files = [file for part in (*own, *earlier) for file in part.files]
        slices = [row for part in (*own, *earlier) for row in part.slices]
        refused = [*rejects, *(Reject(**row) for part in own for row in part.rejects)]
        by_file = pl.DataFrame(files, MANIFEST_SCHEMA).unique("file", keep="first").sort("file")
        write_csv(self.path / "manifest.csv", by_file)
        if self.options.file_format.content != "slice":
            frame = pl.DataFrame(slices, SLICES_SCHEMA).unique(["file", "z"], keep="first")
            write_csv(self.path / "slices.csv", frame.sort("file", "z"))
        write_rejects(refused, self.path / "rejects.csv")
        shown = sum(int(str(file["slices"])) for part in own for file in part.files)
        return len(names), shown, sum(reject.reason != "not_dicom" for reject in refused)

    def _others(self, keys: frozenset[str]) -> Iterable[ExportPart]:
        """Whole parts of earlier runs, the youngest first."""
        found = [path for path in (self.path / PARTS).glob("*.json") if path.stem not in keys]
        for path in sorted(found, key=lambda path: -path.stat().st_mtime_ns):
            part = self._read(path)
            if part is not None:
                yield part

    def _part(self, key: str) -> Path:
        return self.path / PARTS / f"{key}.json"

    def _read(self, path: Path) -> ExportPart | None:
        try:
            values = read_json(path, "a part of an export", dict.fromkeys(_LISTS, list))
            part = ExportPart(**values)
            names = part.file_names
            slices = [{"file": row["file"]} for row in part.slices]
            _ = pl.DataFrame(part.files, MANIFEST_SCHEMA), pl.DataFrame(slices)
            _ = [Reject(**row) for row in part.rejects], [file["bytes"] for file in part.files]
        except (OSError, ValueError, TypeError, KeyError, pl.exceptions.PolarsError):
            return None  # what is cut or foreign is made anew
        return part if all(map(_is_below, names)) else None

    def _exists(self, file: TableRow) -> bool:
        try:
            return bool(os.stat(self.path / str(file["file"])).st_size == file["bytes"])
        except OSError:
            return False


def _is_below(name: str) -> bool:
    """Whether the file of that name lies in the folder, wherever the part came from."""
    place = PurePosixPath(name)
    return not place.is_absolute() and ".." not in place.parts


def sha256(content: bytes) -> str:
    """Return the SHA-256 of bytes, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def sha256_of_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def open_export_folder(path: Path, options: ExportOptions) -> ExportFolder:
    """Return the folder, new or of an export with the same settings.

    ValueError where an export with other settings lies in it.
    """
    about = path / "export.json"
    settings = options.to_dict()
    if about.is_file():
        before = read_json(about, "the settings of an export; give another folder, or remove it")
        changed = [
            f"{name} {before.get(name)!r}, now {value!r}"
            for name, value in settings.items()
            if before.get(name) != value
        ]
        if changed:
            raise ValueError(
                f"{path} holds an export with other settings ({'; '.join(changed)}); "
                f"give another folder, or remove it"
            )
    else:
        write_whole(about, json.dumps(settings, indent=2).encode())
    (path / PARTS).mkdir(exist_ok=True)
    return ExportFolder(path, options)
