"""tests/labels/test_resolve.py: ids of series, patients and files name images and studies."""

import polars as pl
import pytest

from wetread.labels.finding import Finding
from wetread.labels.resolve import name_files, path_end, resolve_labels
from wetread.labels.table import LabelError, LabelTable, label_table

IMAGES = pl.DataFrame(
    {
        "SOPInstanceUID": ["1.1", "1.2", "2.1", "3.1"],
        "SeriesInstanceUID": ["1.s", "1.s", "2.s", "3.s"],
        "StudyInstanceUID": ["1", "1", "2", "3"],
        "PatientID": ["p", "p", "q", "q"],
        "path": ["/d/p/a.dcm", "/d/p/b.dcm", "/z.zip", "/d/q/3/a.dcm"],
        "member": [None, None, "q/2/a.dcm", None],
    }
)
IMAGE, STUDY = (Finding("x"),), (Finding("x", "study"), Finding("y", "study"))


def table(*rows: tuple[str, str, str, float | None]) -> LabelTable:
    """Make labels: level (what the id names), id, finding, value."""
    return label_table(pl.DataFrame(rows, schema=["level", "id", "finding", "value"], orient="row"))


def resolved(*rows: tuple[str, str, str, float | None]) -> set[tuple[object, ...]]:
    """Return the resolved labels as a set of rows."""
    return set(resolve_labels(table(*rows), IMAGE, STUDY, IMAGES)[0].frame.iter_rows())


def test_ids_of_series_and_patients_name_studies() -> None:
    assert resolved(("series", "1.s", "y", 1.0)) == {("study", "1", "y", 1.0)}
    of_patient = resolved(("patient", "q", "y", 0.0))
    assert of_patient == {("study", "2", "y", 0.0), ("study", "3", "y", 0.0)}
    assert resolved(("series", "9.s", "y", 1.0)) == {("study", "9.s", "y", 1.0)}


def test_what_is_known_of_images_alone_makes_a_study_s_label() -> None:
    assert resolved(("image", "1.1", "y", 0.0), ("image", "1.2", "y", 1.0)) == {
        ("study", "1", "y", 1.0)
    }
    assert resolved(("image", "1.1", "y", 0.0), ("image", "1.2", "y", None)) == {
        ("study", "1", "y", None)
    }
    assert resolved(("image", "1.1", "x", 1.0)) == {("image", "1.1", "x", 1.0)}


def test_files_are_named_by_as_much_of_their_path_as_makes_ids_distinct() -> None:
    found = resolved(("file", "train/p/b.png", "x", 1.0), ("file", "q/2/a", "x", 0.0))
    assert found == {("image", "1.2", "x", 1.0), ("image", "2.1", "x", 0.0)}
    # Three files end in a: by their last part alone none is sure; by two, one is.
    assert resolved(("file", "a.dcm", "x", 1.0)) == {("image", "a.dcm", "x", 1.0)}
    both = name_files(["p/a.dcm", "2/a.dcm", "3/a.dcm"], IMAGES)
    assert both["image"].to_list() == ["1.1", "2.1", "3.1"]
    assert path_end(r"one\two\three.nii.gz", 2) == "two/three"


def test_a_label_of_a_whole_series_is_none_of_an_image() -> None:
    with pytest.raises(LabelError, match=r'are by series, and a series has several .* "study"'):
        resolve_labels(table(("series", "1.s", "x", 1.0)), IMAGE, (), IMAGES)
    one = resolve_labels(table(("series", "2.s", "x", 1.0)), IMAGE, (), IMAGES)[0]
    assert one.frame.rows() == [("image", "2.1", "x", 1.0)]


def test_unequal_labels_of_two_series_of_a_study_are_a_conflict() -> None:
    images = IMAGES.with_columns(SeriesInstanceUID=pl.col("SOPInstanceUID"))
    labels = table(("series", "1.1", "y", 0.0), ("series", "1.2", "y", 1.0))
    found, _ = resolve_labels(labels, IMAGE, STUDY, images)
    assert found.frame.rows() == [("study", "1", "y", None)]
    assert found.conflicts.height == 1


def test_labels_of_images_and_studies_stay_the_very_same_table() -> None:
    labels = table(("image", "1.1", "x", 1.0), ("study", "2", "y", 0.0))
    assert resolve_labels(labels, IMAGE, STUDY, IMAGES) == (labels, 0)


def test_a_file_of_several_frames_names_its_study_where_studies_have_the_finding() -> None:
    images = pl.DataFrame(
        {
            "path": ["/a/v1.nii.gz", "/a/f2.png"],
            "member": [None, None],
            "SOPInstanceUID": ["v1", "f2"],
            "SeriesInstanceUID": ["v1", "f2"],
            "StudyInstanceUID": ["s1", "s2"],
            "PatientID": [None, None],
            "NumberOfFrames": [30, None],
        },
        schema_overrides={"member": pl.String, "PatientID": pl.String},
    )
    for id_of, written in (("file", ["v1.nii.gz", "f2.png"]), ("image", ["v1", "f2"])):
        given = table(*((id_of, one, "a", float(k)) for k, one in enumerate(written)))
        both, _ = resolve_labels(given, [Finding("a")], [Finding("a", "study")], images)
        assert sorted(both.frame.rows()) == [("image", "f2", "a", 1.0), ("study", "s1", "a", 0.0)]
        alone, _ = resolve_labels(given, [Finding("a")], [Finding("a")], images)
        assert sorted(alone.frame["level"]) == ["image", "image"]
