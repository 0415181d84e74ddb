"""tests/archive/dataset/test_luts.py: the tables and windows of a file are read as pydicom reads
them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut, apply_voi, apply_windowing
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from wetread.archive.containers.sources import Entry
from wetread.archive.dataset.luts import (
    LookupTable,
    VoiWindow,
    _windows,
    read_modality_table,
    read_voi,
    read_windows,
)
from wetread.archive.index.examine import examine
from wetread.archive.index.schema import INDEX_SCHEMA
from wetread.archive.pixels.stored_pixels import read_stored
from wetread.archive.rejects import RejectError
from wetread.study.slices import slice_from_row
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
    one = slice_from_row(row)
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
    values = slice_from_row(row_of(path)).values()
    assert values.ravel()[:8].tolist() == [-1024] * 7 + [float(ENTRIES[0])]


@pytest.mark.parametrize(("kind", "unit"), [("US", "grey"), ("OD", "OD"), ("Z_EFF", "Z_EFF")])
def test_a_table_of_other_values_than_hu_gives_its_own_unit(
    write_ct: Write, kind: str, unit: str
) -> None:
    item = table_item(ModalityLUTType=kind)
    path = write_native(write_ct, ExplicitVRLittleEndian, ModalityLUTSequence=[item], **NO_RESCALE)
    assert slice_from_row(row_of(path)).unit == unit


def test_a_table_goes_before_a_rescale_that_it_excludes(write_ct: Write) -> None:
    path = write_native(write_ct, ExplicitVRLittleEndian, ModalityLUTSequence=[table_item()])
    row = row_of(path)
    expected = apply_modality_lut(PIXELS, pydicom.dcmread(path))
    np.testing.assert_array_equal(slice_from_row(row).values(), expected)


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
        slice_from_row(row)
    found = examine(Entry(str(path), None, path.stat().st_size, 0, None))
    assert found["reason"] == "bad_element"  # the index says so, too


def test_an_empty_sequence_is_no_table(write_ct: Write) -> None:
    path = write_native(write_ct, ExplicitVRLittleEndian, ModalityLUTSequence=[])
    row = row_of(path)
    assert read_modality_table(row) is None
    np.testing.assert_array_equal(slice_from_row(row).values(), np.maximum(PIXELS - 1024.0, -1024))


def test_a_count_of_zero_means_65536_entries(write_ct: Write) -> None:
    item = table_item()
    item.LUTDescriptor = [0, 0, 16]
    item.add_new(0x00283006, "OW", np.arange(65536, dtype="<u2")[::-1].tobytes())
    path = write_native(write_ct, ExplicitVRLittleEndian, ModalityLUTSequence=[item], **NO_RESCALE)
    found = read_modality_table(row_of(path))
    assert found is not None
    assert found.apply(np.array([-5, 0, 1, 65535, 70000])).tolist() == [65535, 65535, 65534, 0, 0]


@pytest.mark.parametrize("function", [None, "LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_the_first_window_is_read_with_its_function(write_ct: Write, function: str | None) -> None:
    tags = {} if function is None else {"VOILUTFunction": function}
    path = write_ct("x", WindowCenter=[36.5, 600], WindowWidth=[81, 2800], **tags)
    voi = read_voi(row_of(path))
    assert voi == VoiWindow(36.5, 81, function or "LINEAR")
    dataset = pydicom.dcmread(path)
    values = np.arange(-100.0, 200)
    theirs = (apply_windowing(values, dataset) + 33792) / 65535
    assert isinstance(voi, VoiWindow)
    np.testing.assert_allclose(apply_window(values, voi), theirs, rtol=0, atol=1e-9)


def test_no_window_is_none_and_a_strange_function_is_refused(write_ct: Write) -> None:
    assert read_voi(row_of(write_ct("a", WindowCenter=None, WindowWidth=None))) is None
    with pytest.raises(RejectError, match="VOILUTFunction"):
        read_voi(row_of(write_ct("b", VOILUTFunction="CUBIC")))
    with pytest.raises(RejectError, match="bad_number"):
        read_voi(row_of(write_ct("c", WindowCenter=40, WindowWidth=0)))


def test_a_width_below_1_is_taken_as_linear_exact(write_ct: Write) -> None:
    """Of values in 0..1 a LINEAR window of 0.5 would have no extent."""
    voi = read_voi(row_of(write_ct("x", WindowCenter=0.25, WindowWidth=0.5)))
    assert voi == VoiWindow(0.25, 0.5, "LINEAR_EXACT")
    assert apply_window(np.array([0, 0.125, 0.25, 0.5]), voi).tolist() == [0, 0.25, 0.5, 1]


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("linear", ["LINEAR", "LINEAR"]),
        ("Sigmoid", ["SIGMOID", "SIGMOID"]),
        ("linear exact", ["LINEAR_EXACT", "LINEAR_EXACT"]),
        (["LINEAR", "SIGMOID"], ["LINEAR", "SIGMOID"]),
        (["sigmoid", "sigmoid"], ["SIGMOID", "SIGMOID"]),
        ("", ["LINEAR", "LINEAR"]),
    ],
)
@pytest.mark.filterwarnings("ignore:.*VR CS:UserWarning")
def test_one_function_or_one_a_window_in_any_case_is_read(
    write_ct: Write, function: Any, expected: list[str]
) -> None:
    tags = {"WindowCenter": [40, 600], "WindowWidth": [80, 2800], "VOILUTFunction": function}
    row = row_of(write_ct("x", **tags))
    assert [one.function for one in read_windows(row)] == expected
    assert read_voi(row) == VoiWindow(40, 80, expected[0])


def test_of_one_center_and_two_widths_the_pair_is_used(write_ct: Write) -> None:
    row = row_of(write_ct("x", WindowCenter=40, WindowWidth=[80, 2800]))
    assert read_windows(row) == [VoiWindow(40, 80)]
    row = row_of(write_ct("y", WindowCenter=[40, 600], WindowWidth=[0, 2800]))
    assert read_windows(row) == [VoiWindow(600, 2800)]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [(b"36\\600", b"36\\6x0", VoiWindow(36, 80)), (b"36\\600", b"3x\\600", None)],
)
def test_a_window_in_part_no_number_is_used_as_far_as_it_is_one(
    write_ct: Write, old: bytes, new: bytes, expected: VoiWindow | None
) -> None:
    path = write_ct("x", WindowCenter=["36", "600"], WindowWidth=[80, 2800])
    assert old in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(old, new))
    row = row_of(path)
    if expected is None:
        with pytest.raises(RejectError, match=r"\(0028,1050\) WindowCenter is no number"):
            read_voi(row)
    else:
        assert read_voi(row) == expected


def test_a_center_without_a_width_is_named(write_ct: Write) -> None:
    with pytest.raises(RejectError, match=r"\(0028,1051\) WindowWidth is absent"):
        read_voi(row_of(write_ct("x", WindowCenter=40, WindowWidth=None)))


def voi_item(first: int, vr: str, bits: int = 16) -> Dataset:
    """A straight line of 64 entries from `first` on."""
    item = Dataset()
    item.add_new(0x00283002, vr, [64, first, bits])
    item.add_new(0x00283006, "US", (np.arange(64) * 1000).tolist())
    return item


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("vr", ["US", "SS"])
def test_the_first_value_39500_of_unsigned_pixels_is_39500(
    write_ct: Write, syntax: str, vr: str
) -> None:
    """PS3.3 C.11.2.1.1: with Pixel Representation 0, whatever the VR says."""
    pixels = np.arange(39490, 39490 + 192, dtype=np.uint16).reshape(16, 12)
    big = syntax == ExplicitVRBigEndian
    item = voi_item(39500 if vr == "US" else 39500 - 65536, vr)
    path = write_ct(
        "x", syntax=syntax, pixels=pixels.byteswap() if big else pixels, PixelRepresentation=0,
        VOILUTSequence=[item], **NO_RESCALE,
    )  # fmt: skip
    voi = read_voi(row_of(path))
    assert isinstance(voi, LookupTable)
    assert voi.first == 39500
    expected = np.clip(pixels.astype(int) - 39500, 0, 63) * 1000
    np.testing.assert_array_equal(voi.apply(pixels), expected)
    if vr == "US" and syntax == ExplicitVRLittleEndian:
        theirs = apply_voi(pixels, pydicom.dcmread(path))
        np.testing.assert_array_equal(voi.apply(pixels), theirs)


@pytest.mark.parametrize("vr", ["US", "SS"])
def test_the_first_value_of_signed_pixels_is_signed_in_either_vr(write_ct: Write, vr: str) -> None:
    item = voi_item(65504 if vr == "US" else -32, vr)
    path = write_native(write_ct, ExplicitVRLittleEndian, VOILUTSequence=[item], **NO_RESCALE)
    voi = read_voi(row_of(path))
    assert isinstance(voi, LookupTable)
    assert voi.first == -32


def test_unsigned_pixels_that_are_rescaled_below_0_keep_a_negative_first_value(
    write_ct: Write,
) -> None:
    """12 bits less 1024: 64536 lies above all 3071 values, -1000 among them."""
    path = write_ct(
        "x", PixelRepresentation=0, BitsStored=12, HighBit=11, RescaleIntercept=-1024,
        pixels=np.arange(192, dtype=np.uint16).reshape(16, 12),
        VOILUTSequence=[voi_item(-1000, "SS")],
    )  # fmt: skip
    voi = read_voi(row_of(path))
    assert isinstance(voi, LookupTable)
    assert voi.first == -1000


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_8_bit_entries_lie_two_in_a_word(write_ct: Write, syntax: str) -> None:
    entries = np.arange(64, dtype=np.uint8) * 4
    item = Dataset()
    item.add_new(0x00283002, "US", [64, 0, 8])
    words = entries.view("<u2").astype(">u2" if syntax == ExplicitVRBigEndian else "<u2")
    item.add_new(0x00283006, "OW", words.tobytes())
    path = write_native(write_ct, syntax, VOILUTSequence=[item], **NO_RESCALE)
    voi = read_voi(row_of(path))
    assert isinstance(voi, LookupTable)
    assert (voi.entries.tolist(), voi.bits) == (entries.tolist(), 8)


def test_entries_above_their_declared_bits_are_no_whiter_than_white(write_ct: Write) -> None:
    item = voi_item(0, "US", bits=8)  # up to 63000, which are 16 bits
    path = write_native(write_ct, ExplicitVRLittleEndian, VOILUTSequence=[item], **NO_RESCALE)
    voi = read_voi(row_of(path))
    assert isinstance(voi, LookupTable)
    shown = apply_table(np.arange(64), voi)
    np.testing.assert_allclose(shown, np.arange(64) * 1000 / 65535)


def test_a_table_that_cannot_be_read_gives_way_to_the_window(write_ct: Write) -> None:
    broken = voi_item(0, "US")
    broken.LUTDescriptor = [500, 0, 16]
    row = row_of(write_ct("x", WindowCenter=40, WindowWidth=80, VOILUTSequence=[broken]))
    assert read_voi(row) == VoiWindow(40, 80)


def test_a_voi_table_goes_before_a_window_and_agrees_with_pydicom(write_ct: Write) -> None:
    path = write_native(write_ct, ExplicitVRLittleEndian, VOILUTSequence=[table_item(bits=12)])
    voi = read_voi(row_of(path))
    assert isinstance(voi, LookupTable)
    theirs = apply_voi(PIXELS, pydicom.dcmread(path))
    np.testing.assert_allclose(apply_table(PIXELS, voi), theirs / 4095, rtol=0, atol=1e-12)


def test_the_real_tables_agree_with_pydicom(real_data: Path) -> None:
    path = real_data / "malformed" / "mlut_18.dcm"
    dataset = pydicom.dcmread(path)
    one = slice_from_row(row_of(path))
    expected = apply_modality_lut(dataset.pixel_array, dataset)
    np.testing.assert_array_equal(one.values(), expected)
    path = real_data / "malformed" / "vlut_04.dcm"
    dataset = pydicom.dcmread(path)
    voi = read_voi(row_of(path))
    assert isinstance(voi, LookupTable)
    np.testing.assert_array_equal(
        voi.apply(read_stored(row_of(path))), apply_voi(dataset.pixel_array, dataset)
    )


def test_a_frame_whose_groups_end_within_their_first_item_has_no_window_in_one_line() -> None:
    cut = Dataset()
    tag = Tag("PerFrameFunctionalGroupsSequence")
    cut[tag] = RawDataElement(tag, "SQ", 4, b"\xfe\xff\x00\xe0", 0, False, True)
    row = {"WindowCenter": [40.0], "WindowWidth": [80.0], "frame": 0}
    with pytest.raises(RejectError, match="the window's function cannot be read"):
        _windows(cut, row)
