"""tests/verbs/test_demo.py: what the demo reads is what its run never saw."""

import json
from pathlib import Path

import polars as pl
import pytest

from wetread.archive.index import read_index
from wetread.phantoms.archive import PhantomTruth
from wetread.tasks import UnknownTaskError
from wetread.verbs.demo import demo, held_out_images
from wetread.verbs.train import TrainResult


def test_the_demo_reads_the_whole_studies_of_the_patients_that_were_held_out(
    one_split: TrainResult, phantoms: PhantomTruth
) -> None:
    kept = held_out_images(read_index(one_split.run / "index.parquet"), one_split.run)
    assignment = json.loads((one_split.run / "folds.json").read_text())["assignment"]
    part = pl.col("patient").replace_strict(assignment)
    held_out = phantoms.slices.filter(part == "held_out")["image"]
    assert 0 < len(held_out) < phantoms.slices.height
    assert sorted(kept.instances["SOPInstanceUID"]) == sorted(held_out)


def test_a_task_that_is_not_there_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UnknownTaskError, match="hemorrhage"):
        demo(tmp_path / "demo", "scurvy")
    assert not (tmp_path / "demo").exists()
