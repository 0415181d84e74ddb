"""inputs/body_part.py: which part of the body a series shows: what its header says, else by sight.

Free text of a header may name a person: its words are read here and never handed on.
"""

from __future__ import annotations

import re

import numpy as np

from wetread.archive.rejects import RejectError
from wetread.archive.types import BoolArray, Row
from wetread.outputs.header_text import header_lines
from wetread.study.volume import Volume

# A part and the words for it, in upper case; the first that is found counts.
WORDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("HEAD", re.compile(r"HEAD|BRAIN|SKULL|CRANI|CEREBR|KOPF|SCH(AE|Ä)DEL|T(E|Ê)TE\b|NEURO")),
    ("CHEST", re.compile(r"CHEST|LUNG|PULM|T(H)?ORAX|POUMON|CTPA|THORAC(?!IC SP)")),
    ("SPINE", re.compile(r"SPINE|LUMBAR|VERTEB|CERVICAL|\b[HBL]WS\b")),
    ("ABDOMEN", re.compile(r"ABD|LIVER|HEPAT|LEBER|PELVI|BECKEN|KIDNEY|RENAL")),
)
TEXTS = ("StudyDescription", "SeriesDescription", "ProtocolName")
LUNG_HU = (-900.0, -500.0)  # air and tissue mixed, as in lungs; the air around a body lies below
TISSUE_HU = -300.0
LUNG_SHARE = 0.15  # of tissue and the lung inside it: chests have 0.25, heads up to 0.12
_SAMPLED_SLICES, _SAMPLED_STEP = 24, 4  # as many slices, every fourth row and column


def part_of(words: str) -> str:
    """Find the part that a text names: HEAD, CHEST, SPINE or ABDOMEN; "" where it names none."""
    return next((part for part, known in WORDS if known.search(words.upper())), "")


def described_part(row: Row) -> str:
    """Find the part that the descriptions in a row's file name; "" where none does."""
    try:
        lines = header_lines(row["path"], row["member"], identifiers="show")
        texts = {line.keyword: line.value for line in lines if line.depth == 0}
    except (OSError, RejectError):
        return ""  # the file is gone since; its pixels are here
    return next((part for name in TEXTS if (part := part_of(texts.get(name, "")))), "")


def shows_lungs(volume: Volume) -> bool:
    """Tell whether lungs make a good part of what is no air in a volume, hu (Z, Y, X) float32."""
    if volume.unit != "HU":
        return False
    step = max(1, len(volume.hu) // _SAMPLED_SLICES)
    sampled = volume.hu[::step, ::_SAMPLED_STEP, ::_SAMPLED_STEP]
    tissue = sampled > TISSUE_HU
    lung = (sampled > LUNG_HU[0]) & (sampled < LUNG_HU[1]) & _inside(tissue)
    inside, solid = int(np.count_nonzero(lung)), int(np.count_nonzero(tissue))
    return inside > LUNG_SHARE * (inside + solid)


def _inside(tissue: BoolArray) -> BoolArray:
    """Mark the voxels (Z, Y, X) with tissue on all four sides in its slice: a pillow has none."""
    found = np.ones_like(tissue)
    for axis in (1, 2):
        found &= np.logical_or.accumulate(tissue, axis)
        found &= np.flip(np.logical_or.accumulate(np.flip(tissue, axis), axis), axis)
    return found
