"""tests/store/test_part_files.py: slices are read as they were packed, by several threads, from
files that stay open or do not."""

import os
import resource
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from wetread.archive.files.damaged import DamagedFileError
from wetread.archive.files.table_file import write_table
from wetread.store import part_files
from wetread.store.pack import write_tables
from wetread.store.pack_series import OneBox, Packing, compress
from wetread.store.part_files import PartFiles
from wetread.store.store import REJECT_SCHEMA, SLICE_SCHEMA, Store, open_store
from wetread.study.crop import whole_picture

SIDE, PARTS, OF_PART = 16, 3, 4


def a_store(folder: Path, slope: float = 1.0) -> tuple[Store, np.ndarray]:
    """Write 12 slices of chance in three parts; the store, and their values (12, SIDE, SIDE)."""
    packing = Packing(SIDE, OneBox(whole_picture))
    rng = np.random.default_rng(0)
    values = rng.integers(-3000, 3000, (PARTS * OF_PART, SIDE, SIDE)).astype(np.int16)
    (folder / "parts").mkdir(parents=True)
    for part in range(PARTS):
        rows, place = [], 0
        with (folder / "parts" / f"p{part}.bin").open("wb") as file:
            for number in range(part * OF_PART, (part + 1) * OF_PART):
                blob = compress(values[number], packing.codec)
                file.write(blob)
                rows.append(
                    dict.fromkeys(SLICE_SCHEMA)
                    | {"SOPInstanceUID": str(number), "rows": SIDE, "columns": SIDE}
                    | {"dtype": "<i2", "slope": slope, "intercept": 0.0, "part": f"p{part}"}
                    | {"offset": place, "bytes": len(blob), "notes": []}
                )
                place += len(blob)
        write_table(pl.DataFrame(rows, schema=SLICE_SCHEMA), folder / "parts" / f"p{part}.parquet")
        write_table(pl.DataFrame(schema=REJECT_SCHEMA), folder / "parts" / f"p{part}.rejects")
    write_tables(folder, [f"p{part}" for part in range(PARTS)], packing)
    return open_store(folder), values


@pytest.mark.parametrize("share", [part_files.OPEN_SHARE, 0.0])
def test_rows_come_as_stored_integers_in_the_order_asked_for(
    share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part_files, "OPEN_SHARE", share)
    before = len(os.listdir("/dev/fd"))
    store, values = a_store(tmp_path / "store")
    assert (len(os.listdir("/dev/fd")) > before) == (share > 0)
    rows = [7, 0, 7, 11, 3, 0]
    hu = store.read_compact_hu(rows)
    assert hu.dtype == np.int16
    np.testing.assert_array_equal(hu, np.maximum(values[rows], -1024))
    np.testing.assert_array_equal(store.read(5), values[5])
    as_float = store.read_hu(rows)
    assert as_float.dtype == np.float32
    np.testing.assert_array_equal(as_float, np.maximum(values[rows].astype(np.float32), -1024))


def test_files_are_closed_with_the_last_reader(tmp_path: Path) -> None:
    file = tmp_path / "part"
    file.write_bytes(b"12345")
    before = len(os.listdir("/dev/fd"))
    parts = PartFiles([file, file])
    assert parts.read(1, (1, 3)) == b"234"
    assert len(os.listdir("/dev/fd")) == before + 2
    del parts
    assert len(os.listdir("/dev/fd")) == before


def test_values_that_become_hu_by_a_slope_are_float(tmp_path: Path) -> None:
    store, values = a_store(tmp_path / "store", slope=0.5)
    hu = store.read_compact_hu([2, 2, 9])
    assert hu.dtype == np.float32
    np.testing.assert_array_equal(hu, np.maximum(values[[2, 2, 9]] * np.float32(0.5), -1024))


def test_threads_read_side_by_side_what_one_reads_alone(tmp_path: Path) -> None:
    store, values = a_store(tmp_path / "store")
    rows = np.random.default_rng(1).integers(0, len(values), (64, 5))
    with ThreadPoolExecutor(4) as pool:
        read = list(pool.map(store.read_compact_hu, rows))
    np.testing.assert_array_equal(np.stack(read), np.maximum(values[rows], -1024))


def test_a_part_that_was_cut_after_it_was_opened_is_named(tmp_path: Path) -> None:
    store, _ = a_store(tmp_path / "store")
    file = tmp_path / "store" / "parts" / "p1.bin"
    os.truncate(file, file.stat().st_size - 40)
    with pytest.raises(DamagedFileError, match=r"p1\.bin.*slice 7 is damaged"):
        store.read_compact_hu([4, 7])


def test_an_epoch_over_a_store_leaves_none_of_it_in_the_resident_set(tmp_path: Path) -> None:
    """Mapped files were: all that was read of them counted as the process' own."""
    file = tmp_path / "part"
    file.write_bytes(os.urandom(2**20) * 96)
    parts = PartFiles([file])
    before = _resident_bytes()
    for start in range(0, 96 * 2**20, 2**18):
        assert len(parts.read(0, (start, 2**18))) == 2**18
    assert _resident_bytes() - before < 32 * 2**20


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()
