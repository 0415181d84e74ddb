"""survey/damaged_ids.py: ids of a label file that meet no image, and the damage that explains them.

An id went through a program that was not meant for ids: str.strip('.dcm') takes letters off both
ends, a table of numbers the leading zeros, a spreadsheet all digits but fifteen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from operator import methodcaller

ENDINGS = (".dcm", ".png", ".jpg", ".dicom")
LEAST_SHARE = 0.5  # of the ids that meet nothing: a damage of fewer is chance
LEAST_LENGTH = 4  # of an id that is left: shorter ones meet by chance


def _as_number(written: str) -> str:
    """Write an id as a table of numbers does: no leading zeros, no more than 15 sure digits."""
    return repr(float(written)).removesuffix(".0") if re.fullmatch(r"[0-9]+", written) else written


def _as_spreadsheet(written: str) -> str:
    """Write a long number as a spreadsheet does: 1.23457E+17."""
    if not re.fullmatch(r"[0-9]{12,}", written):
        return written
    mantissa, exponent = f"{float(written):.5E}".split("E")
    return f"{mantissa.rstrip('0').rstrip('.')}E+{int(exponent)}"


# What was done to an id, in words, and how it is done.
DAMAGES: Mapping[str, Callable[[str], str]] = {
    **{
        f"{how}({ending!r}): its letters were taken off {where}": methodcaller(how, ending)
        for how, where in (("strip", "both ends"), ("rstrip", "the end"))
        for ending in ENDINGS
    },
    "in small letters": str.lower,
    "in capitals": str.upper,
    "leading zeros are gone": lambda written: written.lstrip("0"),
    "read as a whole number": lambda written: (
        str(int(written)) if re.fullmatch(r"[0-9]+", written) else written
    ),
    "read as a number: digits beyond 15 are lost": _as_number,
    "rounded by a spreadsheet": _as_spreadsheet,
    "cut at the first underscore": lambda written: written.split("_", 1)[0],
    "cut before the first underscore": lambda written: written.split("_", 1)[-1],
    "cut at the first dot": lambda written: written.split(".", 1)[0],
    "dots were taken out": lambda written: written.replace(".", ""),
}  # fmt: skip


@dataclass(frozen=True)
class Damage:
    """A damage that explains ids which meet nothing.

    words:    a key of DAMAGES.
    ids:      label ids that it explains, to the ids of the archive that they were.
    unsure:   label ids that two ids of the archive may have been.
    missed:   label ids that met nothing, in all.
    """

    words: str
    ids: Mapping[str, str]
    unsure: int
    missed: int


def find_damage(written: Collection[str], existing: Collection[str]) -> Damage | None:
    """Find the damage that explains most of the written ids which do not exist; None where none
    explains LEAST_SHARE of them.

    existing: ids of the images, series or studies of an archive; those that are written as they are
    are left out, for what was damaged has no whole id beside it.
    """
    missed = set(written) - set(existing)
    free = set(existing) - set(written)
    if not missed or not free:
        return None
    best: Damage | None = None
    for words, damage in DAMAGES.items():
        became: dict[str, list[str]] = {}
        for one in free:
            if (left := damage(one)) != one and len(left) >= LEAST_LENGTH:
                became.setdefault(left, []).append(one)
        met = {one: became[one] for one in missed if one in became}
        sure = {one: names[0] for one, names in sorted(met.items()) if len(names) == 1}
        if len(met) > (len(best.ids) + best.unsure if best else 0):
            best = Damage(words, sure, len(met) - len(sure), len(missed))
    if best is None or len(best.ids) + best.unsure < LEAST_SHARE * best.missed:
        return None
    return best
