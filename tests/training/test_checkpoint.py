"""tests/training/test_checkpoint.py: a training goes on as it was begun, or says why it cannot."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from wetread.archive.files.damaged import DamagedFileError
from wetread.training.checkpoint import (
    Checkpointer,
    CheckpointFiles,
    EpochScore,
    ResumeError,
    TrainingIdentity,
    check_resume,
    digest_arrays,
    learned_settings,
)
from wetread.training.recipe import Recipe
from wetread.training.run import LAST, Run

FILES = CheckpointFiles("last.pt", "best.pt", "metrics.jsonl")
IDENTITY = TrainingIdentity({"seed": 0, "optimizer.max_norm": 2.0}, "digest", ("a",), "pixels")


def begin(folder: Path, identity: TrainingIdentity = IDENTITY, average: int = 1) -> Checkpointer:
    """A training of one weight, which starts at 0."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    cpu = torch.device("cpu")
    return Checkpointer(
        Run(folder), FILES, model, optimizer, cpu, identity, every_steps=2, average=average
    )


def epoch(training: Checkpointer, weight: float, score: EpochScore | None) -> None:
    """An epoch of one step that leaves the weight at a value."""
    with torch.no_grad():
        training.model.weight.fill_(weight)  # type: ignore[operator]
    training.after_step(torch.tensor(1.0))
    training.after_epoch(score)


def best_weight(training: Checkpointer) -> float:
    return float(training.best_state()["weight"])


def test_the_least_loss_is_kept_and_a_tie_keeps_the_first(tmp_path: Path) -> None:
    training = begin(tmp_path)
    for weight, value in ((1.0, 0.5), (2.0, 0.3), (3.0, 0.3), (4.0, 0.9)):
        epoch(training, weight, EpochScore(value))
    assert (training.best.epoch, training.best.value) == (1, 0.3)
    assert best_weight(training) == 2.0
    assert not training.out_of_patience(3)
    assert training.out_of_patience(2)


def test_without_a_score_the_last_epoch_is_kept(tmp_path: Path) -> None:
    training = begin(tmp_path)
    for weight in (1.0, 2.0):
        epoch(training, weight, None)
    assert (training.best.epoch, best_weight(training)) == (1, 2.0)


def test_the_start_may_be_the_best(tmp_path: Path) -> None:
    training = begin(tmp_path)
    training.keep(0.2)
    epoch(training, 1.0, EpochScore(0.4))
    assert (training.best.epoch, best_weight(training)) == (-1, 0.0)
    epoch(training, 2.0, EpochScore(0.1))
    assert (training.best.epoch, best_weight(training)) == (1, 2.0)


def test_the_best_epochs_are_averaged_and_others_leave_no_file(tmp_path: Path) -> None:
    training = begin(tmp_path, average=2)
    for weight, value in ((1.0, 0.5), (2.0, 0.3), (6.0, 0.4)):
        epoch(training, weight, EpochScore(value))
    assert best_weight(training) == 4.0  # of epochs 1 and 2
    assert sorted(path.name for path in tmp_path.glob("top-*.pt")) == ["top-1.pt", "top-2.pt"]


def test_it_goes_on_with_all_that_was_there(tmp_path: Path) -> None:
    first = begin(tmp_path)
    assert not first.resume()
    epoch(first, 1.0, EpochScore(0.5))
    first.after_step(torch.tensor(3.0))  # the second step of all: a file is written
    again = begin(tmp_path)
    assert again.resume()
    assert (again.epoch, again.position, again.step) == (1, 1, 2)
    assert (again.best, again.history) == (first.best, first.history)
    assert [float(loss) for loss in again.losses] == [3.0]
    assert again.model.weight.tolist() == [[1.0]]  # type: ignore[operator]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (replace(IDENTITY, settings={"seed": 1}), r"last\.pt: .*seed was 0, is 1\. Go on with"),
        (replace(IDENTITY, data="another"), "the slices or their labels are others"),
        (replace(IDENTITY, findings=("b",)), "the findings are others"),
        (replace(IDENTITY, pixels="others"), "pixels are others, under the same ids"),
    ],
)
def test_another_training_is_refused_by_what_differs(
    other: TrainingIdentity, message: str, tmp_path: Path
) -> None:
    epoch(begin(tmp_path), 1.0, None)
    with pytest.raises(ResumeError, match=message):
        begin(tmp_path, other).resume()


def test_a_file_from_before_the_groups_goes_on_by_its_old_names(tmp_path: Path) -> None:
    epoch(begin(tmp_path), 1.0, None)
    saved = Run(tmp_path).read("last.pt")
    del saved["settings"]
    saved["described"] = {"findings": ["a"], "recipe": {"seed": 0, "max_norm": 2.0}}
    Run(tmp_path).save("last.pt", saved)
    assert begin(tmp_path).resume()
    saved["described"]["recipe"]["max_norm"] = 5.0
    Run(tmp_path).save("last.pt", saved)
    with pytest.raises(ResumeError, match=r"optimizer\.max_norm was 5\.0, is 2\.0"):
        begin(tmp_path).resume()


def test_a_setting_that_there_was_not_goes_on_where_it_changes_nothing(tmp_path: Path) -> None:
    epoch(begin(tmp_path), 1.0, None)
    assert begin(tmp_path, replace(IDENTITY, settings={"seed": 0, "grafts.share": 0.0})).resume()
    with pytest.raises(ResumeError, match=r"grafts\.share was 0\.0, is 0\.5"):
        begin(tmp_path, replace(IDENTITY, settings={"seed": 0, "grafts.share": 0.5})).resume()


def test_a_file_of_another_form_is_damaged(tmp_path: Path) -> None:
    Run(tmp_path).save("last.pt", {"described": {"findings": ["a"]}, "settings": 3})
    with pytest.raises(DamagedFileError, match=r"last\.pt"):
        begin(tmp_path).resume()


def test_a_run_is_checked_before_it_learns(tmp_path: Path) -> None:
    run = Run(tmp_path)
    check_resume(run, Recipe(seed=1))  # nothing is begun
    run.write_json("recipe.json", Recipe().model_dump(mode="json"))
    Run(tmp_path / "model-0").save(LAST, {})
    check_resume(run, Recipe().with_settings({"runtime.readers": 7, "joint.epochs": 2}))
    with pytest.raises(ResumeError, match=r"recipe\.json: .*optimizer\.beta1 was 0\.9, is 0\.8"):
        check_resume(run, Recipe().with_settings({"optimizer.beta1": 0.8}))


def test_where_it_runs_is_not_what_it_learns() -> None:
    there, here = (Recipe().with_settings({"runtime.cache_mb": mb}) for mb in (0, 9))
    assert learned_settings(there) == learned_settings(here)


def test_a_digest_is_of_values_in_their_order() -> None:
    one, other = np.arange(4), np.arange(4)[::-1]
    assert digest_arrays(one, other) == digest_arrays(one.copy(), other.copy())
    assert digest_arrays(one, other) != digest_arrays(other, one)
