"""tests/cli/test_text.py: lines for people fit 80 columns and leave no number out."""

from pathlib import Path
from typing import Any

import pytest

from wetread.cli.text import counted, prediction_lines, score_lines, wrapped
from wetread.evaluation.score import Score
from wetread.prediction.placement import Placement
from wetread.prediction.reading import Reading
from wetread.training.bounds import Reason
from wetread.verbs.predict.predict import Prediction


def row(metric: str, value: float | None, **changes: object) -> Score:
    fields: dict[str, Any] = {
        "metric": metric,
        "finding": "intraparenchymal",
        "level": "image",
        "split": "held_out",
        "value": value,
        "low": None if value is None else value - 0.1,
        "high": None if value is None else value + 0.1,
        "patients": 70,
        "positives": 12,
        "reason": None,
        **changes,
    }
    return Score(**fields)


def test_a_score_stands_with_its_interval_above_its_own_baselines() -> None:
    lines = score_lines(
        [
            row("average_precision", 0.81234),
            row("average_precision_prior", 0.1),
            row("average_precision_position", 0.25),
            row("average_precision_histogram", 0.5),
            row("average_precision_prior", 0.9, level="study"),
        ]
    )
    assert lines[0].split() == ["metric", "finding", "level", "value", "95", "%", "interval"]
    assert lines[1].split() == ["average_precision", "intraparenchymal", "image", "0.812",
                                "0.712-0.912"]  # fmt: skip
    assert lines[2].strip() == "beside prior 0.100, position 0.250, histogram 0.500"
    assert len(lines) == 3
    assert max(map(len, lines)) <= 80
    assert wrapped(lines) == lines


def test_a_score_that_cannot_be_says_why() -> None:
    reason = "no positive among 1234567 known labels"
    (_, line) = score_lines([row("roc_auc", None, reason=reason)])
    assert line.endswith(reason)


def test_a_long_line_is_wrapped_and_a_long_path_is_not_broken() -> None:
    path = "/" + "deep-folder/" * 12
    lines = wrapped([counted({f"kind_{i}": i for i in range(12)}), f"page: {path}", ""])
    assert all(len(line) <= 80 or line.strip() == path for line in lines)
    assert path in [line.strip() for line in lines]
    assert lines[-1] == ""
    told = " ".join(line.strip() for line in lines[:-3])
    assert told == counted({f"kind_{i}": i for i in range(12)})


@pytest.mark.parametrize("studies", [0, 3, 15])
def test_the_most_urgent_studies_are_told_whole_and_the_rest_counted(studies: int) -> None:
    uids = [f"1.2.840.{i:056d}" for i in range(studies)]
    readings = tuple(
        Reading(uid, "", (), {"any": place / 20}, (), {}) for place, uid in enumerate(uids)
    )
    result = Prediction(Path("out"), readings, "any", {"studies": studies})
    lines = prediction_lines(result)
    told = [line.split()[0] for line in lines if line.startswith("1.2.840.")]
    assert told == uids[::-1][:10]
    assert max(map(len, lines)) <= 80
    assert any("and 5 more" in line for line in lines) == (studies == 15)


def test_an_unread_study_is_told_last() -> None:
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
