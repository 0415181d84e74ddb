"""tests/archive/identity/test_pseudonym.py: what identifies in an index, and what stands in its
place."""

import hashlib
import re

import polars as pl
from polars.testing import assert_frame_equal

from wetread.archive.identity.pseudonym import (
    DAY,
    is_placeholder,
    matches_key,
    pseudonym,
    pseudonymous_columns,
)
from wetread.archive.identity.user_key import UserKey

KEY, OTHER = UserKey(b"1" * 32), UserKey(b"2" * 32)
CLEAR = pl.DataFrame(
    {
        "PatientID": ["MRN 0815", "Anonymous", None, "MRN 0815"],
        "StudyInstanceUID": ["1.1", "1.2", None, "1.1"],
        "SeriesDescription": ["CT CHEST for Mrs. Secret", None, "AXIAL 5/5", None],
        "content_time_s": [10.5, None, 30.0, 12.25],
        "acquisition_time_s": [9.5, 1.0, None, 86399.0],
    }
)


def test_equal_ids_stay_equal_under_one_key_and_differ_under_two() -> None:
    expected = hashlib.blake2b(b"MRN 0815", key=b"1" * 32, person=b"PatientID", digest_size=16)
    assert pseudonym("MRN 0815", KEY) == f"patient-{KEY.name}-{expected.hexdigest()}"
    assert pseudonym("MRN 0815", KEY) != pseudonym("MRN 0815", OTHER)
    assert pseudonym("MRN 0815", KEY) != pseudonym("MRN 815", KEY)
    assert pseudonym(pseudonym("MRN 0815", KEY), OTHER) == pseudonym("MRN 0815", KEY)


def test_placeholders_are_no_patient_ids() -> None:
    nobody = ["Anonymous", "anon", "0", "0000", "REMOVED", "unknown", "N/A", "Not known", "XXXX"]
    nobody += ["---", "ANON^PATIENT", "id"]
    somebody = ["anonymous17", "P0", "100", "x1", "ID_00ff", "Anon-3", "patient 7", "1"]
    assert [text for text in nobody if not is_placeholder(text)] == []
    assert [text for text in somebody if is_placeholder(text)] == []


def test_an_index_keeps_who_is_who_words_of_the_body_and_distances_in_time() -> None:
    made = CLEAR.with_columns(pseudonymous_columns(KEY))
    patients, texts = made["PatientID"].to_list(), made["SeriesDescription"].to_list()
    assert patients[1:3] == ["Anonymous", None]
    assert patients[0] == patients[3] == pseudonym("MRN 0815", KEY)
    assert re.fullmatch(rf"ct chest text-{KEY.name}-[0-9a-f]{{32}}", texts[0])
    assert texts[1] is None
    assert "Secret" not in made.write_csv()
    content, acquired = made["content_time_s"], made["acquisition_time_s"]
    assert content[3] - content[0] == 1.75
    assert acquired[3] - content[0] == 86399.0 - 10.5
    assert content.drop_nulls().min() >= DAY  # type: ignore[operator]
    assert_frame_equal(made.with_columns(pseudonymous_columns(KEY)), made)
    assert_frame_equal(CLEAR.lazy().with_columns(pseudonymous_columns(KEY)).collect(), made)


def test_rows_of_another_key_or_clear_where_asked_are_read_again() -> None:
    made = CLEAR.with_columns(pseudonymous_columns(KEY))
    assert made.filter(matches_key(KEY)).height == 4
    assert made.filter(matches_key(OTHER))["PatientID"].to_list() == ["Anonymous"]
    assert CLEAR.filter(matches_key(None)).height == CLEAR.filter(matches_key(OTHER)).height == 4
    assert made.filter(matches_key(None)).height == 0
