"""tests/outputs/test_uid_names.py: a file's name is its UID where that is a plain name, and never
leaves the folder."""

from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetread.outputs.uid_names import LONGEST, safe_name, slice_name, stack_name


def row(**given_: Any) -> dict[str, Any]:
    uids = dict.fromkeys(("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"))
    return {"path": "/a/b.dcm", "member": None, **uids, **given_}


def test_a_slice_lies_under_its_study_and_series() -> None:
    here = row(StudyInstanceUID="1.2", SeriesInstanceUID="1.3", SOPInstanceUID="ID_a1")
    assert slice_name(here, ".png") == PurePosixPath("1.2/1.3/ID_a1.png")
    assert slice_name({**here, "frame": 0}, ".png").name == "ID_a1.frame-0001.png"
    assert stack_name(here, 0, 1, ".nii.gz") == PurePosixPath("1.2/1.3.nii.gz")
    assert stack_name(here, 1, 2, ".nii.gz") == PurePosixPath("1.2/1.3.stack-2.nii.gz")


def test_what_has_no_uid_is_named_without_its_path() -> None:
    name = slice_name(row(path="/clinic/Smith John/1.dcm"), ".png")
    assert name.parts[0] == "no-study"
    assert "Smith" not in str(name)
    other = slice_name(row(path="/clinic/Smith John/2.dcm"), ".png")
    assert name != other
    assert slice_name(row(path="/clinic/Smith John/1.dcm"), ".png") == name


@given(st.text(max_size=80))
def test_every_name_is_plain_and_stays_in_its_folder(uid: str) -> None:
    name = safe_name(uid)
    assert 0 < len(name) <= LONGEST
    assert (Path("/top") / name).resolve().parent == Path("/top")
    assert name.isascii()
    assert not set(name) & set('/\\:*?"<>| ')


@given(st.text(max_size=70), st.text(max_size=70))
def test_two_uids_never_share_a_name(one: str, other: str) -> None:
    assert (safe_name(one) == safe_name(other)) == (one == other)


@pytest.mark.parametrize("uid", ["1.2.840.10008.1", "ID_0000f1657", "a-b", "1" * 64])
def test_a_plain_uid_is_its_own_name(uid: str) -> None:
    assert safe_name(uid) == uid


@pytest.mark.parametrize("uid", ["../../etc", "..", "", "a/b", ".hidden", "-o", "x" * 65, "1.2\0"])
def test_an_odd_uid_is_told_apart_by_a_digest(uid: str) -> None:
    assert safe_name(uid) != uid
