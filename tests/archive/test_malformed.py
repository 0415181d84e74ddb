"""tests/archive/test_malformed.py: sixty odd files, each in the state that its manifest expects."""

import csv
from pathlib import Path

import numpy as np
import pytest

from wetread.archive.containers.sources import Entry
from wetread.archive.index.examine import examine
from wetread.archive.index.journal import rows_to_frame
from wetread.archive.index.schema import INDEX_SCHEMA
from wetread.study.series import with_frames
from wetread.study.slices import slice_from_row
from wetread.verbs.show import ShownFile, examine_file

# file: (state that the manifest neither expects nor accepts, why wetread is right); none is left.
DECIDED_OTHERWISE: dict[str, tuple[str, str]] = {}

# file: least and greatest stored value, where the manifest's note says them.
STORED = {
    "CTImageStorage_bad_meta.dcm": (128, 2191),
    "MR_small_bigendian.dcm": (127, 2145),
    "MR_small_padded.dcm": (127, 2145),
    "image_dfl.dcm": (0, 255),
    "J2K_pixelrep_mismatch.dcm": (-2000, 1896),
    "bad_sequence.dcm": (13, 2267),
    "explicit_VR-UN.dcm": (-1024, 1186),
    "CT1_UNC.fragmented_no_bot_jpeg_ls.80.dcm": (-2000, 2278),
    "CT0012.fragmented_no_bot_jpeg_baseline.51.dcm": (1010, 2223),
}
# What a reason must name: (reason, word of the detail).
NAMED = {
    "MR_truncated.dcm": ("truncated_pixels", "8192 bytes needed"),
    "dwv-test_no-number-rows.dcm": ("bad_pixel_header", "Rows"),
    "GH1146.dcm": ("no_pixels", "empty"),
    "GH178.dcm": ("no_pixels", ""),
    "no_meta.dcm": ("not_dicom", ""),
    "3gb-bulk-data-truncated": ("bad_pixel_header", "Rows"),
}


@pytest.fixture(scope="module")
def shown(real_data: Path) -> dict[str, ShownFile]:
    """Every file of the set, once."""
    found = {}
    for path in sorted((real_data / "malformed").iterdir()):
        if path.name not in ("manifest.csv", "README.md"):
            found[path.name] = examine_file((path, None, None))
    return found


def test_each_file_is_in_the_state_that_is_expected_or_accepted(
    shown: dict[str, ShownFile], real_data: Path
) -> None:
    with (real_data / "malformed" / "manifest.csv").open(newline="") as file:
        manifest = list(csv.DictReader(file))
    assert len(manifest) == len(shown) == 60
    wrong = {}
    for line in manifest:
        allowed = {line["expected"], *line["also_accepted"].split()}
        otherwise = DECIDED_OTHERWISE.get(line["file"], ("", ""))[0]
        if shown[line["file"]].state not in allowed | {otherwise}:
            one = shown[line["file"]]
            wrong[line["file"]] = (one.state, one.reason, one.detail, allowed)
    assert wrong == {}


@pytest.mark.parametrize("name", sorted(NAMED))
def test_a_reject_names_the_fault(shown: dict[str, ShownFile], name: str) -> None:
    reason, word = NAMED[name]
    assert shown[name].reason == reason
    assert word in (shown[name].detail or "")


@pytest.mark.parametrize("name", sorted(STORED))
def test_stored_values_are_those_of_the_manifest(real_data: Path, name: str) -> None:
    path = real_data / "malformed" / name
    row = examine(Entry(str(path), None, path.stat().st_size, 0, None))
    frames = with_frames(rows_to_frame([row], INDEX_SCHEMA)).iter_rows(named=True)
    stored = [slice_from_row(frame).stored for frame in frames]
    assert (min(s.min() for s in stored), max(s.max() for s in stored)) == STORED[name]


def test_padding_that_is_stored_unsigned_is_taken_as_signed(real_data: Path) -> None:
    path = real_data / "malformed" / "GH1308.dcm"
    row = examine(Entry(str(path), None, path.stat().st_size, 0, None))
    assert row["PixelPaddingValue"] == -2000
    one = slice_from_row(dict.fromkeys(INDEX_SCHEMA) | row)
    assert (one.stored == -2000).any()
    assert np.all(one.values()[one.stored == -2000] == -1024)


def test_a_file_of_100_000_bytes_that_claims_3_gb_is_refused_before_memory_is_taken(
    real_data: Path,
) -> None:
    import tracemalloc

    tracemalloc.start()
    try:
        found = examine_file((real_data / "malformed" / "3gb-bulk-data-truncated", None, None))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.state == "reject"
    assert peak < 16 << 20


def test_header_and_pixels_are_two_states(shown: dict[str, ShownFile]) -> None:
    assert (shown["MR_truncated.dcm"].header, shown["MR_truncated.dcm"].pixels) == (
        "read",
        "reject",
    )
    assert (shown["no_meta.dcm"].header, shown["no_meta.dcm"].pixels) == ("reject", None)
    assert (shown["GH1308.dcm"].header, shown["GH1308.dcm"].pixels) == ("read", "read")
    assert (shown["test-SR.dcm"].header, shown["test-SR.dcm"].pixels) == ("read", None)
    assert shown["MR_truncated.dcm"].to_dict()["rows"] == 64
