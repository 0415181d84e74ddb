"""anatomy/presence.py: whether CT slices show a head, or lungs, by header and by pixels, in words.

Asked before a network reads them: a network gives a number of whatever it is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from wetread.anatomy.section import Section, measure
from wetread.study.header_content import Rows, is_axial, is_localizer, names_body_part, spacing_mm
from wetread.study.slice_sequence import SliceSequence

SAMPLED_SLICES = 24  # slices of a series, spread evenly
FEW = 8  # slices; fewer may show no more than an end of a head
USUAL_MM = 0.6  # between pixels, where the header does not say
SMALLEST_MM = 100.0  # a side of a picture that may show a section of an adult or a child

HEAD_WORDS = ("HEAD", "BRAIN", "SKULL", "NEURO", "ORBIT", "FACE", "SINUS", "EAR", "CRAN")
BRAIN_CM2 = (8.0, 300.0)  # of a slice that shows brain: a skull holds no more
LARGEST_CM2 = 25.0  # of one of them at least
WALLED = 0.5  # of the brain's rim
BRAIN_SHARE = 0.1  # of the slices
HEAD_MM = (260.0, 300.0)  # a wider, or a longer one, is no head
SINUS_CM2 = 30.0  # more air than nose and sinuses hold
SOLID_CM2 = 100.0  # a larger section of a head has bone about much of it
LEAST_BONE_CM2, HULL_SHARE = 4.0, 0.3
WIDE = 1.3  # times as wide as long: a trunk
BASE_CM2, BASE_HULL_SHARE = (140.0, 330.0), 0.4
BASE_LENGTH_MM, BASE_LONG = 150.0, 0.9  # from front to back, and of the width
FRAMED = 0.5  # of the picture's border: a head ends within its picture
LEAST_CM2 = 2.0  # of anything but air: hair and foam above the vertex have it

CHEST_WORDS = ("CHEST", "THORAX", "LUNG", "HEART", "THORAC")
LUNG_CM2 = 30.0  # of a slice that shows lung
LUNG_SHARE = 0.25  # of the slices; an abdomen shows the bases alone
RIBBED = 0.6  # of the rim at bone: ribs leave gaps, a skull about foam none
CHEST_MM = 120.0  # a narrower body is no chest


def head_absent(rows: Rows, hu: SliceSequence) -> str | None:
    """Say in words what speaks against a head in these slices; None where there is one.

    rows: of the index; hu: (Z, rows, columns) of them or of some of them, HU. From FEW slices on
    some must show brain within bone, or half of them be as large, as long and as bony as sections
    of the base; fewer may be of the vertex or the base alone, where brain need not be seen, so that
    something must speak against them: size, air, no bone, the header.
    """
    against = _not_slices(rows, hu)
    if against is not None:
        return f"no head: {against}"
    seen = _sections(hu, spacing_mm(rows[0], USUAL_MM) if rows else (USUAL_MM, USUAL_MM))
    brain = [one for one in seen if _shows_brain(one)]
    largest = max((one.brain for one in brain), default=0.0)
    if hu.shape[0] >= FEW:
        alike = sum(_like_base(one) for one in seen)
        if len(brain) >= BRAIN_SHARE * len(seen) and largest >= LARGEST_CM2:
            return None
        if 2 * alike >= len(seen) and names_body_part(rows, HEAD_WORDS) is not False:
            return None
        return f"no head: brain within bone in {len(brain)} of {len(seen)} slices; {_largest(seen)}"
    if brain:
        return None
    if names_body_part(rows, HEAD_WORDS) is False:
        return (
            f"no head: BodyPartExamined names another part, and no brain is seen; {_largest(seen)}"
        )
    doubts = [why for one in seen if (why := _no_head(one)) is not None]
    return f"no head: {doubts[0]}" if 2 * len(doubts) >= len(seen) else None


def lungs_absent(rows: Rows, hu: SliceSequence) -> str | None:
    """Say in words what speaks against lungs in these slices; None where there are some.

    rows: of the index; hu: (Z, rows, columns) of them or of some of them, HU. Lung is air in a body
    with bone about it, of which no more than ribs take lies along its rim.
    """
    against = _not_slices(rows, hu)
    if against is not None:
        return f"no lungs: {against}"
    return lungs_absent_in_pixels(
        hu, spacing_mm(rows[0], USUAL_MM) if rows else (USUAL_MM, USUAL_MM)
    )


def lungs_absent_in_pixels(hu: SliceSequence, spacing: tuple[float, float]) -> str | None:
    """lungs_absent by the pixels alone; spacing: mm between rows and between columns."""
    seen = _sections(hu, spacing)
    lung = sum(_shows_lung(one) for one in seen)
    if lung >= max(LUNG_SHARE * len(seen), 1):
        return None
    return f"no lungs: lung in {lung} of {len(seen)} slices; {_largest(seen)}"


def shows_head_only(hu: SliceSequence, spacing: tuple[float, float]) -> bool:
    """Whether slices across the body, HU, show brain within bone and no lung at all; spacing: mm
    between rows and between columns."""
    seen = _sections(hu, spacing)
    brain = sum(_shows_brain(one) for one in seen)
    return brain >= max(BRAIN_SHARE * len(seen), 1) and not any(map(_shows_lung, seen))


def _shows_brain(one: Section) -> bool:
    return BRAIN_CM2[0] <= one.brain <= BRAIN_CM2[1] and one.walled >= WALLED


def _shows_lung(one: Section) -> bool:
    return (
        one.lung >= LUNG_CM2
        and one.beside < RIBBED
        and one.width_mm >= CHEST_MM
        and one.bone >= LEAST_BONE_CM2
    )


def _not_slices(rows: Rows, hu: SliceSequence) -> str | None:
    """Why these are no slices across a body, by the header alone."""
    if rows and all(is_localizer(row) for row in rows):
        return "a localizer, an overview of which slices are planned"
    if rows and len(rows) < FEW and all(is_axial(row) is False for row in rows):
        return f"{len(rows)} pictures along the body, not across it, as a localizer is"
    if rows:
        down, across = spacing_mm(rows[0], USUAL_MM)
        height, width = hu.shape[1] * down, hu.shape[2] * across
        if min(height, width) < SMALLEST_MM:
            return f"a picture of {height:.0f} x {width:.0f} mm"
    return None


def _sections(hu: SliceSequence, spacing: tuple[float, float]) -> list[Section]:
    """Some slices, spread evenly, measured."""
    count = hu.shape[0]
    places = np.unique(np.linspace(0, count - 1, min(count, SAMPLED_SLICES)).round().astype(int))
    return [measure(hu[int(z)], spacing) for z in places]


def _like_base(one: Section) -> bool:
    """Whether one slice is like one through the base of a skull, where no brain is enclosed."""
    return (
        _no_head(one) is None
        and BASE_CM2[0] <= one.body <= BASE_CM2[1]
        and one.hull >= BASE_HULL_SHARE * one.body
        and one.height_mm >= max(BASE_LENGTH_MM, BASE_LONG * one.width_mm)
    )


def _no_head(one: Section) -> str | None:
    """Why one slice is of no head, whatever its height."""
    hull = one.hull / one.body if one.body else 0.0
    checks: tuple[tuple[bool, Callable[[], str]], ...] = (
        (one.material < LEAST_CM2, lambda: "nothing but air in the picture"),
        (one.framed > FRAMED, lambda: "the body goes on beyond the picture, or there is no end"),
        (
            one.width_mm > HEAD_MM[0] or one.height_mm > HEAD_MM[1],
            lambda: f"a body of {one.width_mm:.0f} x {one.height_mm:.0f} mm",
        ),
        (
            one.body > SOLID_CM2 and one.width_mm > WIDE * one.height_mm,
            lambda: f"a body of {one.width_mm:.0f} x {one.height_mm:.0f} mm, wider than a head",
        ),
        (one.lung > SINUS_CM2, lambda: f"{one.lung:.0f} cm2 of lung"),
        (
            one.body > SOLID_CM2 and (one.bone < LEAST_BONE_CM2 or hull < HULL_SHARE),
            lambda: f"{one.body:.0f} cm2 of body with bone about {100 * hull:.0f} % of it",
        ),
    )
    return next((words() for true, words in checks if true), None)


def _largest(seen: Sequence[Section]) -> str:
    """Describe the slice with the largest body, for the reason of a refusal."""
    if not seen:
        return "no slice"
    most = max(seen, key=lambda one: one.body)
    if most.body == 0:
        return "no body in the picture"
    return (
        f"a body of {most.width_mm:.0f} x {most.height_mm:.0f} mm with {most.lung:.0f} cm2 of lung "
        f"and {most.bone:.0f} cm2 of bone"
    )
