"""archive/files/table_file.py: the one door to tables on disk; a path is taken as it is written.

polars reads `[`, `*` and `?` in a name as a pattern, `~` as a home and `s3:` as a cloud, and takes
no name that is not UTF-8. Here a path names one file.
"""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Literal

import polars as pl

from wetread.archive.files.atomic import atomic_path
from wetread.archive.files.damaged import DamagedFileError

_MAGIC = b"PAR1"
_ROWS_ANYWAY = 1 << 20  # a table of so many rows may take no bytes at all
_ROWS_A_BYTE = 512  # more stand in no table of ours, whose rows have names
_TABLE = "a table of wetread (Parquet)"


def read_parquet(
    path: Path,
    columns: Sequence[str] | None = None,
    *,
    schema: Mapping[str, pl.DataType] | None = None,
    expected: str = _TABLE,
) -> pl.DataFrame:
    """Read a Parquet file that is there under just this name.

    schema: columns and types that it must have. expected: what it should be, for the message.
    FileNotFoundError and IsADirectoryError where there is no such file; DamagedFileError where it
    is cut, no Parquet, of other columns, or declares more rows than its bytes can hold.
    """
    _check_parquet(path, expected)
    try:
        frame = pl.read_parquet(
            _literal(path), columns=None if columns is None else list(columns), glob=False
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise DamagedFileError(
            path, expected, f"cannot be read ({first_error_line(error)})"
        ) from error
    if schema is not None:
        _check_schema(path, frame.schema, schema, expected)
    return frame


def scan_parquet(paths: Path | Sequence[Path], *, expected: str = _TABLE) -> pl.LazyFrame:
    """Read Parquet files, one after the other, when asked. Raises as `read_parquet`."""
    several = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    for path in several:
        _check_parquet(Path(path), expected)
    return pl.scan_parquet([_literal(path) for path in several], glob=False)  # type: ignore[arg-type]


def parquet_schema(path: Path, *, expected: str = _TABLE) -> pl.Schema:
    """Read columns and types of a Parquet file, from its end alone. Raises as `read_parquet`."""
    _check_parquet(path, expected)
    try:
        return pl.scan_parquet(_literal(path), glob=False).collect_schema()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise DamagedFileError(
            path, expected, f"cannot be read ({first_error_line(error)})"
        ) from error


def read_csv(
    path: Path,
    *,
    schema: Mapping[str, pl.DataType] | None = None,
    infer_schema: bool = True,
    has_header: bool = True,
    n_rows: int | None = None,
) -> pl.DataFrame:
    """Read the CSV file under just this name; the keywords are those of polars.read_csv."""
    check_file(path)
    return pl.read_csv(
        _literal(path),
        glob=False,
        schema=schema,
        infer_schema=infer_schema,
        has_header=has_header,
        n_rows=n_rows,
    )


def scan_csv(path: Path, *, infer_schema: bool = True) -> pl.LazyFrame:
    """Read the CSV file under just this name when asked (polars.scan_csv)."""
    check_file(path)
    return pl.scan_csv(_literal(path), glob=False, infer_schema=infer_schema)


def write_table(
    frame: pl.DataFrame,
    path: Path,
    *,
    compression: Literal["zstd", "lz4"] = "zstd",
    level: int | None = None,
    within: Path | None = None,
    durable: bool = True,
) -> None:
    """Write a whole Parquet file; within, durable: as `atomic_path` takes them.

    compression: lz4 for what does not last. level: of the compression; None: polars' own.
    """
    with atomic_path(path, within, durable=durable) as part:
        write_parquet(frame, part, compression, level)


def write_parquet(
    frame: pl.DataFrame,
    path: Path,
    compression: Literal["zstd", "lz4"] = "zstd",
    level: int | None = None,
) -> None:
    """Write a Parquet file under just this name; OSError where the disk does not take it."""
    with path.open("wb") as file:
        try:
            frame.write_parquet(file, compression=compression, compression_level=level)
        except pl.exceptions.PolarsError as error:
            raise to_os_error(error, path) from error


def sink_parquet(lazy: pl.LazyFrame, path: Path, rows: int) -> None:
    """Write a lazy table under just this name, rows a group; OSError where the disk is full."""
    with path.open("wb") as file:
        try:
            lazy.sink_parquet(
                file,
                compression="zstd",
                compression_level=1,
                row_group_size=rows,
                maintain_order=True,
            )
        except pl.exceptions.PolarsError as error:
            raise to_os_error(error, path) from error


def check_file(path: Path) -> None:
    """Raise FileNotFoundError or IsADirectoryError where no file lies under this very name."""
    with open(path, "rb"):
        pass


def to_os_error(error: Exception, path: Path) -> Exception:
    """Turn the error of a table writer on a full disk into the OSError it was; others unchanged.

    Of what failed at a table's end it keeps no number: the file is asked again, and will not do.
    """
    text = str(error)
    for number in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EROFS, errno.EIO):
        if f"os error {number})" in text:
            return OSError(number, os.strerror(number), str(path))
    if "transport error" not in text:
        return error
    try:
        with open(path, "ab", buffering=0) as file:
            file.write(bytes(1 << 16))
    except OSError as again:
        return OSError(again.errno, again.strerror, str(path))
    return OSError(errno.EIO, os.strerror(errno.EIO), str(path))


def first_error_line(error: BaseException) -> str:
    """Return the first line of an error's text, without the paths that the table reader adds."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].partition(" (path expansion")[0][:200]


def _literal(path: str | os.PathLike[str]) -> str | IO[bytes]:
    """Name one local file as the table reader takes it; its bytes where its name is not UTF-8."""
    text = os.path.abspath(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        return io.BytesIO(Path(path).read_bytes())
    return text


def _check_parquet(path: Path, expected: str) -> None:
    """Check the file's two ends, and the rows it declares, before any of it is read."""
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        head = file.read(4)
        file.seek(max(size - 4, 0))
        tail = file.read(4)
    if not size:
        raise DamagedFileError(path, expected, "empty, 0 bytes")
    if head != _MAGIC:
        raise DamagedFileError(path, expected, f"no Parquet file, {size} bytes of something else")
    if tail != _MAGIC or size < 12:
        raise DamagedFileError(path, expected, f"cut off after {size} bytes, its end is missing")
    try:
        rows = pl.scan_parquet(_literal(path), glob=False).select(pl.len()).collect().item()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise DamagedFileError(
            path, expected, f"cannot be read ({first_error_line(error)})"
        ) from error
    if rows > max(_ROWS_ANYWAY, size * _ROWS_A_BYTE):
        raise DamagedFileError(path, expected, f"says that it has {rows} rows in {size} bytes")


def _check_schema(
    path: Path, found: pl.Schema, schema: Mapping[str, pl.DataType], expected: str
) -> None:
    missing = [name for name in schema if name not in found]
    if missing:
        raise DamagedFileError(path, expected, f"a table without the columns {', '.join(missing)}")
    others = [f"{name} is {found[name]}" for name, kind in schema.items() if found[name] != kind]
    if others:
        raise DamagedFileError(path, expected, f"a table of other types ({', '.join(others)})")
