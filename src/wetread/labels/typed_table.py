"""labels/typed_table.py: tables whose cells have types, Parquet and JSON lines, as text."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from wetread.archive.files.damaged import DamagedFileError
from wetread.archive.files.table_file import read_parquet
from wetread.labels.table import LabelError

PARQUET = b"PAR1"
JSON_LINES = (".jsonl", ".ndjson")


def is_typed_table(path: Path, head: bytes) -> bool:
    """Whether a file is Parquet by its first bytes, unpacked, or JSON lines by its name."""
    endings = {suffix.lower() for suffix in path.suffixes}
    return head.startswith(PARQUET) or not endings.isdisjoint(JSON_LINES)


def read_typed_table(path: Path, content: bytes) -> pl.DataFrame:
    """Read a Parquet file, or JSON lines, as text columns, null where a cell is empty. content: its
    bytes, unpacked. LabelError where it cannot be read."""
    return _parquet(path) if content.startswith(PARQUET) else _json_lines(path, content)


def _parquet(path: Path) -> pl.DataFrame:
    try:
        frame = read_parquet(path, expected="a table of labels (Parquet)")
    except DamagedFileError as error:
        raise LabelError(str(error)) from None
    nested = [name for name, kind in frame.schema.items() if kind.is_nested()]
    if nested:
        raise LabelError(
            f"{path}: column {nested[0]!r} holds lists; write one value a cell, names joined by |."
        )
    truths = pl.selectors.boolean().cast(pl.Int8)
    return frame.with_columns(truths).cast(pl.String)


def _json_lines(path: Path, content: bytes) -> pl.DataFrame:
    rows: list[dict[str, str | None]] = []
    for number, line in enumerate(content.decode("utf-8", errors="replace").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except json.JSONDecodeError as error:
            raise LabelError(f"{path}: line {number} is no JSON ({error.msg}).") from None
        if not isinstance(values, dict):
            raise LabelError(f"{path}: line {number} is no JSON object, a key a column.")
        rows.append({name: _text(path, number, name, value) for name, value in values.items()})
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: [row.get(name) for row in rows] for name in names}
    return pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String))


def _text(path: Path, number: int, name: str, value: object) -> str | None:
    """Write a value of JSON as the text of a cell; names in a list are joined by a bar."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return "|".join(value)
    raise LabelError(
        f"{path}: line {number}, {name!r}: a cell is a text, a number, or true or false."
    )
