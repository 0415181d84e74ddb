"""tests/archive/test_luts.py: the tables and windows of a file are read as pydicom reads them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut, apply_voi, apply_windowing
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from wetread.archive.examine import examine
from wetread.archive.luts import Table, Window, read_modality_table, read_voi
from wetread.archive.pixels import read_stored
from wetread.archive.rejects import RejectError
from wetread.archive.schema import INDEX_SCHEMA
from wetread.archive.sources import Entry
from wetread.study.slices import read_slice
from wetread.study.voi import apply_table, apply_window

Write = Callable[..., Path]
SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]
PIXELS = np.arange(-96, 96, dtype=np.int16).reshape(16, 12)
ENTRIES = np.arange(100, 164, dtype=np.uint16) ** 2 % 4096
NO_RESCALE = {"RescaleSlope": None, "RescaleIntercept": None}


def row_of(path: Path) -> dict[str, Any]:
    found = examine(Entry(str(path), None, path.stat().st_size, 0, None))
    assert found["state"] == "image", found
    return {name: found.get(name) for name in INDEX_SCHEMA}


def table_item(first: int = -32, bits: int = 16, words: str | None = None, **tags: Any) -> Dataset:
    """words: the byte order of data of VR OW; None: numbers of VR US."""
    item = Dataset()
    item.add_new(0x00283002, "SS" if first < 0 else "US", [len(ENTRIES), first, bits])
    if words:
        item.add_new(0x00283006, "OW", ENTRIES.astype(f"{words}u2").tobytes())
    else:
        item.add_new(0x00283006, "US", ENTRIES.tolist())
    item.ModalityLUTType = "HU"
    for name, value in tags.items():
        setattr(item, name, value)
    return item


def write_native(write_ct: Write, syntax: str, **tags: Any) -> Path:
    big = syntax == ExplicitVRBigEndian
    return write_ct("x", syntax=syntax, pixels=PIXELS.byteswap() if big else PIXELS, **tags)


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("as_words", [True, False])
def test_a_modality_table_gives_the_values_of_pydicom(
    write_ct: Write, syntax: str, as_words: bool
) -> None:
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    item = table_item(words=order if as_words else None)
    path = write_native(write_ct, syntax, ModalityLUTSequence=[item], **NO_RESCALE)
    row = row_of(path)
    assert "modality_lut" in row["notes"]
    one = read_slice(row)
    place = np.clip(PIXELS.astype(int) + 32, 0, 63)
    np.testing.assert_array_equal(one.values(), ENTRIES[place])
    assert one.unit == "HU"
    theirs = apply_modality_lut(read_stored(row), pydicom.dcmread(path))
    np.testing.assert_array_equal(one.values(), theirs)


def test_padding_is_compared_before_the_table(write_ct: Write) -> None:
    path = write_native(
        write_ct, ExplicitVRLittleEndian, ModalityLUTSequence=[table_item()],
        PixelPaddingValue=-96, PixelPaddingRangeLimit=-90, **NO_RESCALE,
    )  # fmt: skip
    values = read_slice(row_of(path)).values()
    assert values.ravel()[:8].tolist() == [-1024] * 7 + [float(ENTRIES[0])]


def test_a_table_of_other_values_than_hu_gives_grey(write_ct: Write) -> None:
    item = table_item(ModalityLUTType="OD")
    path = write_native(write_ct, ExplicitVRLittleEndian, ModalityLUTSequence=[item], **NO_RESCALE)
    assert read_slice(row_of(path)).unit == "grey"


def test_a_table_goes_before_a_rescale_that_it_excludes(write_ct: Write) -> None:
    path = write_native(write_ct, ExplicitVRLittleEndian, ModalityLUTSequence=[table_item()])
    row = row_of(path)
    expected = apply_modality_lut(PIXELS, pydicom.dcmread(path))
    np.testing.assert_array_equal(read_slice(row).values(), expected)


@pytest.mark.parametrize(
    "item",
    [
        table_item(LUTData=[1, 2, 3]),
        table_item(bits=20),
        table_item(LUTDescriptor=[1, 2]),
    ],
)
def test_a_table_whose_parts_disagree_is_refused(write_ct: Write, item: Dataset) -> None:
    whole = write_native(
        write_ct, ExplicitVRLittleEndian, ModalityLUTSequence=[table_item()], **NO_RESCALE
    )
    row = row_of(whole)
    path = write_native(write_ct, ExplicitVRLittleEndian, ModalityLUTSequence=[item], **NO_RESCALE)
    with pytest.raises(RejectError, match="bad_element"):
        read_slice(row)
    found = examine(Entry(str(path), None, path.stat().st_size, 0, None))
    assert found["reason"] == "bad_element"  # the index says so, too


def test_an_empty_sequence_is_no_table(write_ct: Write) -> None:
    path = write_native(write_ct, ExplicitVRLittleEndian, ModalityLUTSequence=[])
    row = row_of(path)
    assert read_modality_table(row) is None
    np.testing.assert_array_equal(read_slice(row).values(), np.maximum(PIXELS - 1024.0, -1024))


def test_a_count_of_zero_means_65536_entries(write_ct: Write) -> None:
    item = table_item()
    item.LUTDescriptor = [0, 0, 16]
    item.add_new(0x00283006, "OW", np.arange(65536, dtype="<u2")[::-1].tobytes())
    path = write_native(write_ct, ExplicitVRLittleEndian, ModalityLUTSequence=[item], **NO_RESCALE)
    found = read_modality_table(row_of(path))
    assert found is not None
    assert found.look_up(np.array([-5, 0, 1, 65535, 70000])).tolist() == [65535, 65535, 65534, 0, 0]


@pytest.mark.parametrize("function", [None, "LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_the_first_window_is_read_with_its_function(write_ct: Write, function: str | None) -> None:
    tags = {} if function is None else {"VOILUTFunction": function}
    path = write_ct("x", WindowCenter=[36.5, 600], WindowWidth=[81, 2800], **tags)
    voi = read_voi(row_of(path))
    assert voi == Window(36.5, 81, function or "LINEAR")
    dataset = pydicom.dcmread(path)
    values = np.arange(-100.0, 200)
    theirs = (apply_windowing(values, dataset) + 33792) / 65535
    assert isinstance(voi, Window)
    np.testing.assert_allclose(apply_window(values, voi), theirs, rtol=0, atol=1e-9)


def test_no_window_is_none_and_a_strange_function_is_refused(write_ct: Write) -> None:
    assert read_voi(row_of(write_ct("a", WindowCenter=None, WindowWidth=None))) is None
    with pytest.raises(RejectError, match="VOILUTFunction"):
        read_voi(row_of(write_ct("b", VOILUTFunction="CUBIC")))
    with pytest.raises(RejectError, match="bad_number"):
        read_voi(row_of(write_ct("c", WindowCenter=40, WindowWidth=0.5)))


def test_a_voi_table_goes_before_a_window_and_agrees_with_pydicom(write_ct: Write) -> None:
    path = write_native(write_ct, ExplicitVRLittleEndian, VOILUTSequence=[table_item(bits=12)])
    voi = read_voi(row_of(path))
    assert isinstance(voi, Table)
    theirs = apply_voi(PIXELS, pydicom.dcmread(path))
    np.testing.assert_allclose(apply_table(PIXELS, voi), theirs / 4095, rtol=0, atol=1e-12)


def test_the_real_tables_agree_with_pydicom(real_data: Path) -> None:
    path = real_data / "malformed" / "mlut_18.dcm"
    dataset = pydicom.dcmread(path)
    one = read_slice(row_of(path))
    expected = apply_modality_lut(dataset.pixel_array, dataset)
    np.testing.assert_array_equal(one.values(), expected)
    path = real_data / "malformed" / "vlut_04.dcm"
    dataset = pydicom.dcmread(path)
    voi = read_voi(row_of(path))
    assert isinstance(voi, Table)
    np.testing.assert_array_equal(
        voi.look_up(read_stored(row_of(path))), apply_voi(dataset.pixel_array, dataset)
    )
