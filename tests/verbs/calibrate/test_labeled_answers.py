"""tests/verbs/calibrate/test_labeled_answers.py: each answer meets its own label."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from wetread.labels.finding import finding_names
from wetread.labels.table import LabelTable, label_table
from wetread.tasks import find_task
from wetread.verbs.calibrate.labeled_answers import labeled_answers

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


def answers(table: LabelTable) -> Any:
    """Join answers .1, .2 and .3 about three slices, and of their two studies, with labels."""
    image = np.tile([[0.1], [0.2], [0.3]], (1, len(FINDINGS)))
    study = {"1": image[1], "2": image[2]}
    given = SimpleNamespace(image=image, study=study, free=None)
    read: Any = SimpleNamespace(task=TASK, answers=given)
    store: Any = SimpleNamespace(slices=SLICES)
    return labeled_answers(read, store, table)


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


def test_labels_of_other_images_are_refused() -> None:
    with pytest.raises(ValueError, match="none of them is of the 3 images that were read"):
        answers(labels(("image", "9.9", "any", 1.0)))
