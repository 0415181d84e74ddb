"""tests/archive/dataset/test_phantom_mark.py: a phantom has an implementation class UID."""

from pathlib import Path

import pytest
from pydicom.uid import PYDICOM_IMPLEMENTATION_UID, UID

from wetread.archive.containers.sources import Entry
from wetread.archive.dataset.phantom_mark import (
    IMPLEMENTATION_TAG,
    PHANTOM,
    PHANTOM_IMPLEMENTATION,
    is_phantom,
)
from wetread.archive.index.examine import examine


@pytest.mark.parametrize("padding", ["", "\0", " "])
def test_the_mark_is_known_with_the_padding_of_a_uid(padding: str) -> None:
    assert is_phantom({IMPLEMENTATION_TAG: (PHANTOM_IMPLEMENTATION + padding).encode()})


@pytest.mark.parametrize("uid", [PYDICOM_IMPLEMENTATION_UID, PHANTOM_IMPLEMENTATION[:-1], ""])
def test_files_of_other_programs_are_no_phantoms(uid: str) -> None:
    assert not is_phantom({IMPLEMENTATION_TAG: uid.encode()})
    assert not is_phantom({})


def test_the_mark_is_a_uid_and_a_patients_file_has_no_note(write_ct) -> None:
    assert UID(PHANTOM_IMPLEMENTATION).is_valid
    path: Path = write_ct("x")
    row = examine(Entry(str(path), None, path.stat().st_size, None, None))
    assert PHANTOM not in row["notes"]
