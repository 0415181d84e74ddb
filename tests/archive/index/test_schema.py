"""tests/archive/index/test_schema.py: columns named as keywords have types that hold their VR."""

import polars as pl
import pytest
from pydicom.datadict import dictionary_VM, dictionary_VR, tag_for_keyword

from wetread.archive.identity.privacy import FREE_TEXT_COLUMNS, PATIENT_COLUMNS, TIME_COLUMNS
from wetread.archive.index.schema import INDEX_SCHEMA, JOURNAL_SCHEMA, MARKS, REJECT_SCHEMA

KINDS = {
    pl.String(): {"UI", "CS", "LO", "SH", "PN"},
    pl.Int64(): {"IS", "US", "UL", "SH"},
    pl.Float64(): {"DS", "FD", "FL"},
}
KEYWORDS = [name for name in INDEX_SCHEMA if tag_for_keyword(name) is not None]
OTHER_VR = {"PixelPaddingValue", "PixelPaddingRangeLimit"}  # US or SS, as the pixels are signed


@pytest.mark.parametrize("name", KEYWORDS)
def test_a_column_holds_the_values_of_its_vr(name: str) -> None:
    kind, vr = INDEX_SCHEMA[name], dictionary_VR(name)
    inner = kind.inner if isinstance(kind, pl.List) else kind
    assert name in OTHER_VR or vr in KINDS[inner]  # type: ignore[index]
    assert isinstance(kind, pl.List) <= (dictionary_VM(name) != "1")


def test_a_reject_and_a_journal_have_the_columns_of_the_index() -> None:
    assert list(INDEX_SCHEMA)[: len(MARKS)] == MARKS
    assert INDEX_SCHEMA.items() <= JOURNAL_SCHEMA.items()
    assert JOURNAL_SCHEMA.keys() - INDEX_SCHEMA.keys() == {"reason", "detail"}
    assert REJECT_SCHEMA.items() <= JOURNAL_SCHEMA.items()


def test_the_columns_that_identify_are_columns() -> None:
    assert {*PATIENT_COLUMNS, *FREE_TEXT_COLUMNS, *TIME_COLUMNS} <= INDEX_SCHEMA.keys()
