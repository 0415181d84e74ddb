"""tests/phantoms/dicom/test_elements.py: elements are read back by pydicom; identifiers differ."""

from __future__ import annotations

import io

import numpy as np
import pydicom
import pytest

from wetread.archive.dataset.phantom_mark import PHANTOM_IMPLEMENTATION
from wetread.phantoms.dicom.elements import (
    CT_IMAGE_STORAGE,
    EXPLICIT_LITTLE_ENDIAN,
    IMPLICIT_LITTLE_ENDIAN,
    JPEG_BASELINE,
    element,
    encapsulated,
    encode_elements,
    file_meta,
    identifier_key,
    pixel_data,
    scramble,
)

ELEMENTS = (
    (0x28, 0x11, "US", 3),
    (0x28, 0x10, "US", 2),
    (0x10, 0x10, "PN", "odd"),
    (0x20, 0x32, "DS", "1\\2\\3"),
)


@pytest.mark.parametrize("implicit", [False, True])
def test_pydicom_reads_what_was_encoded_in_ascending_order(implicit: bool):
    stored = np.arange(6, dtype=np.uint16).reshape(2, 3)
    syntax = IMPLICIT_LITTLE_ENDIAN if implicit else EXPLICIT_LITTLE_ENDIAN
    content = file_meta(CT_IMAGE_STORAGE, "1.2.3", syntax)
    content += encode_elements((*ELEMENTS, pixel_data(stored)), implicit=implicit)
    data = pydicom.dcmread(io.BytesIO(content))
    assert data.file_meta.TransferSyntaxUID == syntax
    assert data.file_meta.MediaStorageSOPInstanceUID == "1.2.3"
    assert data.file_meta.ImplementationClassUID == PHANTOM_IMPLEMENTATION
    assert (data.Rows, data.Columns, str(data.PatientName)) == (2, 3, "odd")
    assert list(data.ImagePositionPatient) == [1, 2, 3]
    assert data.PixelData == stored.astype("<u2").tobytes()
    assert [e.tag for e in data] == sorted(e.tag for e in data)


def test_values_are_padded_to_an_even_length():
    assert element(0x08, 0x18, "UI", b"1.2", False).endswith(b"1.2\0")
    assert element(0x10, 0x10, "PN", b"odd", True).endswith(b"odd ")


def test_an_encapsulated_frame_comes_back():
    stream = b"\xff\xd8" + bytes(range(31)) + b"\xff\xd9"
    content = file_meta(CT_IMAGE_STORAGE, "1.2.3", JPEG_BASELINE)
    content += encode_elements(((0x28, 0x08, "IS", "1"),), implicit=False) + encapsulated(stream)
    data = pydicom.dcmread(io.BytesIO(content))
    frame = next(pydicom.encaps.generate_frames(data.PixelData, number_of_frames=1))
    assert frame[: len(stream)] == stream
    assert len(frame) % 2 == 0


def test_scrambling_is_a_permutation_that_its_key_decides():
    key = identifier_key(4)
    assert sorted(scramble(number, 10, key) for number in range(1024)) == list(range(1024))
    other = identifier_key(5)
    assert key != other
    assert [scramble(n, 10, key) for n in range(9)] != [scramble(n, 10, other) for n in range(9)]
