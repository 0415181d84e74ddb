"""tests/prediction/test_reading.py: a reading as plain values; one of which nothing was read."""

import json

from wetread.archive.rejects import Reject
from wetread.prediction.reading import Reading, SliceReading, unread_reading
from wetread.study.issue import Issue


def test_a_reading_becomes_json_with_its_numbers_issues_and_rejects() -> None:
    part = SliceReading("1.2", 0, None, {"any": 0.25})
    reading = Reading(
        "s", "t", (part,), {"any": 0.25}, ("1.2",), {"task": "t"},
        issues=(Issue("tilted", "8.0 degrees"),), rejects=(Reject("a", None, "cut", "short"),),
        broken=("a rule",), cautions=("never_scored_on_patients",), links={"1.2": "page#1.2"},
    )  # fmt: skip
    values = json.loads(json.dumps(reading.to_dict()))
    assert values["state"] == "read"
    assert values["slices"] == [
        {"SOPInstanceUID": "1.2", "z": 0, "position_mm": None, "probabilities": {"any": 0.25}}
    ]
    assert values["issues"] == [{"name": "tilted", "detail": "8.0 degrees"}]
    assert values["rejects"][0]["reason"] == "cut"
    assert values["rules_broken_before"] == ["a rule"]
    assert values["findings"] == ["any"]  # of the study, where none are named
    assert values["use"].startswith("Research use only")


def test_an_unread_study_has_a_reason_and_no_probability() -> None:
    reading = unread_reading("s", "other_modality", "images of MR", ("any",), {"task": "t"})
    values = reading.to_dict()
    assert (values["state"], values["reason"], values["detail"]) == (
        "unread", "other_modality", "images of MR",
    )  # fmt: skip
    assert (values["study"], values["slices"], values["key_slices"]) == ({}, [], [])
    assert values["findings"] == ["any"]
