"""archive/dataset/phantom_mark.py: the mark by which a file that wetread drew is known.

Its file meta names the program that wrote it (PS3.10 7.1): Implementation Class UID. The data set
looks like those of the archives that phantoms stand for. A file that another
program has written anew since carries that program's mark instead.
"""

from __future__ import annotations

from typing import Final

IMPLEMENTATION_TAG: Final = 0x00020012
PHANTOM_IMPLEMENTATION: Final = "2.25.329800735698586629295641978511506172918"
PHANTOM: Final = "phantom"  # the note in the index


def is_phantom(values: dict[int, bytes]) -> bool:
    """Whether a header's elements (tag to raw bytes) are those of a phantom."""
    raw = values.get(IMPLEMENTATION_TAG, b"")
    return raw.decode("latin-1").strip(" \0") == PHANTOM_IMPLEMENTATION
