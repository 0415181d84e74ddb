"""tests/verbs/calibrate/test_labeled_answers.py: each answer meets its own label."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from wetread.labels.finding import finding_names
from wetread.labels.table import LabelTable, label_table
from wetread.tasks import Task, find_task
from wetread.training.calibration import LabeledProbabilities
from wetread.verbs.calibrate.labeled_answers import (
    LabeledAnswers,
    labeled_answers,
    repair_ids,
)

TASK = find_task("hemorrhage")
FINDINGS = finding_names(TASK.at("image"))
ANY = FINDINGS.index("any")
SLICES = pl.DataFrame(
    {
        "SOPInstanceUID": ["1.1", "1.2", "2.1"],
        "StudyInstanceUID": ["1", "1", "2"],
        "patient": ["p", "p", "q"],
    }
)


def labels(*rows: tuple[str, str, str, float]) -> LabelTable:
    return label_table(pl.DataFrame(rows, orient="row", schema=["level", "id", "finding", "value"]))


def joined(table: LabelTable, task: Task = TASK) -> LabeledAnswers:
    """Join answers .1, .2 and .3 about three slices, and of their two studies, with labels."""
    image = np.tile([[0.1], [0.2], [0.3]], (1, len(task.at("image"))))
    study = {uid: np.full(len(task.at("study")), value) for uid, value in (("1", 0.2), ("2", 0.3))}
    given = SimpleNamespace(image=image, study=study, free=None)
    read: Any = SimpleNamespace(task=task, answers=given)
    store: Any = SimpleNamespace(slices=SLICES)
    return labeled_answers(read, store, table)


def answers(table: LabelTable) -> tuple[LabeledProbabilities, LabeledProbabilities]:
    return joined(table).levels


def test_a_study_without_a_label_of_its_own_is_as_its_slices() -> None:
    image, study = answers(
        labels(
            ("image", "1.1", "any", 0.0), ("image", "1.2", "any", 1.0), ("image", "2.1", "any", 0.0)
        )
    )
    np.testing.assert_array_equal(image.truth[:, ANY], [0, 1, 0])
    np.testing.assert_array_equal(study.truth[:, ANY], [1, 0])
    np.testing.assert_array_equal(study.probability[:, ANY], [0.2, 0.3])
    assert (image.patients, study.patients) == (("p", "p", "q"), ("p", "q"))


def test_a_study_with_an_unlabeled_slice_is_unknown_unless_another_is_positive() -> None:
    _, study = answers(labels(("image", "1.1", "any", 0.0), ("image", "2.1", "any", 1.0)))
    np.testing.assert_array_equal(study.truth[:, ANY], [np.nan, 1])


def test_a_study_without_any_label_is_not_counted_though_its_patient_has_one() -> None:
    assert joined(labels(("image", "1.1", "any", 0.0))).studies == ("1",)


def test_a_study_counts_by_a_label_of_its_own_or_of_a_slice() -> None:
    task = find_task("embolism")
    of_study, of_slice = task.at("study")[0].name, task.at("image")[0].name
    own = labels(("study", "2", of_study, 1.0))
    assert joined(own, task).studies == ("2",)
    both = labels(("study", "2", of_study, 1.0), ("image", "1.1", of_slice, 0.0))
    assert joined(both, task).studies == ("1", "2")


def test_labels_of_other_images_are_refused_by_what_was_read_and_by_headers_alone() -> None:
    others = labels(("image", "9.9", "any", 1.0))
    with pytest.raises(ValueError, match="none of them is of the 3 images of `source`"):
        joined(others)
    with pytest.raises(ValueError, match="none of them is of the 3 images of `source`"):
        repair_ids(others, find_task("hemorrhage"), SLICES)


def test_ids_with_an_ending_are_repaired_and_counted() -> None:
    written = labels(("image", "1.1.dcm", "any", 1.0), ("image", "1.2", "any", 0.0))
    repaired, count = repair_ids(written, find_task("hemorrhage"), SLICES)
    assert (count, repaired.frame["id"].to_list()) == (1, ["1.1", "1.2"])
