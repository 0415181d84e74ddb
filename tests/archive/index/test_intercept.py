"""tests/archive/index/test_intercept.py: a wrong intercept is confirmed on the pixels, noted,
and left
alone where nothing is wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pydicom
import pytest
from pydicom.uid import RLELossless

from wetread.archive.containers.sources import Entry
from wetread.archive.index.examine import examine
from wetread.archive.index.index import Index, build_index
from wetread.archive.index.intercept import (
    OPEN_INTERCEPT,
    RIGHT_INTERCEPT,
    WRONG_INTERCEPT,
    has_signature,
    is_wrapped,
)
from wetread.archive.index.schema import INDEX_SCHEMA

Write = Callable[..., Path]
UNSIGNED_12 = {"BitsStored": 12, "HighBit": 11, "PixelRepresentation": 0, "RescaleIntercept": 0}


def row_of(path: Path, repair: bool = True) -> dict[str, Any]:
    found = examine(Entry(str(path), None, path.stat().st_size, 0, None), repair=repair)
    return {name: found.get(name) for name in INDEX_SCHEMA}


def picture(corner: int, middle: int = 40) -> np.ndarray:
    """(64, 64) with a border of 20 pixels."""
    found = np.full((64, 64), corner, np.uint16)
    found[20:44, 20:44] = middle
    return found


def notes(row: dict[str, Any]) -> set[str]:
    return {WRONG_INTERCEPT, RIGHT_INTERCEPT} & set(row["notes"])


@pytest.mark.parametrize(
    ("corner", "note"),
    [
        (3096, WRONG_INTERCEPT),  # air, -1000 HU
        (2096, WRONG_INTERCEPT),  # padding, -2000
        (3072, WRONG_INTERCEPT),  # air, -1024 HU
        (2048, WRONG_INTERCEPT),
        (2047, RIGHT_INTERCEPT),
        (0, RIGHT_INTERCEPT),
    ],
)
def test_the_corners_decide(write_ct: Write, corner: int, note: str) -> None:
    row = row_of(write_ct("x", pixels=picture(corner), **UNSIGNED_12))
    assert notes(row) == {note}


def test_one_corner_of_metal_decides_nothing() -> None:
    stored = picture(0)
    stored[:20, :20] = 4000
    assert not is_wrapped(stored)
    stored = picture(3096)
    stored[:20, :20] = 5
    assert is_wrapped(stored)


@pytest.mark.parametrize(
    "tags",
    [
        {"RescaleIntercept": -1024},
        {"RescaleIntercept": -100},
        {"RescaleIntercept": None},
        {"RescaleSlope": 2},
        {"BitsStored": 16, "HighBit": 15},
        {"PixelRepresentation": 1},
        {"Modality": "MR"},
    ],
)
def test_another_header_is_not_looked_at(write_ct: Write, tags: dict[str, Any]) -> None:
    path = write_ct("x", pixels=picture(3096), **UNSIGNED_12 | tags)
    assert not notes(row_of(path))


def test_the_signature_is_the_published_one(write_ct: Write) -> None:
    row = row_of(write_ct("x", pixels=picture(3096), **UNSIGNED_12), repair=False)
    assert has_signature(row)
    assert not has_signature(row | {"RescaleIntercept": -100.0})
    assert has_signature(row | {"RescaleIntercept": -99.0})
    assert not notes(row)


def test_pixels_that_cannot_be_read_decide_nothing(write_ct: Write) -> None:
    path = write_ct("x", pixels=picture(3096), **UNSIGNED_12 | {"Rows": 640})
    found = examine(Entry(str(path), None, path.stat().st_size, 0, None))
    assert found["reason"] == "truncated_pixels"


def test_a_file_whose_pixels_leave_its_intercept_open_does_not_end_the_index(
    write_ct: Write, tmp_path: Path
) -> None:
    """It was: "1 files have no row; the journal was changed by another run"."""
    path = write_ct("a/open", 1, pixels=picture(3096), **UNSIGNED_12)
    one = pydicom.dcmread(path)
    one.compress(RLELossless)
    stream = bytearray(one.PixelData)
    stream[16 + 64 :] = b"\x80" * len(stream[16 + 64 :])  # segments that hold nothing
    one.PixelData = bytes(stream)
    one.save_as(path)
    write_ct("a/usual", 2)
    for _ in range(2):
        found = build_index([tmp_path / "a"], tmp_path / "i.parquet", workers=1)
        assert found.counts()["instances"] == 2
        rows = found.instances.sort("InstanceNumber")["notes"].to_list()
        assert [OPEN_INTERCEPT in notes for notes in rows] == [True, False]


def test_an_index_is_made_anew_only_where_the_repair_is_switched(
    write_ct: Write, tmp_path: Path
) -> None:
    write_ct("a/wrong", 1, pixels=picture(3096), **UNSIGNED_12)
    write_ct("a/right", 2, pixels=picture(0), **UNSIGNED_12)
    write_ct("a/usual", 3)

    def index(repair: bool) -> Index:
        out = tmp_path / "i.parquet"
        return build_index([tmp_path / "a"], out, workers=1, repair=repair)

    def noted(found: Index) -> list[set[str]]:
        rows = found.instances.sort("InstanceNumber").select("notes")
        return [notes(row) for row in rows.iter_rows(named=True)]

    for _ in range(2):
        assert noted(index(repair=True)) == [{WRONG_INTERCEPT}, {RIGHT_INTERCEPT}, set()]
        off = noted(index(repair=False))
        assert (off[0], off[2]) == (set(), set())
    (tmp_path / "i.parquet").unlink()
    assert noted(index(repair=False)) == [set(), set(), set()]
    assert noted(index(repair=True)) == [{WRONG_INTERCEPT}, {RIGHT_INTERCEPT}, set()]


def test_no_real_file_is_taken_for_wrong(real_data: Path, tmp_path: Path) -> None:
    sources = [real_data / name for name in ("hemorrhage_slices", "head_ct_tilted", "codecs")]
    found = build_index(sources, tmp_path / "i.parquet", workers=1)
    assert found.images.height > 40
    near_zero = found.images.filter(pl.col("RescaleIntercept") > -100)
    assert near_zero.height >= 28 + 1
    wrong = pl.col("notes").list.contains(WRONG_INTERCEPT)
    assert found.images.filter(wrong).is_empty()
