"""tests/training/test_bounds.py: what is inside of that which was learned, kept and read."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from wetread.archive.files.damaged import DamagedFileError
from wetread.evaluation.feature_distance import fit_reference
from wetread.study.traits import Traits
from wetread.training.bounds import (
    FILE,
    REFERENCE,
    Bounds,
    Limit,
    read_bounds,
    write_bounds,
)
from wetread.training.run import Run
from wetread.training.study_features import References


def bounds() -> Bounds:
    slices = fit_reference(np.random.default_rng(0).normal(size=(40, 3)))
    courses = fit_reference(np.random.default_rng(1).normal(size=(15, 9)))
    return Bounds(
        checkpoint="model-0/best.pt",
        studies=40,
        ranges={"slices": (20.0, 30.0), "lean_degrees": (0.0, 20.0), "thickness_mm": (5.0, 5.0)},
        words={"modality": ("CT",), "body_part": ("HEAD",)},
        limits={"pictures": Limit(31.4, 77, 21.5, 30.3)},
        references=References(slices, courses),
    )


def names(traits: Traits, **scores: float) -> list[str]:
    return [one.name for one in bounds().outside(traits, scores)]


def test_what_lies_within_ranges_words_and_limits_is_inside() -> None:
    traits = Traits({"slices": 24, "lean_degrees": 3}, {"modality": "CT", "body_part": "HEAD"})
    assert names(traits, pictures=31.4) == []


def test_ranges_are_widened_by_factor_and_margin() -> None:
    assert names(Traits({"slices": 45.0, "lean_degrees": 25.0})) == []
    assert names(Traits({"slices": 45.1, "lean_degrees": 25.1})) == ["slices", "lean_degrees"]
    assert names(Traits({"slices": 13.3})) == ["slices"]
    assert names(Traits({"slices": 20 / 1.5})) == []


def test_what_neither_side_says_is_no_reason() -> None:
    assert names(Traits({"pixel_mm": 9.0}, {"view": "LL"})) == []  # never met in training
    assert names(Traits({}, {})) == []


def test_a_reason_has_both_figures() -> None:
    traits = Traits({"slices": 1, "thickness_mm": 1.25}, {"body_part": "CHEST"})
    found = [one.detail for one in bounds().outside(traits, {"pictures": 46.44})]
    assert found == [
        "BodyPartExamined CHEST; learned from HEAD",
        "slices 1; learned from 20 to 30",
        "slice thickness 1.25 mm; learned from 5 mm",
        "distance of its pictures from those learned from 46.4, limit 31.4 (of 77 studies held out "
        "the median has 21.5, the highest 30.3)",
    ]


def test_a_score_that_is_no_number_is_outside() -> None:
    assert names(Traits(), pictures=float("nan")) == ["pictures"]


def test_bounds_are_read_as_they_were_written(tmp_path: Path) -> None:
    written = bounds()
    write_bounds(Run(tmp_path), written)
    read = read_bounds(tmp_path)
    assert read is not None
    assert read.to_dict() == written.to_dict()
    features = np.random.default_rng(1).normal(size=(5, 3))
    there, here = read.references, written.references
    assert np.allclose(there.slices.distances(features), here.slices.distances(features))
    assert there.courses is not None
    assert here.courses is not None
    assert np.array_equal(there.courses.axes, here.courses.axes)
    write_bounds(Run(tmp_path), replace(written, references=References(here.slices, None)))
    again = read_bounds(tmp_path)
    assert again is not None
    assert again.references.courses is None


def test_a_run_without_bounds_has_none_and_none_removes_what_was_there(tmp_path: Path) -> None:
    assert read_bounds(tmp_path) is None
    write_bounds(Run(tmp_path), bounds())
    write_bounds(Run(tmp_path), None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("file", [FILE, REFERENCE])
def test_a_damaged_file_is_named(tmp_path: Path, file: str) -> None:
    write_bounds(Run(tmp_path), bounds())
    (tmp_path / file).write_bytes((tmp_path / file).read_bytes()[:100])
    with pytest.raises(DamagedFileError, match=file):
        read_bounds(tmp_path)


def test_a_trait_that_is_not_known_here_is_refused(tmp_path: Path) -> None:
    write_bounds(Run(tmp_path), bounds())
    path = tmp_path / FILE
    path.write_text(path.read_text().replace('"slices"', '"halos"'))
    with pytest.raises(DamagedFileError, match="halos"):
        read_bounds(tmp_path)
