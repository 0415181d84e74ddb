"""verbs/segment/earlier.py: masks of an earlier run whose volumes are not among the sources now.

Each segment.json says of which given sources its slices came, as digests of their places, and names
its files. Nothing else of a folder is touched.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import polars as pl

from wetread.archive.containers.contents import text_to_name
from wetread.archive.files.json_file import read_json
from wetread.archive.types import JsonObject

ENTRY_NAME = "segment.json"  # written last: where it is, the volume is whole


def source_digests(rows: pl.DataFrame, sources: Sequence[Path]) -> tuple[str, ...]:
    """Return digests of the paths of those sources that hold the files of rows of an index.

    An index, which stands alone, holds all.
    """
    if len(sources) == 1:
        return (_digest(sources[0]),)
    tops = {os.path.abspath(source): _digest(source) for source in sources}
    found: set[str] = set()
    for path in rows["path"].unique():
        name = os.path.abspath(os.fsdecode(text_to_name(path)))
        found |= {
            digest
            for top, digest in tops.items()
            if name == top or name.startswith(os.path.join(top, ""))
        }
    return tuple(sorted(found))


def file_names(entry: JsonObject) -> list[str]:
    """Return the names of the files that an entry lists."""
    return [name for part in (entry, *entry["masks"]) for name in part["files"].values()]


def previous_entry(entry_path: Path) -> tuple[JsonObject, list[str]]:
    """Return the entry in a file and the names of its files, in its own folder alone.

    ({}, []) where the entry is cut or foreign.
    """
    try:
        entry = read_json(entry_path, "the entry of a volume that was segmented", {"masks": list})
        names = [name for name in file_names(entry) if Path(name).name == name]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}, []
    return entry, names


def remove_outdated(out: Path, organ: str, made: set[Path], sources: Sequence[Path]) -> None:
    """Remove the organ's files of volumes that came of these sources before and not now.

    made: the folders, STUDY/SERIES/ORGAN below out, that were written or taken up again.
    """
    given = {_digest(source) for source in sources}
    for entry_path in sorted(out.glob(f"*/*/{organ}/{ENTRY_NAME}")):
        folder = entry_path.parent
        entry, names = previous_entry(entry_path)
        entry_sources = entry.get("sources")
        if folder in made or not isinstance(entry_sources, list) or not entry_sources:
            continue
        if not all(digest in given for digest in entry_sources):
            continue
        for name in (*names, ENTRY_NAME):  # the list last: a kill leaves it to the next
            (folder / name).unlink(missing_ok=True)
        for empty in (folder, folder.parent, folder.parent.parent):
            with suppress(OSError):  # another's files lie in it
                empty.rmdir()


def _digest(source: Path) -> str:
    return sha256(os.fsencode(os.path.abspath(source))).hexdigest()[:16]
