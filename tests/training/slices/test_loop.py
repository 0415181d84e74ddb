"""tests/training/slices/test_loop.py: it learns, twice the same, and goes on where it was
killed."""

import copy
import os
import signal
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

import wetread
from wetread.models.encoders import encoder_parameters
from wetread.training.averaging import RankedEpoch
from wetread.training.checkpoint import EpochScore
from wetread.training.run import BEST, LAST, METRICS, Run
from wetread.training.slices import loop
from wetread.training.slices.batches import TrainSet
from wetread.training.slices.loop import train
from wetread.training.slices.predict import predict_probabilities
from wetread.training.trained_model import read_trained_model

HERE = Path(__file__).parents[1]
spec = spec_from_file_location("blob_training", HERE / "conftest.py")
assert spec is not None
assert spec.loader is not None
shared = module_from_spec(spec)
spec.loader.exec_module(shared)
STEPS = ("checkpoint_every_steps=4",)


def assert_same_run(first: Path, second: Path) -> None:
    """Bit for bit: the metrics, the weights that were kept, and where the optimizer stands."""
    assert (first / METRICS).read_text() == (second / METRICS).read_text()
    ours, theirs = Run(first).load(LAST), Run(second).load(LAST)
    assert ours is not None
    assert theirs is not None
    assert_equal(ours, theirs)
    assert_equal(Run(first).load(BEST), Run(second).load(BEST))


def assert_equal(a: object, b: object) -> None:
    if isinstance(a, torch.Tensor):
        assert isinstance(b, torch.Tensor)
        assert torch.equal(a, b)
    elif isinstance(a, dict):
        assert isinstance(b, dict)
        assert a.keys() == b.keys()
        for key in a:
            assert_equal(a[key], b[key])
    elif isinstance(a, list):
        assert isinstance(b, list)
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            assert_equal(one, other)
    else:
        assert a == b


