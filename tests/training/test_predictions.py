"""tests/training/test_predictions.py: arrays to the long table and back, unknown kept unknown."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from wetread.evaluation.fit_baselines import BASELINES
from wetread.labels.finding import Finding
from wetread.training.predictions import (
    FILE,
    SCHEMA,
    UNCALIBRATED,
    LevelPredictions,
    from_table,
    read_predictions,
    to_table,
)

FINDINGS = (Finding("left"), Finding("right"), Finding("any", weight=2.0))


def predicted(level: str, ids: tuple[str, ...], first: int = 0) -> LevelPredictions:
    rng = np.random.default_rng(len(ids))
    shape = (len(ids), len(FINDINGS))
    truth = (rng.random(shape) < 0.4).astype(float)
    truth[0, 1] = np.nan
    return LevelPredictions(
        level=level,
        split="out_of_fold",
        findings=FINDINGS,
        ids=ids,
        studies=tuple(f"s{name}" for name in ids),
        patients=tuple(f"p{name}" for name in ids),
        rows=None if level == "study" else np.arange(first, first + len(ids)),
        truth=truth,
        probability=rng.random(shape),
        baselines={name: rng.random(shape) for name in BASELINES},
    )


@pytest.mark.parametrize("level", ["image", "study"])
def test_a_level_comes_back_from_the_table_as_it_went_in(level: str) -> None:
    told = predicted(level, ("a", "b", "c", "d"))
    back = from_table(to_table(told, 1), level, FINDINGS)
    assert back is not None
    assert (back.ids, back.studies, back.patients) == (told.ids, told.studies, told.patients)
    assert (back.level, back.split) == (level, "out_of_fold")
    assert {finding.level for finding in back.findings} == {level}
    np.testing.assert_array_equal(back.truth, told.truth)
    np.testing.assert_array_equal(back.probability, told.probability)
    for name in BASELINES:
        np.testing.assert_array_equal(back.baselines[name], told.baselines[name])
    if told.rows is None:
        assert back.rows is None
    else:
        assert back.rows is not None
        np.testing.assert_array_equal(back.rows, told.rows)


def test_the_table_has_a_row_an_id_and_finding_and_null_where_truth_is_unknown() -> None:
    table = to_table(predicted("image", ("a", "b"), first=7), 3)
    assert table.schema == pl.Schema(SCHEMA)
    assert table["id"].to_list() == ["a"] * 3 + ["b"] * 3
    assert table["finding"].to_list() == ["left", "right", "any"] * 2
    assert table["row"].to_list() == [7, 7, 7, 8, 8, 8]
    assert set(table["model"]) == {3}
    assert table["truth"].is_null().to_list() == [False, True, False, False, False, False]
    assert not table["truth"].is_nan().any()


def test_predictions_without_headers_come_back_without_that_baseline(tmp_path: Path) -> None:
    told = predicted("image", ("a", "b"))
    rest = {name: values for name, values in told.baselines.items() if name != "header"}
    table = to_table(replace(told, baselines=rest), 0)
    assert table["header"].null_count() == table.height
    table.drop("header").write_parquet(tmp_path / "old.parquet")  # as runs of before have it
    read = read_predictions(tmp_path / "old.parquet", {"image": FINDINGS})
    back = from_table(read, "image", FINDINGS)
    assert back is not None
    assert set(back.baselines) == set(rest)


def test_models_of_several_folds_come_back_as_one_level_and_others_are_left_out() -> None:
    parts = [predicted("image", ("a", "b")), predicted("image", ("c",), first=2)]
    tables = [to_table(part, number) for number, part in enumerate(parts)]
    whole = pl.concat([tables[0], to_table(predicted("study", ("a",)), 0), tables[1]])
    back = from_table(whole, "image", FINDINGS)
    assert back is not None
    assert back.ids == ("a", "b", "c")
    np.testing.assert_array_equal(
        back.probability, np.concatenate([part.probability for part in parts])
    )
    assert from_table(tables[0], "study", FINDINGS) is None


def test_probabilities_before_calibration_come_back_and_runs_without_them_are_read(
    tmp_path: Path,
) -> None:
    scaled = predicted("image", ("a", "b"))
    raw = scaled.probability / 2
    scaled = replace(scaled, baselines={**scaled.baselines, UNCALIBRATED: raw})
    back = from_table(to_table(scaled, 0), "image", FINDINGS)
    assert back is not None
    np.testing.assert_array_equal(back.baselines[UNCALIBRATED], raw)
    older = to_table(predicted("image", ("a", "b")), 0).drop(UNCALIBRATED)
    older.write_parquet(tmp_path / FILE)
    table = read_predictions(tmp_path / FILE, {"image": FINDINGS})
    old = from_table(table, "image", FINDINGS)
    assert old is not None
    assert UNCALIBRATED not in old.baselines
