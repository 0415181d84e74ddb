"""bench/synthetic_store.py: stores of any number of slices, made of a few distinct ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from wetread.archive.files.table_file import write_table
from wetread.archive.types import Int16Array, MutableRow
from wetread.store.pack import write_tables
from wetread.store.pack_series import OneBox, Packing, compress, number_records
from wetread.store.store import REJECT_SCHEMA, SLICE_SCHEMA, Store, open_store
from wetread.study.crop import whole_picture

SERIES_SLICES, PART_SLICES = 40, 400  # slices of a series; of a file of the store
NOISE_HU = 5.0


def varied(base: Int16Array, count: int, rng: np.random.Generator) -> list[Int16Array]:
    """Make slices (H, W) of some others (N, H, W): flipped, moved and with noise of their own, in
    the head alone: outside the field of view there is none."""
    made = []
    for number in range(count):
        values = np.roll(base[number % len(base)], rng.integers(-9, 10, 2), (0, 1))
        values = values[:, :: rng.choice([-1, 1])].astype(np.float32)
        noise = rng.normal(0, NOISE_HU, values.shape)
        made.append(np.rint(values + noise * (values > values.min())).astype(np.int16))
    return made


def write_store(out: Path, slices: Sequence[Int16Array], count: int, size: int) -> Store:
    """Write a store of count slices (size, size), the given ones over and over, as packing does."""
    packing = Packing(size, OneBox(whole_picture))
    blobs = [compress(values, packing.codec) for values in slices]
    parts = out / "parts"
    parts.mkdir(parents=True, exist_ok=True)
    keys = []
    for first in range(0, count, PART_SLICES):
        keys.append(f"part-{first:09d}")
        rows: list[MutableRow] = []
        with (parts / f"{keys[-1]}.bin").open("wb") as file:
            for number in range(first, min(first + PART_SLICES, count)):
                blob = blobs[number % len(blobs)]
                rows.append(_record(number, size, keys[-1], file.tell(), len(blob)))
                file.write(blob)
        of_series = [rows[i : i + SERIES_SLICES] for i in range(0, len(rows), SERIES_SLICES)]
        numbered = [row for records in of_series for row in number_records(records)]
        write_table(
            pl.DataFrame(numbered, schema=SLICE_SCHEMA), (parts / keys[-1]).with_suffix(".parquet")
        )
        write_table(pl.DataFrame(schema=REJECT_SCHEMA), (parts / keys[-1]).with_suffix(".rejects"))
    write_tables(out, keys, packing)
    return open_store(out)


def _record(number: int, size: int, part: str, offset: int, length: int) -> MutableRow:
    series = number // SERIES_SLICES
    root = "1.2.826.0.1.3680043.8.498"
    return {
        "SOPInstanceUID": f"{root}.{10**20 + number}",
        "SeriesInstanceUID": f"{root}.2.{10**20 + series}",
        "StudyInstanceUID": f"{root}.3.{10**20 + series}",
        "patient": f"patient-{series:07d}",
        "acquisition": 0,
        "position_mm": 5.0 * (number % SERIES_SLICES),
        "rows": size,
        "columns": size,
        "dtype": "<i2",
        "slope": 1.0,
        "intercept": 0.0,
        "padding_low": None,
        "padding_high": None,
        "source_rows": 512,
        "source_columns": 512,
        "notes": [],
        "box": [0, 512, 0, 512],
        "digest": f"{number:032x}",
        "part": part,
        "offset": offset,
        "bytes": length,
    }
