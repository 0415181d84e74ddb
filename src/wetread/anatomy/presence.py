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
    of the base; fewer may be of the vertex or the base alone, where brain need not show, so that
    something must speak against them: size, air, no bone, the header.
    """
    against = _not_slices(rows, hu)
    if against is not None:
        return f"no head: {against}"
    sections = _sections(hu, spacing_mm(rows[0], USUAL_MM) if rows else (USUAL_MM, USUAL_MM))
    brain = [section for section in sections if _shows_brain(section)]
    largest = max((section.brain for section in brain), default=0.0)
    if hu.shape[0] >= FEW:
        alike = sum(_like_base(section) for section in sections)
        if len(brain) >= BRAIN_SHARE * len(sections) and largest >= LARGEST_CM2:
            return None
        if 2 * alike >= len(sections) and names_body_part(rows, HEAD_WORDS) is not False:
            return None
        return (
            f"no head: brain within bone in {len(brain)} of {len(sections)} slices; "
            f"{_largest(sections)}"
        )
    if brain:
        return None
    if names_body_part(rows, HEAD_WORDS) is False:
        return (
            "no head: BodyPartExamined names another part, and no brain is seen; "
            f"{_largest(sections)}"
        )
    doubts = [why for section in sections if (why := _no_head(section)) is not None]
    return f"no head: {doubts[0]}" if 2 * len(doubts) >= len(sections) else None


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
    """Say in words what speaks against lungs, by the pixels alone; None where there are some.

    hu: (Z, rows, columns), HU; spacing: mm between rows and between columns.
    """
    sections = _sections(hu, spacing)
    lung = sum(_shows_lung(section) for section in sections)
    if lung >= max(LUNG_SHARE * len(sections), 1):
        return None
    return f"no lungs: lung in {lung} of {len(sections)} slices; {_largest(sections)}"


def shows_head_only(hu: SliceSequence, spacing: tuple[float, float]) -> bool:
    """Whether axial slices show brain within bone and no lung at all.

    hu: (Z, rows, columns), HU; spacing: mm between rows and between columns.
    """
    sections = _sections(hu, spacing)
    brain = sum(_shows_brain(section) for section in sections)
    return brain >= max(BRAIN_SHARE * len(sections), 1) and not any(map(_shows_lung, sections))


def _shows_brain(section: Section) -> bool:
    return BRAIN_CM2[0] <= section.brain <= BRAIN_CM2[1] and section.walled >= WALLED


def _shows_lung(section: Section) -> bool:
    return (
        section.lung >= LUNG_CM2
        and section.lung_walled < RIBBED
        and section.width_mm >= CHEST_MM
        and section.bone >= LEAST_BONE_CM2
    )


def _not_slices(rows: Rows, hu: SliceSequence) -> str | None:
    """Say why these are no slices across a body, by the header alone."""
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
    """Measure some slices, spread evenly."""
    count = hu.shape[0]
    places = np.unique(np.linspace(0, count - 1, min(count, SAMPLED_SLICES)).round().astype(int))
    return [measure(hu[int(z)], spacing) for z in places]


def _like_base(section: Section) -> bool:
    """Whether one slice is like one through the base of a skull, where no brain is enclosed."""
    return (
        _no_head(section) is None
        and BASE_CM2[0] <= section.body <= BASE_CM2[1]
        and section.hull >= BASE_HULL_SHARE * section.body
        and section.height_mm >= max(BASE_LENGTH_MM, BASE_LONG * section.width_mm)
    )


def _no_head(section: Section) -> str | None:
    """Say why one slice is of no head, whatever its height."""
    hull = section.hull / section.body if section.body else 0.0
    checks: tuple[tuple[bool, Callable[[], str]], ...] = (
        (section.material < LEAST_CM2, lambda: "nothing but air in the picture"),
        (
            section.framed > FRAMED,
            lambda: "the body goes on beyond the picture, or there is no end",
        ),
        (
            section.width_mm > HEAD_MM[0] or section.height_mm > HEAD_MM[1],
            lambda: f"a body of {section.width_mm:.0f} x {section.height_mm:.0f} mm",
        ),
        (
            section.body > SOLID_CM2 and section.width_mm > WIDE * section.height_mm,
            lambda: (
                f"a body of {section.width_mm:.0f} x {section.height_mm:.0f} mm, wider than a head"
            ),
        ),
        (section.lung > SINUS_CM2, lambda: f"{section.lung:.0f} cm2 of lung"),
        (
            section.body > SOLID_CM2 and (section.bone < LEAST_BONE_CM2 or hull < HULL_SHARE),
            lambda: f"{section.body:.0f} cm2 of body with bone about {100 * hull:.0f} % of it",
        ),
    )
    return next((words() for true, words in checks if true), None)


def _largest(sections: Sequence[Section]) -> str:
    """Describe the slice with the largest body, for the reason of a refusal."""
    if not sections:
        return "no slice"
    most = max(sections, key=lambda section: section.body)
    if most.body == 0:
        return "no body in the picture"
    return (
        f"a body of {most.width_mm:.0f} x {most.height_mm:.0f} mm with {most.lung:.0f} cm2 of lung "
        f"and {most.bone:.0f} cm2 of bone"
    )
