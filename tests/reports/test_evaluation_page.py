"""tests/reports/test_evaluation_page.py: the sentences of an evaluation's page."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from wetread.evaluation.evaluation import Evaluation, RunClaims
from wetread.evaluation.score import Score, Scores
from wetread.labels.finding import Finding
from wetread.reports.evaluation_page import (
    caution_sentence,
    evaluation_content,
    known_sentence,
    own_scores,
    summary_sentence,
    write_evaluation_page,
)
from wetread.study.patients import Identity
from wetread.tasks import find_task
from wetread.training.predictions import LevelPredictions

TASK = find_task("pneumothorax")
SCORE = Score("roc_auc", "pneumothorax", "image", "given_data", 0.8, 0.7, 0.9, 2, 2)
TRUTH, PROBABILITY = np.array([[1.0], [0.0], [1.0]]), np.array([[0.9], [0.2], [0.4]])
IMAGES = LevelPredictions(
    level="image", split="given_data", findings=(Finding("pneumothorax"),), ids=("a", "b", "c"),
    studies=("s", "t", "u"), patients=("p", "p", "q"), rows=None, truth=TRUTH,
    probability=PROBABILITY, baselines={},
)  # fmt: skip
FOUND = Evaluation(
    name="read", against="", out=Path("out"), task="pneumothorax", headline="pneumothorax",
    scores=Scores([SCORE]), absent={"study": "why"},
    counts={
        "predicted_images": 3, "predicted_studies": 3, "unread_studies": 0,
        "labels_without_prediction": 1, "predictions_without_label": 0, "labels_in_conflict": 0,
    },
    identity=Identity("patient", "a file of patients"),
)  # fmt: skip


def test_the_summary_counts_what_was_scored_and_what_was_not() -> None:
    assert summary_sentence(FOUND, [IMAGES]) == (
        "Scored on 3 images of 2 patients. 1 label had no prediction."
    )
    unknown = replace(FOUND, identity=Identity("study", "ids", "no file"))
    assert summary_sentence(unknown, [IMAGES]).endswith("Patients are not known (no file).")


def test_the_models_origin_is_stated_or_that_it_is_unknown() -> None:
    assert "not known here" in caution_sentence(FOUND)
    told = replace(FOUND, cautions=("learned_from_phantoms_alone",))
    assert caution_sentence(told) == "Learned from synthetic phantoms alone, from no patient."
    assert caution_sentence(replace(FOUND, models=("run/best.pt",))) == ""


def test_images_that_the_run_knew_make_its_scores_too_good() -> None:
    own = Scores([replace(SCORE, value=0.95, low=0.9, high=0.99)])
    clean = replace(FOUND, run=RunClaims(own, 0, None, 0))
    assert known_sentence(clean) == (
        "The run was made with no image and no patient of those scored here."
    )
    spoiled = replace(FOUND, run=RunClaims(own, 2, 0, None))
    assert known_sentence(spoiled) == (
        "The run was made with 2 images of those scored here: these scores are too good."
    )
    assert own_scores(clean, TASK) == (
        ("roc auc of pneumothorax, by image", "0.950 (0.900–0.990)", "0.800 (0.700–0.900)"),
    )


def test_a_run_is_not_cleared_of_what_no_id_can_tell() -> None:
    unknown = replace(FOUND, run=RunClaims(Scores(), None, None, None))
    assert known_sentence(unknown).endswith("no id tells.")
    part = evaluation_content(unknown, TASK, [IMAGES]).evaluation
    assert part is not None
    assert "no id tells" in part.known


def test_what_flags_promise_of_studies_is_not_held_against_images() -> None:
    at_image = replace(SCORE, metric="sensitivity_from_0.35")
    promised = {"sensitivity_from_0.35": 0.9}
    both = Scores([at_image, replace(at_image, level="study", value=0.7)])
    rows = own_scores(replace(FOUND, scores=both, promised=promised), TASK)
    assert [row[0] for row in rows] == ["sensitivity from 0.35 on, by study"]


def test_the_page_is_of_these_scores(tmp_path: Path) -> None:
    write_evaluation_page(replace(FOUND, out=tmp_path), TASK, [IMAGES])
    html = (tmp_path / "page.html").read_text()
    assert "0.800" in html
    assert "By study</b>: why" in html
    assert evaluation_content(FOUND, TASK, [IMAGES]).curves_subject == "the scored images"
