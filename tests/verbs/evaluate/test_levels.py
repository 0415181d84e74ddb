"""tests/verbs/evaluate/test_levels.py: predictions and truth joined by image, series and study."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from wetread.archive.index.index import Index
from wetread.archive.index.schema import INDEX_SCHEMA, REJECT_SCHEMA
from wetread.inputs.predictions import Predictions
from wetread.labels.table import LABEL_SCHEMA, LabelTable, label_table
from wetread.tasks import find_task
from wetread.verbs.evaluate.levels import Levels, join_levels, places_of
from wetread.verbs.evaluate.owners import find_owners

HEMORRHAGE = find_task("hemorrhage")
# Study s has the series a (1, 2) and b (3); study t the series c (4, 5).
PLACES = [("1", "a", "s"), ("2", "a", "s"), ("3", "b", "s"), ("4", "c", "t"), ("5", "c", "t")]


def table(values: dict[tuple[str, str], float | None]) -> LabelTable:
    rows = [(level, name, "any", value) for (level, name), value in values.items()]
    return label_table(pl.DataFrame(rows, schema=LABEL_SCHEMA, orient="row"))


def index() -> Index:
    images, series, studies = (list(part) for part in zip(*PLACES, strict=True))
    known = {
        "SOPInstanceUID": images, "SeriesInstanceUID": series, "StudyInstanceUID": studies,
        "PatientID": [f"of {study}" for study in studies], "state": ["image"] * 5,
    }  # fmt: skip
    rows = {name: known.get(name, [None] * 5) for name in INDEX_SCHEMA}
    return Index(
        pl.DataFrame(rows, schema=INDEX_SCHEMA).lazy(), pl.DataFrame(schema=REJECT_SCHEMA), 0
    )


def predicted(*, with_index: bool = True) -> Predictions:
    image = {
        ("image", name): value
        for name, value in zip("12345", (0.2, 0.9, 0.4, 0.1, 0.3), strict=True)
    }
    study = {("study", "s"): 0.8, ("study", "t"): 0.35}
    return Predictions(
        Path("read"), HEMORRHAGE, table({**image, **study}), index=index() if with_index else None
    )


def any_column(level_truth: np.ndarray) -> list[float]:
    return level_truth[:, [f.name for f in HEMORRHAGE.findings].index("any")].tolist()


def joined(truth: LabelTable, given: Predictions) -> Levels:
    owners, _ = find_owners(given, places_of(given, truth), None)
    return join_levels(given, truth, owners)


def test_a_series_has_its_highest_image_and_a_study_its_own_probability() -> None:
    truth = table({("image", name): float(name == "2") for name in "12345"})
    levels = joined(truth, predicted())
    series, study = levels.at("series"), levels.at("study")
    assert series is not None
    assert study is not None
    assert (series.ids, any_column(series.truth)) == (("a", "b", "c"), [1.0, 0.0, 0.0])
    assert any_column(series.probability) == [0.9, 0.4, 0.3]
    assert (study.ids, any_column(study.truth)) == (("s", "t"), [1.0, 0.0])
    assert any_column(study.probability) == [0.8, 0.35]
    assert series.patients == ("of s", "of s", "of t")


def test_a_study_is_negative_only_where_every_image_that_was_read_is_known_to_be() -> None:
    truth = table({("image", "1"): 1.0, ("image", "4"): 0.0, ("image", "5"): None})
    study = joined(truth, predicted()).at("study")
    assert study is not None
    assert (study.ids, any_column(study.truth)) == (("s",), [1.0])  # of t one image is not known


def test_labels_of_studies_go_before_those_derived_from_images() -> None:
    truth = table({("study", "t"): 1.0, ("image", "4"): 0.0, ("image", "5"): 0.0})
    study = joined(truth, predicted()).at("study")
    assert study is not None
    assert (study.ids, any_column(study.truth)) == (("t",), [1.0])


def test_image_labels_fill_in_for_studies_without_a_study_label() -> None:
    truth = table({("study", "t"): 0.0, **{("image", name): float(name == "2") for name in "123"}})
    study = joined(truth, predicted()).at("study")
    assert study is not None
    assert (study.ids, any_column(study.truth)) == (("s", "t"), [1.0, 0.0])


def test_without_an_archive_images_are_scored_alone() -> None:
    truth = table({("image", name): float(name == "2") for name in "12345"})
    levels = joined(truth, predicted(with_index=False))
    assert [part.level for part in levels.found] == ["image"]
    assert set(levels.absent) == {"series", "study"}


@pytest.mark.parametrize("level", ["image", "study"])
def test_a_level_without_a_probability_says_so(level: str) -> None:
    given = predicted()
    kept = given.table.frame.filter(pl.col("level") != level)
    alone = Predictions(Path("read"), HEMORRHAGE, label_table(kept), index=index())
    levels = joined(table({("image", "2"): 1.0, ("study", "t"): 0.0}), alone)
    assert levels.absent[level].startswith("no probability of a")
