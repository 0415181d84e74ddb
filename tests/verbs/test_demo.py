"""tests/verbs/test_demo.py: what the demo reads is what its run never saw."""

import json
from pathlib import Path

import polars as pl
import pytest

from wetread.archive.identity.pseudonym import pseudonym
from wetread.archive.identity.user_key import user_key
from wetread.archive.index.index import read_index
from wetread.phantoms.dicom.archive import PhantomTruth
from wetread.tasks import UnknownTaskError
from wetread.verbs.demo import demo, held_out_images
from wetread.verbs.train.train import TrainResult


def called(phantoms: PhantomTruth) -> list[str]:
    """The patient of every slice, as a run calls them."""
    return [pseudonym(patient, user_key()) for patient in phantoms.rows["patient"]]


def test_the_demo_reads_the_whole_studies_of_the_patients_that_were_held_out(
    one_split: TrainResult, phantoms: PhantomTruth
) -> None:
    kept = held_out_images(read_index(one_split.run / "index.parquet"), one_split.run)
    assignment = json.loads((one_split.run / "folds.json").read_text())["assignment"]
    part = pl.Series([assignment[one] for one in called(phantoms)])
    held_out = phantoms.rows.filter(part == "held_out")["image"]
    assert 0 < len(held_out) < phantoms.rows.height
    assert sorted(kept.instances["SOPInstanceUID"]) == sorted(held_out)


def test_of_folds_studies_are_read_that_the_first_one_s_model_never_saw(
    two_folds: TrainResult, phantoms: PhantomTruth
) -> None:
    found = read_index(two_folds.run / "index.parquet")
    assignment = json.loads((two_folds.run / "folds.json").read_text())["assignment"]
    first = phantoms.rows.filter([assignment[one] == "0" for one in called(phantoms)])
    kept = held_out_images(found, two_folds.run)
    assert sorted(kept.instances["SOPInstanceUID"]) == sorted(first["image"])
    fewer = held_out_images(found, two_folds.run, 2).instances
    studies = first.group_by("study").len()
    assert fewer["StudyInstanceUID"].n_unique() == 2
    assert fewer.height == studies.sort("study").head(2)["len"].sum()


def test_a_task_that_is_not_there_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UnknownTaskError, match="hemorrhage"):
        demo(tmp_path / "demo", "scurvy")
    assert not (tmp_path / "demo").exists()


def test_a_folder_with_files_of_others_is_refused_before_a_phantom_is_drawn(
    tmp_path: Path,
) -> None:
    """It was refused after the training, where the readings are written."""
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"thesis\.txt"):
        demo(tmp_path, "hemorrhage", studies=2, workers=1)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
