"""tests/outputs/test_header_text.py: a header's elements as text, identifying values withheld."""

from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file

from wetread.outputs.header_text import HeaderLine, header_lines


def small_ct() -> str:
    return str(get_testdata_file("CT_small.dcm", download=False))


def by_keyword(path: str, **words: str) -> dict[str, HeaderLine]:
    return {line.keyword: line for line in header_lines(path, **words) if line.depth == 0}


def test_texts_and_numbers_are_those_of_pydicom() -> None:
    lines, dataset = by_keyword(small_ct()), pydicom.dcmread(small_ct())
    assert lines["Modality"] == HeaderLine(0, "(0008,0060)", "CS", "Modality", "CT", "value")
    assert lines["Rows"].value == str(dataset.Rows)
    numbers = lines["PixelSpacing"].value.split("\\")
    assert numbers == [str(number) for number in dataset.PixelSpacing]
    assert lines["PixelData"].form == "bytes"
    assert lines["PixelData"].value == f"{len(dataset.PixelData)} bytes"


def test_an_identifying_value_is_its_length_unless_it_is_asked_for() -> None:
    name = str(pydicom.dcmread(small_ct()).PatientName)
    line = by_keyword(small_ct())["PatientName"]
    assert (line.form, line.value) == ("withheld", f"present, {len(name)} characters")
    shown = by_keyword(small_ct(), identifiers="show")["PatientName"]
    assert (shown.form, shown.value) == ("value", name)


def test_another_word_for_identifiers_is_refused() -> None:
    with pytest.raises(ValueError, match="'withhold' or 'show', not 'some'"):
        list(header_lines(small_ct(), identifiers="some"))


def test_a_cut_header_ends_with_the_line_that_says_where(tmp_path: Path) -> None:
    path = tmp_path / "cut.dcm"
    path.write_bytes(Path(small_ct()).read_bytes()[:900])
    last = list(header_lines(str(path)))[-1]
    assert last.form == "fault"
    assert last.value.startswith("truncated_header: ")
