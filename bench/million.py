"""bench/million.py: the memory that an index of a million rows takes.

The bytes of one series' headers are replayed under a million names, each with an identifier of its
own, through the same code as files: listing, reading, journal, duplicates, tables.

python -m bench.million [ROWS]: the highest resident memory of that process, in GiB.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from bench.headers import COLUMNS, ROWS, UID, header_bytes
from wetread.archive.containers.sources import Entry
from wetread.archive.index import examine, index, listing
from wetread.archive.types import ReadAt

MILLION = 1_000_000
BUDGET_GIB = 1.0
SIZE_OF_PIXELS = 2 * ROWS * COLUMNS


def compare() -> list[dict[str, Any]]:
    """GiB against the budget, measured in a process of its own."""
    printed = subprocess.run(
        [sys.executable, "-m", "bench.million"], check=True, capture_output=True, text=True
    )
    peak = float(printed.stdout)
    return [
        {
            "name": "index_million_rows_gib",
            "ours": peak,
            "theirs": BUDGET_GIB,
            "unit": "GiB resident, at most",
            "ratio": BUDGET_GIB / peak,
            "remark": "the other is the budget",
        }
    ]


def replay(rows: int, out: Path) -> index.Index:
    """The index of so many files that are not there."""
    templates = [header_bytes("rich", "explicit", number) for number in range(40)]
    size = len(templates[0]) + SIZE_OF_PIXELS

    def entries(sources: object, leave_out: object) -> Iterator[Entry]:
        for number in range(rows):
            path = f"/archive/of/no/files/patient-{number // 400:06d}/{number:09d}.dcm"
            yield Entry(path, None, size, number, None)

    @contextmanager
    def open_contents(path: str, member: str | None) -> Iterator[tuple[ReadAt, int]]:
        number = int(path[-13:-4])
        data = templates[number % 40].replace(
            f"{UID}1{number % 40:09d}".encode(), f"{UID}1{number:09d}".encode()
        )
        yield lambda offset, length: data[offset : offset + length], len(data) + SIZE_OF_PIXELS

    with mock.patch.object(listing, "list_entries", entries), \
            mock.patch.object(examine, "open_contents", open_contents):  # fmt: skip
        return index.build_index([Path("/")], out, workers=1)


def peak_gib(rows: int) -> float:
    """Of this process, after an index of so many rows and its counts."""
    folder = Path(tempfile.mkdtemp(prefix="wetread-million-"))
    try:
        counts = replay(rows, folder / "i.parquet").counts()
    finally:
        shutil.rmtree(folder)
    if counts["instances"] != rows:
        raise RuntimeError(f"{rows} rows were replayed, the index counts {counts}")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2  # Linux counts KiB


if __name__ == "__main__":
    print(peak_gib(int(sys.argv[1]) if len(sys.argv) > 1 else MILLION))
