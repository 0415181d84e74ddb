"""tests/evaluation/test_evaluation.py: an evaluation as plain values."""

import json
from pathlib import Path

from wetread.evaluation.comparison import Difference
from wetread.evaluation.evaluation import Evaluation, RunClaims
from wetread.evaluation.score import Score, Scores
from wetread.evaluation.subgroups import SubgroupScore
from wetread.study.patients import Identity

SCORE = Score("roc_auc", "any", "image", "given_data", 0.8, 0.7, 0.9, 30, 12)
DIFFERENCE = Difference("roc_auc", "any", "image", 0.1, 0.0, 0.2, 0.8, 0.7, 40, 12, 30)


def test_an_evaluation_is_json_from_which_its_scores_come_back() -> None:
    found = Evaluation(
        name="readings",
        against="other.csv",
        out=Path("out"),
        task="hemorrhage",
        headline="any",
        scores=Scores([SCORE]),
        absent={"pixel": "no mask of an image was drawn"},
        counts={"predicted_images": 40},
        identity=Identity("patient", "a file of patients"),
        subgroups=(SubgroupScore("view", "AP", DIFFERENCE),),
        comparison=(DIFFERENCE,),
        run=RunClaims(Scores([SCORE]), 0, None, None),
    )
    values = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert Scores.from_dict(values) == found.scores
    assert values["subgroups"][0]["group"] == "AP"
    assert values["comparison"][0]["first"] == 0.8
    assert values["run"]["images_known"] == 0
    assert values["absent"] == {"pixel": "no mask of an image was drawn"}
