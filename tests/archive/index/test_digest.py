"""tests/archive/index/test_digest.py: pixels are known by their bytes, whatever the header says."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pydicom
import pytest
from pydicom.encaps import get_frame
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, RLELossless

from wetread.archive.index.digest import (
    RECORD_SCHEMA,
    file_marks,
    file_record,
    pixel_digest,
    record_files,
    refresh_records,
)
from wetread.archive.rejects import RejectError

Write = Callable[..., Path]


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_the_digest_is_that_of_the_stored_words(
    write_ct: Write, noise: np.ndarray, syntax: str
) -> None:
    path = write_ct("x", syntax=syntax)
    expected = hashlib.blake2b(noise.tobytes(), digest_size=16).hexdigest()
    assert pixel_digest(str(path), None) == expected
    named = write_ct("y", syntax=syntax, PatientName="Somebody^Else", StudyDate="20200101")
    assert pixel_digest(str(named), None) == expected


def test_the_digest_of_compressed_pixels_is_that_of_their_fragments(write_ct: Write) -> None:
    path = write_ct("x")
    dataset = pydicom.dcmread(path)
    dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.save_as(path)
    frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
    assert pixel_digest(str(path), None) == hashlib.blake2b(frame, digest_size=16).hexdigest()


def test_a_file_without_pixels_has_a_record_without_a_digest(
    write_ct: Write, tmp_path: Path
) -> None:
    path = write_ct("x", PixelData=None)
    with pytest.raises(RejectError, match="no_pixels"):
        pixel_digest(str(path), None)
    record = file_record(str(path), None)
    assert (record["digest"], record["size"]) == (None, path.stat().st_size)
    assert set(file_marks(str(tmp_path / "gone")).values()) == {None}


def test_records_are_renewed_where_pixels_are_others(write_ct: Write) -> None:
    paths = [write_ct(f"{number}", number=number) for number in range(3)]
    rows = [{"path": str(path), "member": None} for path in paths]
    records = record_files([*rows, rows[0]])  # a file of several frames has several rows
    assert (records.height, records.schema) == (3, pl.Schema(RECORD_SCHEMA))
    os.utime(paths[0], ns=(1, 1))
    data = bytearray(paths[1].read_bytes())
    data[-1] ^= 1
    paths[1].write_bytes(data)
    paths[2].unlink()
    renewed = refresh_records(records, workers=1)
    assert renewed["fits"].to_list() == [True, False, False]
    assert renewed["mtime_ns"][0] == 1
    assert renewed["digest"].to_list() == [
        *(records["digest"][0], pixel_digest(str(paths[1]), None), None),
    ]
