"""tests/training/test_run.py: a file of a run is whole, or the one before it."""

from pathlib import Path
from zipfile import ZipFile

import polars as pl
import pytest
import torch

from wetread.models.encoders import build
from wetread.training.recipe import Recipe
from wetread.training.run import Run
from wetread.training.trained_model import read_trained_model


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.write_json("scores.json", {"scores": [1]})
    with pytest.raises(ValueError, match="not JSON compliant"):
        run.write_json("scores.json", {"scores": [float("nan")]})
    assert (tmp_path / "scores.json").read_text() == '{\n "scores": [\n  1\n ]\n}\n'
    run.save("last.pt", {"step": 1})
    with pytest.raises(Exception, match="pickle"):
        run.save("last.pt", {"step": lambda: 2})
    assert run.load("last.pt") == {"step": 1}


def test_a_run_that_was_stopped_saves_the_bytes_of_one_that_was_not(tmp_path: Path) -> None:
    went_on, stopped = Run(tmp_path / "a"), Run(tmp_path / "b")
    lines = [{"epoch": epoch, "value": "none"} for epoch in range(2)]
    went_on.save("last.pt", {"history": lines, "lr": torch.tensor([0.1])})
    stopped.save("last.pt", {"history": lines[:1], "lr": torch.tensor([0.1])})
    before = stopped.read("last.pt")
    stopped.save("last.pt", {**before, "history": [*before["history"], lines[1]]})
    assert stopped.read("last.pt")["history"] == lines
    assert unpacked(went_on.folder / "last.pt") == unpacked(stopped.folder / "last.pt")


def unpacked(path: Path) -> list[bytes]:
    """The members of a zip, in their order; their folder is named after the file."""
    with ZipFile(path) as file:
        return [file.read(name) for name in file.namelist()]


def test_lines_and_tables_are_read_back(tmp_path: Path) -> None:
    run = Run(tmp_path / "new" / "run")
    run.write_lines("metrics.jsonl", [{"epoch": 0}, {"epoch": 1, "value": None}])
    lines = (run.folder / "metrics.jsonl").read_text().splitlines()
    assert lines == ['{"epoch": 0}', '{"epoch": 1, "value": null}']
    table = pl.DataFrame({"id": ["a"], "any": [0.25]})
    run.write_table("out_of_fold.parquet", table)
    assert pl.read_parquet(run.folder / "out_of_fold.parquet").equals(table)
    assert sorted(p.name for p in run.folder.iterdir()) == ["metrics.jsonl", "out_of_fold.parquet"]


def test_what_was_never_saved_is_none(tmp_path: Path) -> None:
    assert Run(tmp_path).load("last.pt") is None


def test_a_kept_model_comes_back_with_all_it_needs(tmp_path: Path) -> None:
    recipe = Recipe(size=32, neighbors=1)
    model = build("compact", 9, 2).eval()
    content = {
        "model": model.state_dict(),
        "epoch": 4,
        "value": 0.5,
        "findings": ["a", "b"],
        "view": recipe.view.to_dict(),
        "recipe": recipe.model_dump(mode="json"),
        "negative_rate": 0.25,
    }
    Run(tmp_path).save("best.pt", content)
    for path in (tmp_path, tmp_path / "best.pt"):
        trained = read_trained_model(path)
        image = torch.rand(1, 9, 32, 32)
        assert torch.equal(trained.model(image), model(image))
        assert trained.recipe == recipe
        assert trained.view == recipe.view
        assert (trained.findings, trained.negative_rate, trained.epoch) == (("a", "b"), 0.25, 4)


def test_a_run_without_a_model_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"best\.pt: no such checkpoint"):
        read_trained_model(tmp_path)
