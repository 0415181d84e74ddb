"""tests/cli/test_prediction_text.py: cautions stand before and after the numbers of studies."""

from pathlib import Path

import pytest

from wetread.cli.prediction_text import prediction_lines
from wetread.prediction.placement import Placement
from wetread.prediction.reading import Reading
from wetread.training.bounds import Reason
from wetread.verbs.predict.predict import Prediction


@pytest.mark.parametrize("studies", [0, 3, 15])
def test_the_most_urgent_studies_are_listed_and_the_rest_counted(studies: int) -> None:
    uids = [f"1.2.840.{i:056d}" for i in range(studies)]
    readings = tuple(
        Reading(uid, "", (), {"any": place / 20}, (), {}) for place, uid in enumerate(uids)
    )
    result = Prediction(Path("out"), readings, "any", {"studies": studies})
    lines = prediction_lines(result)
    shown = [line.split()[0] for line in lines if line.startswith("1.2.840.")]
    assert shown == uids[::-1][:10]
    assert max(map(len, lines)) <= 80
    assert any("and 5 more" in line for line in lines) == (studies == 15)


def test_an_unread_study_stands_last() -> None:
    unread = Reading("1.1", "", (), {}, (), {}, reason="empty", detail="no bytes")
    readings = (unread, Reading("1.2", "", (), {"any": 0.0}, (), {}))
    counts = {"studies": 2, "images": 7, "unread": 1}
    lines = prediction_lines(Prediction(Path("out"), readings, "any", counts))
    head = lines.index("study     any slices")
    rows = [line.split()[:3] for line in lines[head + 1 : head + 3]]
    assert rows == [["1.2", "?", "0.000"], ["1.1", "unread", "0"]]
    assert lines[head + 3] == "unread  1.1  empty: no bytes"
    assert lines[-1] == "2 studies, 7 images: 1 study read, 1 unread"


def test_a_study_has_its_mean_seconds_over_those_that_were_read() -> None:
    unread = Reading("1.1", "", (), {}, (), {}, reason="empty", detail="no bytes")
    readings = (unread, *(Reading(f"1.{i}", "", (), {"any": 0.0}, (), {}) for i in (2, 3)))
    result = Prediction(Path("out"), readings, "any", {"studies": 3}, seconds=9.0)
    assert result.seconds_per_study == 4.5
    assert result.to_dict()["seconds_per_study"] == 4.5
    assert "4.5 seconds a study, 9 in all" in prediction_lines(result)
    none = Prediction(Path("out"), (unread,), "any", {"studies": 1}, seconds=9.0)
    assert none.seconds_per_study is None
    assert not any("a study, " in line for line in prediction_lines(none))


def test_what_must_be_known_of_the_numbers_stands_before_and_after_them() -> None:
    cautions = ("learned_from_phantoms_alone", "never_scored_on_patients")
    far = Placement(False, (Reason("slices", "slices 1"), Reason("slices", "slices 2")))
    readings = (
        Reading("1.1", "", (), {"any": 0.9}, (), {}, cautions=cautions, placement=far),
        Reading("1.2", "", (), {"any": 0.1}, (), {}, cautions=cautions, placement=Placement(True)),
    )
    lines = prediction_lines(Prediction(Path("out"), readings, "any", {"studies": 2}))
    assert lines[0] == "caution: learned from synthetic phantoms alone, from no patient"
    assert lines[1].startswith("caution: never scored on patients")
    assert lines[2] == "caution: ! 1 of 2 studies unlike what was learned (slices 1)"
    assert lines[4] == "1.1   ! 0.900      0"
    assert lines[5] == "1.2     0.100      0"
    assert lines[-1].endswith(
        "2 studies read, 0 unread; learned from phantoms alone, never scored on patients"
    )


def test_operating_point_prevalence_and_flagged_studies_are_printed() -> None:
    point = {
        "threshold": 0.25,
        "sensitivity": {"value": 0.95, "low": 0.9, "high": 1.0},
        "specificity": {"value": 0.5, "low": None, "high": None},
    }
    made_by = {
        "operating_point": point,
        "prevalence": {"any": {"stated": 0.05, "assumed_before": 0.4331}},
    }
    readings = (
        Reading("1.1", "", (), {"any": 0.5}, (), made_by, flagged=True),
        Reading("1.2", "", (), {"any": 0.1}, (), made_by, flagged=False),
        Reading("1.3", "", (), {}, (), made_by, reason="empty", detail="no bytes"),
    )
    lines = prediction_lines(Prediction(Path("out"), readings, "any", {"studies": 3}))
    assert "prevalence of any: 0.05 stated, 0.433 assumed before" in lines
    assert (
        "flagged: 1 of 2 studies, any 0.250 or more; on studies the run is scored on: "
        "sensitivity 0.95 [0.90, 1.00], specificity 0.50"
    ) in lines
    rows = [line for line in lines if line.startswith("1.")]
    assert [row.endswith(" flagged") for row in rows] == [True, False, False]


def test_no_flag_line_is_printed_without_an_operating_point() -> None:
    readings = (Reading("1.1", "", (), {"any": 0.5}, (), {}),)
    text = " ".join(prediction_lines(Prediction(Path("out"), readings, "any", {"studies": 1})))
    assert "flagged" not in text
    assert "prevalence" not in text
