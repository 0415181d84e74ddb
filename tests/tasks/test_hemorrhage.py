"""tests/tasks/test_hemorrhage.py: hemorrhage as the 2019 competition asks for it."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from wetread.study.placement import SlicePlacement
from wetread.tasks import find_task
from wetread.tasks.hemorrhage import blood_volume_ml
from wetread.training.measures import DrawnStack
from wetread.training.recipe_file import read_recipe
from wetread.training.series.spec import SeriesSpec

LONG_FORM = "ID,Label\nID_a_any,1\nID_a_subdural,0.25\n"


def test_findings_and_weights_are_those_of_the_competition() -> None:
    weights = {finding.name: finding.weight for finding in find_task("hemorrhage").findings}
    subtypes = ("epidural", "intraparenchymal", "intraventricular", "subarachnoid", "subdural")
    assert weights == {**dict.fromkeys(subtypes, 1.0), "any": 2.0}
    assert find_task("hemorrhage").modalities == ("CT",)


def test_each_kind_of_blood_is_drawn_where_a_recipe_has_a_decoder() -> None:
    task = find_task("hemorrhage")
    drawn = {(finding.name, finding.level) for finding in task.spec.drawn}
    assert drawn == {(finding.name, "pixel") for finding in task.findings if finding.name != "any"}
    assert set(task.phantoms.masks.values()) == set(task.spec.drawn)
    task.spec.check_recipe(read_recipe("compact", ["decoder=unet"]))


def test_labels_and_submissions_are_read_in_the_long_form(tmp_path: Path) -> None:
    task = find_task("hemorrhage")
    path = tmp_path / "labels.csv"
    path.write_text(LONG_FORM)
    names = [finding.name for finding in task.findings]
    for read in (task.read_labels, task.submission.read):
        (values,) = read(path, task.findings).matrix_float64(["ID_a"], task.findings)
        known = {name: v for name, v in zip(names, values, strict=True) if v == v}
        assert known == {"any": 1.0, "subdural": 0.25}


def test_a_recipe_with_a_network_over_series_reads_whole_series() -> None:
    task = find_task("hemorrhage")
    slices, series = (
        task.for_recipe(read_recipe("compact", [f"series.network={name}"]))
        for name in ("none", "gru")
    )
    assert slices is task
    assert isinstance(series.spec, SeriesSpec)
    assert (series.findings, series.crops.stores) == (task.findings, task.crops.stores)
    assert series.at("study") == task.at("study")
    assert series.spec.official_levels == task.spec.official_levels
    assert series.spec.exams(pl.DataFrame()).is_empty()  # a submission has images alone


def test_blood_of_several_kinds_in_one_pixel_counts_once() -> None:
    epidural, subdural = np.zeros((2, 3, 4, 5), bool)
    epidural[0, 0, :3] = subdural[0, 0, 2:4] = subdural[2, 1:3, 4] = True  # 4 and 2 pixels
    origins = np.array([[0, 0, 0], [0, 0, 5.0], [0, 0, 10.0]])
    orientation = np.array([1.0, 0, 0, 0, 1, 0])
    place = SlicePlacement(origins, orientation, (0.5, 0.8), np.full(3, 5.0))
    found = blood_volume_ml(DrawnStack([epidural, subdural], place))
    assert found == pytest.approx(6 * 0.5 * 0.8 * 5 / 1000)
    (measure,) = find_task("hemorrhage").spec.measures
    assert set(measure.findings) == {f.name for f in find_task("hemorrhage").spec.drawn}
