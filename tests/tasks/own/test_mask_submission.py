"""tests/tasks/own/test_mask_submission.py: masks of one's own findings go out, come back, and are
scored as pixels are."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from wetread.evaluation.dice import dice
from wetread.labels.finding import Finding
from wetread.labels.mask_text import decode_masks
from wetread.labels.rle import encode
from wetread.labels.table import LabelError
from wetread.outputs.submission import SubmissionContent
from wetread.tasks.own.mask_submission import WRITTEN, OwnMaskSubmission

FINDINGS = (Finding("a"), Finding("b"))
SHAPE = (30, 20)


def masks() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    found = {f"m{n}": rng.random(SHAPE) < 0.3 for n in range(4)}
    return found | {"none": np.zeros(SHAPE, bool)}


def content(drawn: dict[str, np.ndarray], **more: Any) -> SubmissionContent:
    known: dict[str, Any] = {
        "ids": list(drawn),
        "probability": np.full((len(drawn), 2), 0.5),
        "findings": ["a", "b"],
        "prior": np.array([0.1, 0.2]),
        "masks": {name: encode(mask) for name, mask in drawn.items()},
        "sample": None,
        "expected": ["unread"],
    }
    return SubmissionContent(**known | more)


@pytest.mark.parametrize("runs_form", WRITTEN)
@pytest.mark.parametrize("empty", ["-1", ""])
def test_masks_come_back_in_every_form_that_is_written(
    runs_form: str, empty: str, tmp_path: Path
) -> None:
    own, path = OwnMaskSubmission("a", "id", "rle", runs_form, empty), tmp_path / "s.csv"
    assert own.write(path, content(masks())) == ["unread"]
    table = own.read(path, FINDINGS)
    assert {row[2] for row in table.frame.rows()} == {"a"}
    read = {row["id"]: row for row in table.masks.iter_rows(named=True)}
    for name, mask in masks().items():
        if mask.any():
            decoded = decode_masks(read[name]["runs"], SHAPE, read[name]["form"])
            np.testing.assert_array_equal(decoded, mask)
        else:
            assert name not in read


def test_a_sample_gives_the_rows_and_another_form_is_refused(tmp_path: Path) -> None:
    own, path, sample = OwnMaskSubmission("a"), tmp_path / "s.csv", tmp_path / "sample.csv"
    sample.write_text("ImageId,EncodedPixels\nm2,1 1\nnew,1 1\nm2,5 5\n")
    assert own.write(path, content(masks(), sample=sample)) == ["new"]
    assert path.read_text().splitlines()[1:] == [f"m2,{encode(masks()['m2'])}", "new,-1"]
    own.check_sample(sample, FINDINGS)
    sample.write_text("ImageId,Label\nm2,1\n")
    with pytest.raises(LabelError, match="no column 'EncodedPixels'"):
        own.check_sample(sample, FINDINGS)


def test_the_score_is_the_mean_dice_of_the_pixels(tmp_path: Path) -> None:
    own, rng = OwnMaskSubmission("a", runs_form="columns_1"), np.random.default_rng(1)
    true = masks()
    drawn = {name: mask ^ (rng.random(SHAPE) < 0.1) for name, mask in true.items()}
    tables = []
    for name, pixels in (("truth", true), ("given", drawn)):
        path = tmp_path / f"{name}.csv"
        own.write(path, content(pixels, expected=[]))
        tables.append(own.read(path, FINDINGS))
    truth, given = tables
    scored = own.score(truth, given, FINDINGS, "submission", np.random.default_rng(0))
    each = [
        dice(int((true[n] & drawn[n]).sum()), int(drawn[n].sum()), int(true[n].sum())) for n in true
    ]
    (found,) = scored.scores.find("dice")
    assert found.value == pytest.approx(np.mean(each))
    boxes = replace(truth, masks=truth.masks.with_columns(form=pl.lit("box")))
    with pytest.raises(LabelError, match="true masks in the form 'box' need the sizes"):
        own.score(boxes, given, FINDINGS, "submission", np.random.default_rng(0))
