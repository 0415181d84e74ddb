"""tests/survey/test_objects.py: what an archive holds, against counting by hand."""

from collections import Counter
from collections.abc import Callable

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from wetread.archive.index.schema import INDEX_SCHEMA
from wetread.survey.objects import (
    count_notes,
    count_objects,
    count_rejects,
    count_values,
    describe_numbers,
    missing_headers,
    pixel_forms,
    transfer_syntaxes,
)

Index = Callable[..., pl.DataFrame]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b", None]), st.sampled_from("xyz"), st.sampled_from(["CT", None])
        ),
        min_size=1,
        max_size=30,
    )
)
def test_counts_equal_those_of_sets(drawn: list[tuple[str | None, str, str | None]]) -> None:
    rows = [
        {"state": "image", "path": str(number), "PatientID": patient, "StudyInstanceUID": study,
         "SeriesInstanceUID": study, "Modality": modality, "size": number}
        for number, (patient, study, modality) in enumerate(drawn)
    ]  # fmt: skip
    table = pl.DataFrame(rows, schema=INDEX_SCHEMA)
    counts = count_objects(table).row(0, named=True)
    assert counts == {
        "images": len(drawn),
        "series": len({study for _, study, _ in drawn}),
        "studies": len({study for _, study, _ in drawn}),
        "patients": len({patient for patient, *_ in drawn if patient is not None}),
        "bytes": sum(range(len(drawn))),
    }
    values = count_values(table, "Modality")
    assert dict(values.select("value", "images").iter_rows()) == Counter(m for *_, m in drawn)
    for value, patients in values.select("value", "patients").iter_rows():
        assert patients == len({p for p, _, m in drawn if m == value and p is not None})


def test_what_is_no_image_is_not_counted(index_rows: Index) -> None:
    table = index_rows({"state": "not_image", "Modality": "SR"}, {"Modality": "CT"})
    assert count_objects(table)["images"][0] == 1
    assert count_values(table, "Modality")["value"].to_list() == ["CT"]


def test_pixel_forms_tell_why_air_has_two_values(index_rows: Index) -> None:
    signed = {"PixelRepresentation": 1, "RescaleIntercept": 0.0}
    unsigned = {"PixelRepresentation": 0, "RescaleIntercept": -1024.0}
    forms = pixel_forms(index_rows(signed, unsigned, unsigned, Modality="CT"))
    columns = forms.select("PixelRepresentation", "RescaleIntercept", "images")
    assert columns.rows() == [(0, -1024.0, 2), (1, 0.0, 1)]


def test_numbers_have_their_unit_and_quantiles(index_rows: Index) -> None:
    table = index_rows(*({"age_years": float(age)} for age in range(101)), {"age_years": None})
    row = describe_numbers(table).filter(pl.col("column") == "age_years").row(0, named=True)
    assert (row["unit"], row["known"]) == ("years", 101)
    assert [row[q] for q in ("least", "p5", "median", "p95", "greatest")] == [0, 5, 50, 95, 100]


def test_headers_that_are_absent_are_counted_and_the_most_lacking_comes_first(
    index_rows: Index,
) -> None:
    found = missing_headers(index_rows({"Modality": "CT"}, {}, {}))
    missing = dict(found.select("column", "missing").iter_rows())
    assert (missing["Modality"], missing["SOPInstanceUID"], missing["KVP"]) == (2, 0, 3)
    assert found["missing"].is_sorted(descending=True)


def test_syntaxes_have_names_and_notes_and_rejects_are_counted(index_rows: Index) -> None:
    table = index_rows(
        {"TransferSyntaxUID": "1.2.840.10008.1.2.4.50", "lossy": True, "notes": ["lossy"]},
        {"TransferSyntaxUID": "1.2.840.10008.1.2.1", "notes": ["high_bit: 7", "lossy"]},
    )
    assert set(transfer_syntaxes(table)["name"]) == {
        "JPEG Baseline (Process 1)", "Explicit VR Little Endian",
    }  # fmt: skip
    assert count_notes(table).rows() == [("lossy", 2), ("high_bit", 1)]
    rejects = pl.DataFrame(
        {"path": ["a.zip", "b"], "member": ["c", None], "reason": ["no_pixels"] * 2,
         "detail": ["none", "none"]}
    )  # fmt: skip
    assert count_rejects(rejects).rows() == [("no_pixels", 2, "a.zip c", "none")]
