"""tests/evaluation/test_score.py: scores as values, as a table and as JSON."""

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetread.evaluation.score import SCORE_SCHEMA, Score, Scores, finite_or_none

KEYS = {
    "metric", "finding", "level", "split", "value", "low", "high", "patients", "positives", "reason"
}  # fmt: skip
AUC = Score("roc_auc", "any", "image", "held_out", 0.9, 0.8, 0.95, 40, 12)
LOSS = replace(AUC, metric="log_loss", finding="all", low=None, high=None, reason="one patient")

NUMBER = st.none() | st.floats(allow_nan=False, allow_infinity=False)
SCORES = st.builds(
    Score, st.text(), st.text(), st.sampled_from(["image", "study"]), st.text(),
    NUMBER, NUMBER, NUMBER, st.integers(0), st.integers(0), st.none() | st.text(),
)  # fmt: skip


def test_the_json_form_has_the_keys_that_machines_read() -> None:
    assert set(AUC.to_dict()) == set(SCORE_SCHEMA) == KEYS
    assert Scores([AUC]).to_dict() == {"scores": [AUC.to_dict()]}


@given(st.lists(SCORES, max_size=4))
def test_scores_come_back_from_json_as_they_were(scores: list[Score]) -> None:
    assert Scores.from_dict(
        json.loads(json.dumps(Scores(scores).to_dict(), allow_nan=False))
    ) == tuple(scores)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_json_has_no_word_for_is_none_instead(value: float) -> None:
    assert finite_or_none(value) is None
    assert finite_or_none(0.25) == 0.25


def test_scores_are_found_by_what_they_are_of() -> None:
    scores = Scores([AUC, LOSS])
    assert scores.find("roc_auc") == (AUC,)
    assert scores.find(finding="all", level="image") == (LOSS,)
    assert scores.find("roc_auc", finding="all") == ()
    assert scores.find() == scores


def test_the_table_has_a_row_a_score_in_order() -> None:
    table = Scores([AUC, LOSS]).table
    assert table.schema == SCORE_SCHEMA
    assert table.rows(named=True) == [AUC.to_dict(), LOSS.to_dict()]
    assert Scores().table.height == 0
