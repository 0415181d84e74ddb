"""tests/training/test_kept_split.py: what a split's model said comes back as it was, or not at
all."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from wetread.labels.finding import Finding
from wetread.training import mask_table
from wetread.training.calibration import LabeledProbabilities
from wetread.training.data import Split
from wetread.training.kept_split import DRAWINGS, FILE, keep_split, read_split, split_key
from wetread.training.predictions import LevelPredictions
from wetread.training.slices.fit import SplitResult

FINDINGS = (Finding("any", weight=float(np.float64(2.0))), Finding("left", mirror="right"))
SPLIT = Split("out_of_fold", np.arange(4), np.array([4]), np.array([5, 6]))


@pytest.fixture
def result() -> SplitResult:
    rng = np.random.default_rng(0)
    truth = np.array([[0.0, np.nan], [1.0, 1.0]])
    ids = tuple(np.array(["a", "b"]))  # texts of NumPy
    image = LevelPredictions(
        "image", "out_of_fold", FINDINGS, ids, ids, ids, np.array([5, 6]), truth,
        rng.random((2, 2)), {"prior": rng.random((2, 2))}, rng.random((2, 2)),
    )  # fmt: skip
    study = LevelPredictions(
        "study", "out_of_fold", FINDINGS, ids, ids, ids, None, truth, rng.random((2, 2)), {}
    )
    row = dict.fromkeys(mask_table.SCHEMA) | {"id": "a", "size": [1, 2], "map": b"\x00m"}
    drawings = pl.DataFrame([row], schema=mask_table.SCHEMA)
    names = ("any", "left")
    validation = LabeledProbabilities("image", names, truth, rng.random((2, 2)), ids)
    return SplitResult([image, study], drawings, (validation,))


def same(one: object, other: object) -> bool:
    """Whether two frozen values have equal fields, arrays value by value."""
    assert type(one) is type(other)
    for field in fields(one):  # type: ignore[arg-type]
        mine, theirs = getattr(one, field.name), getattr(other, field.name)
        if isinstance(mine, dict):
            assert mine.keys() == theirs.keys()
            assert all(np.array_equal(mine[name], theirs[name]) for name in mine)
        elif isinstance(mine, np.ndarray):
            assert mine.dtype == theirs.dtype
            assert np.array_equal(mine, theirs, equal_nan=mine.dtype.kind == "f")
        else:
            assert mine == theirs
    return True


def test_what_was_kept_comes_back_as_it_was(result: SplitResult, tmp_path: Path) -> None:
    keep_split(tmp_path, "key", result)
    back = read_split(tmp_path, "key")
    assert back is not None
    assert all(map(same, result.levels, back.levels))
    assert all(map(same, result.validation, back.validation))
    assert back.drawings.equals(result.drawings)
    assert back.drawings.schema == result.drawings.schema


def test_another_key_and_a_cut_file_are_as_if_nothing_were_kept(
    result: SplitResult, tmp_path: Path
) -> None:
    assert read_split(tmp_path, "key") is None
    keep_split(tmp_path, "key", result)
    assert read_split(tmp_path, "other") is None
    for name in (FILE, DRAWINGS):
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[: len(content) // 2])
        assert read_split(tmp_path, "key") is None
        (tmp_path / name).write_bytes(content)
        assert read_split(tmp_path, "key") is not None


def test_the_key_is_of_the_models_the_split_and_its_inputs(tmp_path: Path) -> None:
    (tmp_path / "part-0").mkdir()
    (tmp_path / "part-0" / "best.pt").write_bytes(b"weights")
    (tmp_path / "metrics.jsonl").write_text("{}")
    first = split_key(tmp_path, SPLIT, "inputs")
    (tmp_path / FILE).write_bytes(b"what was said is no model")
    (tmp_path / "metrics.jsonl").write_text("others")
    assert split_key(tmp_path, SPLIT, "inputs") == first
    moved = Split("out_of_fold", np.arange(5), np.array([], np.int64), np.array([5, 6]))
    others = {split_key(tmp_path, SPLIT, "others"), split_key(tmp_path, moved, "inputs")}
    (tmp_path / "part-0" / "best.pt").write_bytes(b"other weights")
    others.add(split_key(tmp_path, SPLIT, "inputs"))
    assert len(others | {first}) == 4
