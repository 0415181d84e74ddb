"""tests/reports/test_limits.py: sentences of what scores do not say."""

from dataclasses import replace

from wetread.evaluation.score import Score
from wetread.reports.limits import (
    absent_limits,
    identity_limits,
    score_limits,
    unmatched_limits,
)

AUC = Score("roc_auc", "any", "image", "given_data", 0.8, 0.7, 0.9, 30, 12)


def test_the_counts_behind_the_headline_and_the_width_of_its_interval_are_named() -> None:
    empty = replace(AUC, finding="epidural", value=None, low=None, high=None, positives=0)
    assert score_limits([AUC, empty], "any", "patients") == [
        "12 positive images for any, 30 patients in all: the interval of its ROC AUC is 0.20 wide.",
        "Nothing positive, so nothing is known, of: epidural.",
    ]


def test_one_patient_is_stated_as_one() -> None:
    lone = replace(AUC, low=None, high=None, patients=1, positives=1)
    found = score_limits([lone], "any", "patients")
    assert found[-1] == "One of the patients alone stands behind every score: none has an interval."


def test_a_level_that_is_scored_as_another_is_no_limit() -> None:
    absent = {"study": "each study has one image: it is scored as the image", "pixel": "no mask"}
    assert absent_limits(absent) == ["No score by pixel: no mask."]


def test_patients_that_are_not_known_make_intervals_too_narrow() -> None:
    assert identity_limits({"unit": "patient", "reason": None}) == []
    doubted = {"unit": "patient", "source": "the headers' PatientID", "caution": "all are new"}
    assert identity_limits(doubted) == [
        "Patients are those of the headers' PatientID, but all are new."
    ]
    assert "no file" in identity_limits({"unit": "study", "reason": "no file"})[0]


def test_what_did_not_meet_is_counted_where_there_is_any() -> None:
    assert unmatched_limits({"labels_without_prediction": 0, "predictions_without_label": 0}) == []
    found = unmatched_limits({"labels_without_prediction": 1, "predictions_without_label": 2})
    assert found == [
        "1 label had no prediction and 2 predictions no label: none of them is in a score of its "
        "own level."
    ]
