"""tests/archive/index/test_index_memory.py: memory does not grow with an index's rows."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

Write = Callable[..., Path]
FEW, MANY = 4_000, 40_000
BYTES_A_ROW = 1_200  # what stays: path, size, time, hash; rows held whole take 2,400

# One file's bytes under many names, each with a UID of its own, through the code of files.
_REPLAY = """
import resource, sys
from contextlib import contextmanager
from pathlib import Path
from wetread.archive.index import examine, index, listing, tables
from wetread.archive.containers.sources import Entry

data, rows, out = Path(sys.argv[1]).read_bytes(), int(sys.argv[2]), Path(sys.argv[3])
index.CHUNK = listing._LISTED = tables.RANGE = 1024

def entries(sources, leave_out):
    for number in range(rows):
        yield Entry(f"/replayed/{number:08d}", None, len(data), number, None)

@contextmanager
def open_contents(path, member):
    own = data.replace(b"1.2.3.10000000", b"1.2.3.1" + path[-7:].encode())
    yield lambda offset, length: own[offset : offset + length], len(own)

listing.list_entries, examine.open_contents = entries, open_contents
counts = index.build_index([Path("/")], out, workers=1).counts()
assert counts["instances"] == rows, counts
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def test_ten_times_the_rows_take_little_more_memory(write_ct: Write, tmp_path: Path) -> None:
    one = write_ct("one", number=10_000_000)
    peaks = []
    for rows in (FEW, MANY):
        words = (str(one), str(rows), str(tmp_path / f"{rows}.parquet"))
        told = subprocess.run(
            [sys.executable, "-c", _REPLAY, *words], check=True, capture_output=True, text=True
        )
        peaks.append(int(told.stdout))
    assert (peaks[1] - peaks[0]) / (MANY - FEW) < BYTES_A_ROW, peaks
