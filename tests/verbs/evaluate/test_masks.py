"""tests/verbs/evaluate/test_masks.py: drawn masks of images against the true ones."""

from dataclasses import replace

import pytest
from tests.verbs.evaluate.conftest import FILMS, Films

from wetread.inputs.predictions import read_predictions_of
from wetread.labels.rle_csv import read_rle_csv
from wetread.tasks import find_task
from wetread.verbs.evaluate.masks import score_drawn_masks

TASK = find_task("pneumothorax")
OWNERS = {"image": {f"i{film}": f"p{film // 2}" for film in range(FILMS)}}


def test_masks_are_scored_where_the_true_one_is_known(films: Films) -> None:
    truth = read_rle_csv(films.labels, TASK.findings)
    kept = truth.frame.filter(truth.frame["id"].is_in(["i0", "i1", "i2"]))
    scores = score_drawn_masks(
        read_predictions_of(films.folder), replace(truth, frame=kept), OWNERS
    )
    assert not isinstance(scores, str)
    value = {one.metric: one.value for one in scores}
    assert value["dice"] == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    assert value["accuracy_on_empties"] == 1.0


def test_where_nothing_was_drawn_the_reason_is_given(films: Films) -> None:
    given = read_predictions_of(films.folder / "probabilities.csv")
    truth = read_rle_csv(films.labels, TASK.findings)
    assert score_drawn_masks(given, truth, OWNERS) == "no mask of an image was drawn"


def test_labels_without_masks_give_no_score_of_positives(films: Films) -> None:
    truth = read_rle_csv(films.labels, TASK.findings)
    positives = truth.frame.filter(truth.frame["value"] == 1.0)
    bare = replace(truth, frame=positives, masks=truth.masks.clear())
    found = score_drawn_masks(read_predictions_of(films.folder), bare, OWNERS)
    assert found == "no true mask of an image with a drawn one is known"