@pytest.fixture(scope="module")
def left_alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three epochs that nothing disturbed."""
    folder: Path = tmp_path_factory.mktemp("left_alone")
    shared.train_blobs(folder, shared.quick(*STEPS))
    return folder


def test_the_same_run_twice_gives_equal_numbers(left_alone: Path, tmp_path: Path) -> None:
    torch.rand(3)  # the caller's own chance is nothing to a run
    shared.train_blobs(tmp_path, shared.quick(*STEPS))
    assert_same_run(tmp_path, left_alone)


def test_another_seed_gives_other_numbers(left_alone: Path, tmp_path: Path) -> None:
    shared.train_blobs(tmp_path, shared.quick(*STEPS, "seed=1"))
    assert (tmp_path / METRICS).read_text() != (left_alone / METRICS).read_text()


@pytest.mark.parametrize(
    "kills",
    [(3,), (14,), (6, 21)],
    ids=["before the first checkpoint", "in the second epoch", "twice"],
)
def test_killed_in_mid_epoch_and_resumed_it_ends_with_the_same_numbers(
    kills: tuple[int, ...], left_alone: Path, tmp_path: Path
) -> None:
    source = str(Path(wetread.__path__[0]).parent)
    for kill_at in kills:
        process = subprocess.run(
            [sys.executable, str(HERE / "conftest.py"), str(tmp_path), str(kill_at), *STEPS],
            env={**os.environ, "PYTHONPATH": source},
            timeout=120,
            check=False,
        )
        assert process.returncode == -signal.SIGKILL
    shared.train_blobs(tmp_path, shared.quick(*STEPS))
    assert_same_run(tmp_path, left_alone)


def test_killed_between_keeping_the_best_and_the_checkpoint_it_doubles_no_line(
    left_alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = Run.save

    def die_at_last(run: Run, name: str, content: dict[str, object]) -> None:
        if name == LAST and content["epoch"] == 1 and content["position"] == 0:
            raise KeyboardInterrupt
        save(run, name, content)

    with monkeypatch.context() as patch:
        patch.setattr(Run, "save", die_at_last)
        with pytest.raises(KeyboardInterrupt):
            shared.train_blobs(tmp_path, shared.quick(*STEPS))
    assert len((tmp_path / METRICS).read_text().splitlines()) == 1
    shared.train_blobs(tmp_path, shared.quick(*STEPS))
    assert_same_run(tmp_path, left_alone)


def test_a_run_that_is_done_is_done(left_alone: Path) -> None:
    before = (left_alone / METRICS).read_text()
    stamp = (left_alone / BEST).stat().st_mtime_ns
    best = shared.train_blobs(left_alone, shared.quick(*STEPS))
    assert best.epoch >= 0
    assert (left_alone / METRICS).read_text() == before
    assert (left_alone / BEST).stat().st_mtime_ns == stamp


def test_a_run_begun_otherwise_is_refused_and_the_difference_named(left_alone: Path) -> None:
    with pytest.raises(ValueError, match=r"last\.pt.*learning_rate was 0\.002, is 0\.001"):
        shared.train_blobs(left_alone, shared.quick(*STEPS, "optimizer.learning_rate=1e-3"))


def test_a_run_begun_with_other_labels_is_refused(left_alone: Path) -> None:
    recipe = shared.quick(*STEPS)
    data = shared.Blobs().train_set(150)
    with pytest.raises(ValueError, match="the slices or their labels are others"):
        train(shared.fresh(recipe), data, recipe, findings=shared.FINDINGS, run=Run(left_alone))


def test_it_finds_the_blobs_of_slices_it_never_saw(tmp_path: Path) -> None:
    blobs = shared.Blobs()
    recipe = shared.quick("epochs=14", "augmentation.hu_shift=0", "checkpoint_every_steps=1000")
    shared.train_blobs(tmp_path, recipe)
    trained = read_trained_model(tmp_path)
    said = predict_probabilities(
        trained.model,
        blobs,
        range(160, 240),
        trained.view,
        recipe,
        trained.negative_rate,
        [0, 2, 1],
    )
    for column in range(3):
        assert roc_auc_score(blobs.truth[160:, column], said[:, column]) > 0.95
    np.testing.assert_allclose(said.mean(0), blobs.truth[160:].mean(0), atol=0.08)


def train_scored(recipe: Any, data: TrainSet, score: Any, folder: Path) -> RankedEpoch:
    model, run = shared.fresh(recipe), Run(folder)
    return train(model, data, recipe, findings=shared.FINDINGS, run=run, score=score)


def one_step_each(values: list[float], higher: bool) -> tuple[list[float], object]:
    left = list(values)
    return left, lambda model: EpochScore(left.pop(0), higher, {"extra": None})


@pytest.mark.parametrize(
    ("values", "higher", "kept"),
    [([0.5, 0.9, 0.7], True, 1), ([0.5, 0.9, 0.2], False, 2), ([0.5, 0.5, 0.5], True, 0)],
    ids=["an AUC rises", "a loss falls", "a tie keeps the first"],
)
def test_the_best_epoch_is_kept(
    values: list[float], higher: bool, kept: int, tmp_path: Path
) -> None:
    recipe = shared.quick("batch_size=160")
    _, score = one_step_each(values, higher)
    data = shared.Blobs().train_set()
    best = train_scored(recipe, data, score, tmp_path)
    assert best == RankedEpoch(kept, values[kept])
    trained = read_trained_model(tmp_path)
    assert (trained.epoch, trained.value) == (kept, values[kept])


def test_it_stops_when_patience_is_over_and_stays_stopped(tmp_path: Path) -> None:
    recipe = shared.quick("batch_size=160", "epochs=9", "patience_epochs=2")
    left, score = one_step_each([0.5, 0.8, 0.7, 0.6, 0.9], True)
    data = shared.Blobs().train_set()
    for _ in range(2):
        best = train_scored(recipe, data, score, tmp_path)
        assert best == RankedEpoch(1, 0.8)
        assert left == [0.9]


@pytest.mark.parametrize("parts", [1, 2])
def test_a_frozen_encoder_keeps_its_weights_to_the_bit_and_has_no_gradient(
    parts: int, tmp_path: Path
) -> None:
    recipe = shared.quick(
        "optimizer.encoder_rate=0", "optimizer.freeze_norms=true", f"runtime.batch_parts={parts}",
        "epochs=1",
    )  # fmt: skip
    model = shared.fresh(recipe)
    before = copy.deepcopy(model.state_dict())
    encoder = encoder_parameters(model, recipe.encoder)
    train(model, shared.Blobs().train_set(), recipe, findings=shared.FINDINGS, run=Run(tmp_path))
    assert all(one.grad is None and not one.requires_grad for one in encoder)
    kept = read_trained_model(tmp_path).model.state_dict()
    same = {name for name, value in kept.items() if torch.equal(value.cpu(), before[name])}
    assert kept.keys() - same == {"norm.weight", "norm.bias", "head.weight", "head.bias"}


def test_a_run_begun_when_a_frozen_encoder_had_gradients_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = shared.quick("optimizer.encoder_rate=0", "optimizer.freeze_norms=true", "epochs=2")

    def stop(done: int, total: int) -> None:
        if done == total // 2 + 1:
            raise KeyboardInterrupt

    arguments = {"findings": shared.FINDINGS, "run": Run(tmp_path)}
    with monkeypatch.context() as patch:
        patch.setattr(loop, "freeze_encoder", lambda *given: None)
        with pytest.raises(KeyboardInterrupt):
            train(shared.fresh(recipe), shared.Blobs().train_set(), recipe, progress=stop,
                  **arguments)  # fmt: skip
    content = Run(tmp_path).load(LAST)
    assert content is not None
    assert content["epoch"] == 1
    best = train(shared.fresh(recipe), shared.Blobs().train_set(), recipe, **arguments)
    assert best.epoch == 1


def test_without_a_score_the_last_epoch_is_kept(tmp_path: Path) -> None:
    recipe = shared.quick("batch_size=160")
    model = shared.fresh(recipe)
    data = shared.Blobs().train_set()
    assert train(model, data, recipe, findings=shared.FINDINGS, run=Run(tmp_path)) == RankedEpoch(
        2, None
    )
    kept = read_trained_model(tmp_path).model.state_dict()
    assert all(torch.equal(kept[key], value) for key, value in model.state_dict().items())


def test_it_begins_from_the_priors_of_an_epoch(tmp_path: Path) -> None:
    seen: list[torch.Tensor] = []

    class Watch(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(1, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(self.head.bias.detach().clone())
            return self.head(x.mean((1, 2, 3))[:, None])

    data = shared.Blobs().train_set()
    recipe = shared.quick("epochs=1", "batch_size=400", "negatives_per_positive=0")
    train(Watch(), data, recipe, findings=shared.FINDINGS, run=Run(tmp_path))
    priors = data.targets.mean(0)
    np.testing.assert_allclose(torch.sigmoid(seen[0]), priors, atol=0.01)
