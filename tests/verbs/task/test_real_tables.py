"""tests/verbs/task/test_real_tables.py: real label tables of other sets are drafted and counted."""

import tomllib
from pathlib import Path

import pytest

from wetread.verbs.task.check import check_task
from wetread.verbs.task.new import new_task

CASES = {  # file: rows, distinct ids, id column, layout, findings, positives of some of them
    "radiograph_labels/Data_Entry_2017_v2020.csv.gz": (
        112120, 112120, "Image Index", "names", 14, {"pneumothorax": 5302, "hernia": 227},
    ),
    "radiograph_labels/google2019_nih-chest-xray-labels.csv.gz": (
        4376, 4376, "Image Index", "columns", 4, {"pneumothorax": 238, "fracture": 186},
    ),
    "radiograph_labels/kaggle_stage_2_train_labels.csv.zip": (
        30227, 26684, "patientId", "columns", 1, {"target": 6012},
    ),
    "head_readers/reads.csv": (491, 491, "name", "columns", 14, {"ich": 205, "midline_shift": 65}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_real_table_is_drafted_and_counted(name: str, real_data: Path, tmp_path: Path) -> None:
    labels, out = real_data / name, tmp_path / "task.toml"
    rows, ids, column, layout, findings, positives = CASES[name]
    assert new_task(labels, out).rows == rows
    content = tomllib.loads(out.read_text())
    (form,) = content["labels"]
    assert (form["id"], form["layout"], len(content["findings"])) == (column, layout, findings)
    found = check_task(out, [labels])
    assert found.ids == ids
    counted = {one.name: one.positive for one in found.counts}
    assert {name: counted[name] for name in positives} == positives
