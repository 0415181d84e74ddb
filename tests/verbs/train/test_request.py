"""tests/verbs/train/test_request.py: what train refuses, it refuses before its first long step."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from wetread.archive.files.damaged import DamagedFileError
from wetread.labels.table import LabelError
from wetread.tasks import find_task
from wetread.training.recipe import Recipe
from wetread.training.recipe_file import read_recipe
from wetread.training.trained_model import build_network
from wetread.verbs.train.request import TrainRequest, check_request, refuse_other_run
from wetread.verbs.train.train import train

LABELS = "ID,Label\nID_a_any,1\nID_a_subdural,0\n"
Check = Callable[..., TrainRequest]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """check(task, recipe, **changes) -> the request of a folder and a label file that are there."""
    (tmp_path / "in").mkdir()
    (tmp_path / "labels.csv").write_text(LABELS)
    given: dict[str, Any] = {
        "sources": [tmp_path / "in"], "out": tmp_path / "run", "labels": [tmp_path / "labels.csv"],
        "columns": None, "patients": None, "weights": None, "clear_patients": False,
    }  # fmt: skip

    def run(task: str = "hemorrhage", recipe: Recipe | None = None, **changes: Any) -> TrainRequest:
        settings = recipe or read_recipe("compact", ["runtime.device=cpu"])
        return check_request(find_task(task), settings, **(given | changes))

    return run


def test_a_request_holds_the_labels_and_starts_where_nothing_is_given(check: Check) -> None:
    request = check()
    assert request.labels.frame.height == 2
    assert request.weights == {}
    assert request.phantom_recipe is None
    assert request.key is not None
    assert check(clear_patients=True).key is None


def test_sources_that_are_not_there_are_refused(check: Check, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="none does not exist"):
        check(sources=[tmp_path / "none"])
    with pytest.raises(FileNotFoundError, match="does not exist"):
        check(sources=[tmp_path / "none.parquet"])
    (tmp_path / "a.parquet").write_text("no table")
    with pytest.raises(ValueError, match="stands alone"):
        check(sources=[tmp_path / "a.parquet", tmp_path / "in"])
    with pytest.raises(DamagedFileError):
        check(sources=[tmp_path / "a.parquet"])


def test_a_recipe_of_another_kind_of_task_is_refused(check: Check) -> None:
    gru = read_recipe("compact", ["series.network=gru", "runtime.device=cpu"])
    with pytest.raises(ValueError, match="the task judges slices"):
        check("pneumothorax", gru)
    with pytest.raises(ValueError, match="the task judges whole series"):
        check("embolism", read_recipe("compact", ["runtime.device=cpu"]))


def test_phantoms_of_another_task_are_learned_first_and_never_mixed_in(
    check: Check, tmp_path: Path
) -> None:
    text = 'modalities = ["CT"]\ncrop = "{}"\n[[findings]]\nname = "any"\n[[labels]]\nid = "ID"\n'
    settings = ["phantoms.studies=3", "phantoms.masks=false", "runtime.device=cpu"]
    labels = tmp_path / "own.csv"
    labels.write_text("ID,any\na,1\nb,0\n")
    head, lungs = tmp_path / "head.toml", tmp_path / "lungs.toml"
    for file in (head, lungs):
        file.write_text(text.format(file.stem))
    request = check(str(head), read_recipe("compact", settings), labels=[labels])
    assert request.phantom_recipe is not None
    assert request.phantom_recipe.decoder == "none"
    mixed = read_recipe("compact", [*settings, "phantoms.share=0.2"])
    with pytest.raises(ValueError, match="the phantoms are of hemorrhage, whose findings"):
        check(str(head), mixed, labels=[labels])
    with pytest.raises(ValueError, match="there are no phantoms of the task lungs"):
        check(str(lungs), read_recipe("compact", settings), labels=[labels])


def test_labels_and_patients_that_cannot_be_read_are_refused(check: Check, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing to learn from"):
        check(labels=[])
    (tmp_path / "labels.csv").write_text("a,b\n1,2\n")
    with pytest.raises(LabelError, match=r"labels\.csv"):
        check()
    (tmp_path / "labels.csv").write_text(LABELS)
    (tmp_path / "patients.csv").write_text("x\n1\n")
    with pytest.raises(LabelError, match=r"patients\.csv"):
        check(patients=tmp_path / "patients.csv")
    assert check(patients="study").patients == "study"


def test_weights_of_another_network_are_refused(check: Check, tmp_path: Path) -> None:
    torch.save({"fc.weight": torch.zeros(2, 3)}, tmp_path / "other.pt")
    with pytest.raises(ValueError, match="none of its 1 tensors fits"):
        check(weights=tmp_path / "other.pt")
    (tmp_path / "cut.pt").write_bytes(b"PK")
    with pytest.raises(DamagedFileError, match=r"cut\.pt"):
        check(weights=tmp_path / "cut.pt")


def test_weights_that_are_given_stand_in_place_of_phantoms(check: Check, tmp_path: Path) -> None:
    recipe = read_recipe("compact", ["phantoms.studies=3", "runtime.device=cpu"])
    first = check(recipe=recipe).phantom_recipe
    assert first is not None
    assert (first.phantoms.studies, first.epochs) == (0, recipe.phantoms.epochs)
    (tmp_path / "labels.csv").write_text(LABELS)
    torch.save(build_network(recipe, 6, 0).state_dict(), tmp_path / "own.pt")
    request = check(recipe=recipe, weights=tmp_path / "own.pt")
    assert request.phantom_recipe is None
    assert request.weights == {"hemorrhage": tmp_path / "own.pt"}


def test_a_run_begun_otherwise_is_refused_where_its_models_are_there(tmp_path: Path) -> None:
    recipe, task = read_recipe("compact"), find_task("hemorrhage")
    about = {"task": "hemorrhage", "findings": [], "prior": {}, "counts": {}, "patients_from": ""}
    (tmp_path / "about.json").write_text(json.dumps(about))
    (tmp_path / "recipe.json").write_text(json.dumps(recipe.model_dump(mode="json")))
    other = read_recipe("compact", ["optimizer.max_norm=1.0", "runtime.readers=7"])
    refuse_other_run(tmp_path, task, other)  # no model has been begun
    (tmp_path / "model-0").mkdir()
    (tmp_path / "model-0" / "last.pt").write_bytes(b"")
    refuse_other_run(tmp_path, task, recipe)
    with pytest.raises(
        ValueError, match=r"begun otherwise: optimizer\.max_norm was 2\.0, is 1\.0\. "
    ):
        refuse_other_run(tmp_path, task, other)
    with pytest.raises(ValueError, match="task was 'hemorrhage', is 'pneumothorax'"):
        refuse_other_run(tmp_path, find_task("pneumothorax"), recipe)


def test_phantoms_are_not_drawn_for_an_archive_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were learned for minutes before the archive was looked at."""
    monkeypatch.setattr("wetread.verbs.train.train.pretrain", None)
    (tmp_path / "labels.csv").write_text(LABELS)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        train(
            "hemorrhage", tmp_path / "none", tmp_path / "run", labels=tmp_path / "labels.csv",
            settings=["phantoms.studies=800"],
        )  # fmt: skip
    assert not (tmp_path / "run").exists()


def test_phantoms_are_not_drawn_where_no_image_has_a_label(
    phantoms: Any, settings: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wetread.verbs.train.train.pretrain", None)
    (tmp_path / "labels.csv").write_text(LABELS)
    with pytest.raises(ValueError, match="no image of the archive has a label"):
        train(
            "hemorrhage", phantoms.images, tmp_path / "run", labels=tmp_path / "labels.csv",
            settings=[*settings, "phantoms.studies=800"], workers=1,
        )  # fmt: skip


def test_a_mask_that_is_not_there_is_refused_at_once(check: Check, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such file"):
        check(labels=[tmp_path / "labels.csv", f"{tmp_path / 'blood.nii.gz'}:subdural"])
