"""tests/outputs/conftest.py: readings as a model would give them."""

import pytest

from wetread.archive.rejects import Reject
from wetread.prediction.reading import Reading, SliceReading
from wetread.study.issues import Issue


@pytest.fixture
def readings() -> list[Reading]:
    """Three studies: calm, urgent with an issue and a reject, and one that could not be read."""
    calm = Reading(
        "1.2.3",
        "1.2.3.1",
        (
            SliceReading("ID_a", 0, -5.0, {"lens": 0.01, "any": 0.02}),
            SliceReading("ID_b", 1, 0.0, {"lens": 0.02, "any": 0.03}),
        ),
        {"lens": 0.02, "any": 0.03},
        ("ID_b",),
        {"checkpoint": "best.pt"},
        findings=("lens", "any"),
    )
    urgent = Reading(
        "1.2.4",
        "1.2.4.1",
        (SliceReading("ID_c", 0, None, {"lens": 0.7, "any": 0.9}),),
        {"lens": 0.7, "any": 0.9},
        ("ID_c",),
        {"checkpoint": "best.pt"},
        (Issue("tilted", "8.0 degrees"),),
        (Reject("a.zip", "x.dcm", "truncated_pixels", "1 of 2 bytes, cut"),),
        2.5,
        ("lens", "any"),
    )
    unread = Reading(
        "1.2.5", "", (), {}, (), {}, (), (Reject("y.dcm", None, "empty", "no bytes"),), None,
        ("lens", "any"), reason="empty", detail="no bytes",
    )  # fmt: skip
    return [calm, unread, urgent]
