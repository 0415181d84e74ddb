"""tests/training/test_about.py: the plain files of a run, whole or named as damaged."""

import json
from pathlib import Path

import pytest

from wetread.archive.files.damaged import DamagedFileError
from wetread.training.about import (
    read_about,
    read_assignment,
    read_fold_proof,
    read_metrics,
    read_run_recipe,
)
from wetread.training.recipe import Recipe

ABOUT = {
    "task": "hemorrhage", "findings": ["any"], "prior": {"any": 0.2}, "counts": {},
    "patients_from": "PatientID",
}  # fmt: skip


def write(folder: Path, name: str, value: object) -> Path:
    path = folder / name
    path.write_text(json.dumps(value))
    return path


def test_a_run_s_description_is_read(tmp_path: Path) -> None:
    write(tmp_path, "about.json", ABOUT)
    assert read_about(tmp_path) == ABOUT


@pytest.mark.parametrize("prior", [{"any": 1.5}, {"any": "many"}, {}])
def test_a_prior_that_is_none_is_damage(prior: dict[str, object], tmp_path: Path) -> None:
    write(tmp_path, "about.json", {**ABOUT, "prior": prior})
    with pytest.raises(DamagedFileError, match=r"about\.json"):
        read_about(tmp_path)


def test_recipes_of_both_forms_are_read(tmp_path: Path) -> None:
    recipe = Recipe().with_settings({"series.network": "gru", "seed": 4})
    write(tmp_path, "recipe.json", recipe.model_dump(mode="json"))
    assert read_run_recipe(tmp_path) == recipe
    write(tmp_path, "recipe.json", {"seed": 4, "sequence": "gru", "neighbours": 0})
    assert read_run_recipe(tmp_path) == recipe
    write(tmp_path, "recipe.json", {"seed": 4, "sequence": "lstm"})
    with pytest.raises(DamagedFileError, match="no sequence network 'lstm'"):
        read_run_recipe(tmp_path)


def test_parts_and_their_proof_are_read_also_where_there_is_none(tmp_path: Path) -> None:
    parts = {"train": {"patients": 3}}
    proof = {"shared_patients": 0, "parts": parts}
    write(tmp_path, "folds.json", {"proof": proof, "assignment": {"p": "train"}})
    assert read_fold_proof(tmp_path) == proof
    assert read_assignment(tmp_path) == {"p": "train"}
    write(tmp_path, "folds.json", {"proof": None, "balance": parts, "assignment": {}})
    assert read_fold_proof(tmp_path) == {"shared_patients": None, "parts": parts}


def test_metrics_are_lines_and_a_cut_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"epoch": 0, "loss": 0.5}\n{"epoch": 1, "loss": 0.25}\n')
    assert [line["loss"] for line in read_metrics(path)] == [0.5, 0.25]
    path.write_text('{"epoch": 0, "loss": 0.5}\n{"epoch": 1, "lo')
    with pytest.raises(DamagedFileError, match="in a line"):
        read_metrics(path)
