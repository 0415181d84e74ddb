"""archive/files/json_file.py: the one reader of JSON, which may be cut, foreign or huge."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from wetread.archive.files.damaged import DamagedFileError
from wetread.archive.types import JsonObject

MOST_BYTES = 64 << 20  # the largest of ours, an export's part of 100,000 slices, takes a third
_WORDS = {dict: "an object", list: "a list", str: "text", int: "a whole number", float: "a number"}


def read_json(
    path: Path, expected: str, needs: Mapping[str, type | tuple[type, ...]] | None = None
) -> JsonObject:
    """Read the JSON object at path; every number in it is finite.

    expected: what the file should be and who writes it, for the message.
    needs:    keys that must be there, with the types that their values may have.
    FileNotFoundError where there is none; DamagedFileError where it is none of that form.
    """
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > MOST_BYTES:
            raise DamagedFileError(path, expected, f"{size} bytes, far too many")
        content = file.read()
    return parse_json(content, path, expected, needs)


def parse_json(
    content: bytes | str,
    path: Path,
    expected: str,
    needs: Mapping[str, type | tuple[type, ...]] | None = None,
) -> JsonObject:
    """Parse JSON that was read from path. Raises as `read_json`."""
    if not content:
        raise DamagedFileError(path, expected, "empty, 0 bytes")
    try:
        value = json.loads(content, parse_constant=_no_number)
    except RecursionError:
        raise DamagedFileError(path, expected, "nested too deep") from None
    except ValueError as error:  # of JSON, of UTF-8, of a number too long
        raise DamagedFileError(path, expected, f"no JSON ({str(error)[:120]})") from None
    if not isinstance(value, dict):
        raise DamagedFileError(path, expected, f"{_word(type(value))}, not an object")
    for key, kinds in (needs or {}).items():
        if key not in value:
            raise DamagedFileError(path, expected, f"it lacks {key!r}")
        allowed = kinds if isinstance(kinds, tuple) else (kinds,)
        if float in allowed:
            allowed = (*allowed, int)
        field = value[key]
        if not isinstance(field, allowed) or (isinstance(field, bool) and bool not in allowed):
            raise DamagedFileError(
                path, expected, f"its {key!r} is {_word(type(field))}, not {_word(allowed[0])}"
            )
    return value


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _word(kind: type) -> str:
    return _WORDS.get(kind, kind.__name__)
