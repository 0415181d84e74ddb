"""tests/prediction/test_studies.py: answers become readings: order, key slices, what is unread."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl

from wetread.archive.rejects import Reject
from wetread.evaluation.aggregate import study_maximum
from wetread.prediction.answers import Answers
from wetread.prediction.reading import Reading
from wetread.prediction.studies import (
    KEY_SLICES,
    FindingNames,
    StudyContext,
    judging_slices,
    make_readings,
)
from wetread.store.store import Store
from wetread.study.issue import Issue
from wetread.study.series_choice import SeriesScore

MakeStore = Callable[..., Store]
FINDINGS = ("left", "right", "any")
NAMES = FindingNames(FINDINGS, FINDINGS, FINDINGS.index("any"))
NOTHING = StudyContext()


def made(store: Store, image: np.ndarray, context: StudyContext = NOTHING) -> list[Reading]:
    """Readings where each study has the maximum of the slices that judge it."""
    judging = judging_slices(store, context.ranked)
    ids, study = study_maximum(
        image[judging["row"].to_numpy()], judging["StudyInstanceUID"].to_list()
    )
    answers = Answers(image, dict(zip(ids, study, strict=True)), {})
    return make_readings(store, answers, NAMES, context, {"task": "t"})


def test_a_studys_slices_stand_in_order_with_their_own_numbers(store: MakeStore) -> None:
    rng = np.random.default_rng(2)
    said = rng.random((7, 3))
    first, second = made(store(("s", 4), ("t", 3)), said)
    assert [part.sop_instance_uid for part in first.slices] == ["s.0", "s.1", "s.2", "s.3"]
    assert [part.position_mm for part in second.slices] == [0.0, 5.0, 10.0]
    assert second.slices[1].probabilities == dict(zip(FINDINGS, said[5], strict=True))
    assert (first.series_uid, second.study_uid) == ("s-series", "t")


def test_a_study_has_the_probabilities_that_were_answered(store: MakeStore) -> None:
    said = np.zeros((5, 3))
    said[2, 2] = 0.8  # any, in the middle
    said[0, 0] = 0.6  # left, at the lower end
    (one,) = made(store(("s", 5)), said)
    assert one.study == {"left": 0.6, "right": 0.0, "any": 0.8}


def test_a_study_of_two_series_is_judged_by_the_better_of_those_that_were_read(
    store: MakeStore,
) -> None:
    both = store(("s", 3), ("t", 2))
    both = replace(both, slices=both.slices.with_columns(StudyInstanceUID=pl.lit("s")))
    said = np.zeros((5, 3))
    said[:, 2] = [0.1, 0.2, 0.3, 0.7, 0.6]
    best = [SeriesScore(f"{name}-series", 1, 0.0, ()) for name in ("unread", "s", "t")]
    (one,) = made(both, said, StudyContext(ranked={"s": best}))
    assert (one.series_uid, one.study["any"]) == ("s-series", 0.3)
    assert one.key_slices == ("s.2", "s.1", "s.0")
    assert [part.probabilities["any"] for part in one.slices] == [0.1, 0.2, 0.3, 0.7, 0.6]
    (all_of_it,) = made(both, said)
    assert all_of_it.study["any"] == 0.7


def test_key_slices_are_the_best_of_the_headline_best_first(store: MakeStore) -> None:
    said = np.zeros((9, 3))
    said[:, 2] = [0, 0, 0, 0.2, 0.3, 0.9, 0.8, 0.1, 0]
    said[0, 0] = 1.0  # another finding's slice does not speak for the headline
    (one,) = made(store(("s", 9)), said)
    assert one.key_slices == ("s.5", "s.6", "s.4", "s.3", "s.7")
    assert len(one.key_slices) == KEY_SLICES


def test_rejects_and_issues_stand_with_their_study_and_an_unread_study_is_not_lost(
    store: MakeStore,
) -> None:
    cut = Reject("x.dcm", None, "decode_failed", "no picture")
    gone = Reject("y.dcm", None, "decode_failed", "no picture")
    tilted = Issue("tilted", "8.0 degrees")
    context = StudyContext(rejects={"s": [cut], "u": [gone]}, issues={"s": [tilted]})
    read, unread = made(store(("s", 2)), np.full((2, 3), 0.5), context)
    assert (read.rejects, read.issues) == ((cut,), (tilted,))
    assert (unread.study_uid, unread.rejects, dict(unread.study)) == ("u", (gone,), {})
    assert unread.to_dict()["state"] == "unread"
    assert read.to_dict()["state"] == "read"
    assert unread.to_dict()["findings"] == list(FINDINGS)
    assert unread.to_dict()["use"].startswith("Research use only")
