"""exports/annotate.py: what a header says, in lines to be drawn below a picture when asked for."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from wetread.exports.formats import Annotation
from wetread.outputs.header_text import header_lines
from wetread.outputs.pictures import with_text
from wetread.outputs.sides import side_label

# Keyword and the word that stands before its value; each tuple is a line.
HEADER: tuple[tuple[tuple[str, str], ...], ...] = (
    (("Modality", ""), ("BodyPartExamined", ""), ("ViewPosition", ""), ("InstanceNumber", "image")),
    (("ImagePositionPatient", "position"), ("SliceThickness", "thickness")),
    (("KVP", "kV"), ("ConvolutionKernel", "kernel"), ("Manufacturer", "")),
)
IDENTIFIERS: tuple[tuple[tuple[str, str], ...], ...] = (
    (("PatientName", ""), ("PatientID", "id"), ("PatientSex", ""), ("PatientAge", "")),
    (("StudyDate", ""), ("StudyDescription", ""), ("SeriesDescription", "")),
)


def annotate(picture: np.ndarray, row: Mapping[str, Any], annotation: Annotation) -> np.ndarray:
    """The picture with its header's lines below it; the picture's own pixels stay as they are."""
    if annotation == "none":
        return picture
    *before, last = annotation_lines(row, annotation)
    sides = side_label(row.get("orientation"))
    return with_text(picture, [*before, f"{last}   {sides}".strip()])


def annotation_lines(row: Mapping[str, Any], annotation: Annotation) -> list[str]:
    """The lines of one row of the index, the same number for every row of an annotation.

    "header" names nothing that identifies, whatever the file holds (archive/identity/privacy.py).
    """
    asked = "show" if annotation == "identifiers" else "withhold"
    tables = (IDENTIFIERS + HEADER) if annotation == "identifiers" else HEADER
    values = {
        line.keyword: line.value
        for line in header_lines(row["path"], row["member"], identifiers=asked)
        if line.depth == 0 and line.form == "value" and line.value.strip()
    }
    return [
        "   ".join(
            f"{word} {values[keyword]}".strip() for keyword, word in line if keyword in values
        )
        for line in tables
    ]
