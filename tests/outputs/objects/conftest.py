"""tests/outputs/objects/conftest.py: a legal head CT of four slices, and a reading of it."""

from __future__ import annotations

import datetime

import pytest
from tests.outputs.objects.head_ct import ct_header

from wetread.labels.code import Code
from wetread.outputs.objects.author import Author
from wetread.outputs.objects.study import ObjectStudy
from wetread.prediction.reading import Reading, SliceReading

SLICES = 4
BLEEDING = Code("1386000", "SCT", "Intracranial hemorrhage")


@pytest.fixture
def study() -> ObjectStudy:
    """The study, named by its slices' SOP Instance UIDs."""
    headers = [ct_header(number) for number in range(SLICES)]
    return ObjectStudy(
        images={str(one.SOPInstanceUID): one for one in headers},
        author=Author("hemorrhage", "ab" * 32, ("learned_from_phantoms_alone",)),
        codes={"any": BLEEDING},
        made_at=datetime.datetime(2026, 11, 30, 12, 30, 15),
    )


@pytest.fixture
def reading() -> Reading:
    """The reading: two findings, two key slices, a volume of 12.5 ml and a ratio not measured."""
    slices = [
        SliceReading(f"1.2.3.{z + 1}", z, 5.0 * z, {"any": 0.1 * z + 0.05, "subdural": 0.02 * z})
        for z in range(SLICES)
    ]
    volume = {"name": "blood_volume", "unit": "ml", "value": 12.5}
    ratio = {"name": "ratio", "unit": "", "value": None}
    return Reading(
        study_uid="1.2.1",
        series_uid="1.2.2",
        slices=tuple(slices),
        study={"any": 0.35, "subdural": 0.0625},
        key_slices=("1.2.3.4", "1.2.3.3"),
        provenance={},
        measures=(volume, ratio),
    )
