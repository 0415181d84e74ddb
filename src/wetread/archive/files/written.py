"""archive/files/written.py: the list of files that wetread wrote into a folder.

Nothing else there is touched. written.txt holds a path a line, below the folder; a path is on it
before its file is there, so a command killed at any moment leaves nothing that the next one does
not know as its own.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Set
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from wetread.archive.files.atomic import observe_writes, write_whole

WRITTEN_LIST = "written.txt"


def refuse_foreign_files(folder: Path, own: Set[str]) -> None:
    """Raise ValueError where the folder holds files that are not on its list.

    own: names in the folder itself, of files and folders that are not on the list and may be there.
    """
    known = {*_listed(folder)}
    foreign = [
        name
        for name in _files(folder, own)
        if name not in known and PurePosixPath(name).parts[0] not in own
    ]
    if foreign:
        many = f"{len(foreign)} files" if len(foreign) > 1 else "a file"
        raise ValueError(
            f"{folder} holds {many} that wetread did not write there by its list ({WRITTEN_LIST}), "
            f"the first {foreign[0]}; give another folder, or move them away"
        )


@contextmanager
def rewriting(folder: Path) -> Iterator[None]:
    """Remove what the list names, and list what is written into the folder until the end."""
    for name in _listed(folder):
        with contextlib.suppress(OSError):
            (folder / name).unlink()
        for parent in PurePosixPath(name).parents[:-1]:
            with contextlib.suppress(OSError):  # something else lies there
                (folder / parent).rmdir()
    write_whole(folder / WRITTEN_LIST, b"")
    top = Path(os.path.abspath(folder))
    listed: set[str] = set()
    with (folder / WRITTEN_LIST).open("a", encoding="utf-8", errors="surrogateescape") as listing:

        def record(path: Path) -> None:
            absolute = Path(os.path.abspath(path))
            if not absolute.is_relative_to(top):
                return
            name = absolute.relative_to(top).as_posix()
            if name not in listed:
                listed.add(name)
                listing.write(f"{name}\n")
                listing.flush()

        with observe_writes(record):
            yield


def _listed(folder: Path) -> list[str]:
    """Read the paths on the folder's list, but for those that lead out of the folder."""
    try:
        text = (folder / WRITTEN_LIST).read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return []
    paths = [PurePosixPath(line) for line in text.splitlines() if line]
    return [str(path) for path in paths if not path.is_absolute() and ".." not in path.parts]


def _files(folder: Path, own: Set[str]) -> Iterator[str]:
    """List the files below the folder, but for its list and its `own` names."""
    for top, folders, files in os.walk(folder):
        if Path(top) == folder:
            folders[:] = [name for name in folders if name not in own]
            files = [name for name in files if name != WRITTEN_LIST]
        for name in files:
            yield Path(top, name).relative_to(folder).as_posix()
