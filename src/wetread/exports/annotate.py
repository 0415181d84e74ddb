"""exports/annotate.py: lines of a header, drawn below a picture on request."""

from wetread.archive.types import Row, UInt8Array
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


def annotate(picture: UInt8Array, row: Row, annotation: Annotation) -> UInt8Array:
    """Return a picture (rows, columns) or (rows, columns, 3) uint8 with lines of its header below.

    The picture's own pixels stay as they are; "none" draws nothing.
    """
    if annotation == "none":
        return picture
    *before, last = annotation_lines(row, annotation)
    sides = side_label(row.get("orientation"))
    return with_text(picture, [*before, f"{last}   {sides}".strip()])


def annotation_lines(row: Row, annotation: Annotation) -> list[str]:
    """Return the lines of one row of the index, as many for every row of an annotation.

    "header" names nothing that identifies, whatever the file holds (archive/identity/privacy.py).
    """
    identifiers = "show" if annotation == "identifiers" else "withhold"
    tables = (IDENTIFIERS + HEADER) if annotation == "identifiers" else HEADER
    values = {
        line.keyword: line.value
        for line in header_lines(row["path"], row["member"], identifiers=identifiers)
        if line.depth == 0 and line.form == "value" and line.value.strip()
    }
    return [
        "   ".join(
            f"{word} {values[keyword]}".strip() for keyword, word in line if keyword in values
        )
        for line in tables
    ]
