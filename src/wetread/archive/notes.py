"""archive/notes.py: what is odd in a file that is read all the same, as text with a name.

A note is one string of the index's column `notes`: a name of NAMED, with `: ` and figures behind
it, becomes an issue (study/issue.py); every other text is a remark for readers of the table.
"""

from collections.abc import Iterable

NAMED: dict[str, str] = {
    "precision_differs": "a codestream has samples of other bits than (0028,0101) BitsStored",
    "sign_differs": "a JPEG 2000 stream has another sign than (0028,0103) PixelRepresentation",
    "clipped": "values that lossy compression put beyond the stored range are set to its ends",
    "stream_out_of_form": "a codestream has stray bytes, or lacks its end marker, and is whole",
    "high_bit": "(0028,0102) HighBit is not (0028,0101) BitsStored - 1",
    "spacing_unusable": "a spacing that is no pair of lengths above 0 is taken as none",
    "number_blank": "a number that should be there is blank and taken as absent",
    "rounded": "fractions of a volume without a DICOM header are stored in 16 bits",
    "lut_empty": "(0028,3000) holds no table: values are taken as they are stored",
    "meta_out_of_form": "the file meta is not as PS3.10 7.1 has it, or contradicts the data set",
}
# Of a slice (study/slices.py): where the unit stands in a table, which is read with the pixels.
_OF_A_SLICE = frozenset({"not_hu"})


def note(name: str, detail: str) -> str:
    """A note with a name and its figures."""
    return f"{name}: {detail}"


def name_and_detail(text: str) -> tuple[str, str]:
    """A note's name and figures; of a note without figures the whole text, and ""."""
    name, _, detail = text.partition(": ")
    return (name, detail) if name in NAMED or name in _OF_A_SLICE else (text, "")


def note_names(notes: Iterable[str] | None) -> list[str]:
    """The names of notes; None counts as none."""
    return [name_and_detail(text)[0] for text in notes or ()]
