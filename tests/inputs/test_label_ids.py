"""tests/inputs/test_label_ids.py: labels become those of an archive's images."""

from pathlib import Path

import polars as pl
import pytest

from wetread.archive.identity.pseudonym import pseudonym
from wetread.archive.identity.user_key import user_key
from wetread.inputs.label_ids import boxes_in_pixels, place_labels
from wetread.labels.table import LABEL_SCHEMA, MASK_SCHEMA, LabelError, label_table
from wetread.tasks import find_task


def test_boxes_in_millimeters_are_those_of_their_images_pixels() -> None:
    images = pl.DataFrame(
        {"SOPInstanceUID": ["1", "2"], "row_spacing_mm": [2.0, None], "column_spacing_mm": [0.5, 1]}
    )
    masks = [("1", "a", "box_mm", ["10 20 4 6"]), ("3", "a", "box_mm", ["1 1 1 1"])]
    masks.append(("2", "a", "box", ["1 2 3 4"]))
    table = pl.DataFrame(masks, schema=MASK_SCHEMA, orient="row")
    assert sorted(boxes_in_pixels(table, images).rows()) == [
        ("1", "a", "box", ["20 10 8 3"]),
        ("2", "a", "box", ["1 2 3 4"]),
    ]
    unknown = table.with_columns(form=pl.lit("box_mm"))
    with pytest.raises(LabelError, match="image 2 has no pixel spacing"):
        boxes_in_pixels(unknown, images)


@pytest.mark.parametrize("hidden", [False, True])
def test_patients_are_met_by_the_header_else_by_a_file_and_nobody_is_named(
    tmp_path: Path, hidden: bool
) -> None:
    """A and B are in headers, whom the file unites as A; P is of a picture; nobody is of Q."""
    key = user_key()
    file = tmp_path / "patients.csv"
    file.write_text("image,patient\ni0,A\ni1,A\ni2,P\n")
    headers = [pseudonym(one, key) if hidden else one for one in ("A", "B")]
    images = pl.DataFrame(
        {
            "SOPInstanceUID": ["i0", "i1", "i2"],
            "SeriesInstanceUID": ["r0", "r1", "r2"],
            "StudyInstanceUID": ["s0", "s1", "s2"],
            "PatientID": [*headers, None],
        }
    )
    rows = [("A", 1.0), ("B", 0.0), ("P", 1.0), ("Q", 1.0), ("Q", 0.0)]
    of_patients = [("patient", one, "any", value) for one, value in rows]
    table = label_table(pl.DataFrame(of_patients, LABEL_SCHEMA, orient="row"))
    placed, _ = place_labels(table, find_task("hemorrhage"), images, file)
    of_studies = dict(placed.frame.filter(level="study").select("id", "value").iter_rows())
    assert {name: of_studies[name] for name in ("s0", "s1", "s2")} == {"s0": 1, "s1": 0, "s2": 1}
    left = {*placed.frame["id"], *placed.conflicts["id"]}
    assert left.isdisjoint({"A", "B", "P", "Q"})
    assert pseudonym("Q", key) in set(placed.conflicts["id"])
