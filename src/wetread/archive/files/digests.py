"""archive/files/digests.py: SHA-256 of every file of a folder, kept beside them, and checked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from wetread.archive.files.atomic import write_whole
from wetread.archive.files.damaged import DamagedFileError, expect_form
from wetread.archive.files.json_file import read_json

FILE = "digests.json"


def file_digest(path: Path) -> str:
    """Compute the SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_digests(folder: Path, names: Sequence[str]) -> None:
    """Write the digests of files of a folder, paths below it, into its digests.json."""
    write_whole(folder / FILE, _content({name: file_digest(folder / name) for name in names}))


def check_digests(folder: Path, expected: str) -> str:
    """Check every file that a folder's digests.json lists, and that one itself; return the digest
    of them all.

    expected: what each should be and who writes it, for the message. DamagedFileError names the
    first file that is another or is gone.
    """
    path = folder / FILE
    values = read_json(path, expected, {"files": dict, "all": str})
    with expect_form(path, expected):
        files = {str(name): str(digest) for name, digest in values["files"].items()}
        if path.read_bytes() != _content(files):
            raise ValueError("its digests do not fit each other")
        if any(PurePosixPath(name).is_absolute() or ".." in name.split("/") for name in files):
            raise ValueError("a path out of the folder")
    for name, digest in files.items():
        if not (folder / name).is_file():
            raise DamagedFileError(folder / name, expected, "not there")
        if file_digest(folder / name) != digest:
            raise DamagedFileError(folder / name, expected, f"not the file whose digest {FILE} has")
    found: str = values["all"]
    return found


def _content(files: dict[str, str]) -> bytes:
    """Write digests, sorted by name, and the digest of the list itself."""
    ordered = dict(sorted(files.items()))
    lines = "".join(f"{digest}  {name}\n" for name, digest in ordered.items())
    values = {"all": hashlib.sha256(lines.encode()).hexdigest(), "files": ordered}
    return f"{json.dumps(values, indent=1)}\n".encode()
