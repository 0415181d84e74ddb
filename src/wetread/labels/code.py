"""labels/code.py: a concept of a coding scheme (PS3.16), which a name stands for elsewhere."""

from dataclasses import dataclass

PRIVATE = "99WETREAD"  # PS3.16 section 8: schemes of one's own begin with 99


@dataclass(frozen=True)
class Code:
    """A coded concept.

    value, meaning: the code, and its words in the scheme. scheme: its designator, SCT for SNOMED
    CT, DCM, UCUM, or PRIVATE where no public scheme at hand has the concept.
    is_anatomy: whether it is a structure that everybody has, and no abnormality.
    """

    value: str
    scheme: str
    meaning: str
    is_anatomy: bool = False


def private_code(name: str) -> Code:
    """Return a concept under the private scheme for what has no public code at hand; name: as it
    stands in readings."""
    return Code(name, PRIVATE, name.replace("_", " "))
