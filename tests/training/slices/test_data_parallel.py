"""tests/training/slices/test_data_parallel.py: parts of a batch together learn what the whole
batch would."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from wetread.models.encoders import build
from wetread.training.device import choose_runtime
from wetread.training.losses import masked_loss
from wetread.training.recipe import Recipe, RuntimeSettings
from wetread.training.slices.batches import Batch
from wetread.training.slices.data_parallel import data_parallel
from wetread.view.augment import Strengths, draw_augmentation
from wetread.view.device import to_view

WEIGHTS = torch.tensor([1.0, 3.0])


def recipe(shares: int) -> Recipe:
    runtime = RuntimeSettings(batch_parts=shares, precision="float32", device="cpu", threads=1)
    return Recipe(size=16, runtime=runtime)


class Plain(nn.Module):
    """No batch statistics: the parts know nothing that the whole does not."""

    def __init__(self, chance: float = 0.0) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 4, 3), nn.Linear(4, 2)
        self.drop = nn.Dropout(chance) if chance else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.last(self.drop(torch.relu(self.first(x)).mean((2, 3))))
        return logits


@pytest.fixture
def batch() -> Batch:
    """Seven slices, most of the unknown targets in the first half."""
    rng = np.random.default_rng(0)
    targets = (rng.random((7, 2)) > 0.5).astype(np.float32)
    targets[[0, 1, 2, 5], [0, 0, 1, 1]] = np.nan
    drawn = draw_augmentation(Strengths(0.5, 10, 0.1, 0.05, 3), 7, rng)
    hu = rng.normal(35, 20, (7, 1, 16, 16)).astype(np.float32)
    masks = np.zeros((7, 0, 1, 1), np.float32)
    return Batch(hu, targets, drawn, 16, masks, np.zeros((7, 0), bool))


def learned(model: nn.Module, batch: Batch, shares: int) -> tuple[Tensor, list[Tensor]]:
    settings = recipe(shares)
    with data_parallel(model, settings, choose_runtime(settings), WEIGHTS) as parts:
        loss = parts.backward(batch)
    return loss, [p.grad for p in model.parameters() if p.grad is not None]


@pytest.mark.parametrize("shares", [1, 2, 3])
def test_the_parts_give_the_loss_and_the_gradient_of_the_whole(batch: Batch, shares: int) -> None:
    torch.manual_seed(1)
    model = Plain()
    image = to_view(torch.from_numpy(batch.hu), recipe(1).view, batch.augmentation)
    whole = masked_loss(model(image), torch.from_numpy(batch.targets), WEIGHTS)
    expected = torch.autograd.grad(whole, list(model.parameters()))
    loss, gradient = learned(model, batch, shares)
    torch.testing.assert_close(loss, whole.detach())
    for ours, theirs in zip(gradient, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("turns", [2, 3, 7, 9])
def test_a_batch_learned_in_turns_gives_the_loss_and_the_gradient_of_the_whole(
    batch: Batch, turns: int
) -> None:
    torch.manual_seed(1)
    model = Plain()
    expected_loss, expected = learned(model, batch, 1)
    settings = recipe(2).model_copy(update={"batch_accumulation": turns})
    model.zero_grad()
    with data_parallel(model, settings, choose_runtime(settings), WEIGHTS) as parts:
        loss = parts.backward(batch)
    torch.testing.assert_close(loss, expected_loss)
    for parameter, theirs in zip(model.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, theirs, rtol=1e-4, atol=1e-6)


def test_masks_learned_in_turns_with_norms_that_stay_give_the_gradient_of_the_whole() -> None:
    rng = np.random.default_rng(4)
    targets = (rng.random((6, 2)) > 0.5).astype(np.float32)
    drawn = draw_augmentation(Strengths(0.5, 10, 0.1, 0.05, 3), 6, rng)
    hu = rng.normal(35, 20, (6, 1, 32, 32)).astype(np.float32)
    masks = (rng.random((6, 1, 32, 32)) > 0.8).astype(np.float32)
    known = np.array([[True], [False], [True], [True], [False], [True]])
    batch = Batch(hu, targets, drawn, 32, masks, known)
    torch.manual_seed(5)
    model = build("compact", 3, 2, masks=1).eval()  # BatchNorm as it is
    found = []
    for turns in (1, 3):
        changes = {"size": 32, "decoder": "unet", "batch_accumulation": turns}
        settings = recipe(1).model_copy(update=changes)
        with data_parallel(model, settings, choose_runtime(settings), WEIGHTS) as parts:
            loss = parts.backward(batch)
        found.append((loss, [p.grad for p in model.parameters() if p.grad is not None]))
    (whole, gradient), (in_turns, others) = found
    torch.testing.assert_close(in_turns, whole)
    for one, other in zip(gradient, others, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-3, atol=1e-5)


def test_two_runs_of_parts_are_equal_to_the_bit(batch: Batch) -> None:
    runs = []
    for _ in range(2):
        torch.manual_seed(2)
        model = build("compact", 3, 2)
        runs.append((learned(model, batch, 2), model.state_dict()))
    (first, kept), (second, other) = runs
    assert torch.equal(first[0], second[0])
    assert all(torch.equal(a, b) for a, b in zip(first[1], second[1], strict=True))
    assert all(torch.equal(kept[name], other[name]) for name in kept)


def test_running_statistics_are_the_mean_of_the_parts(batch: Batch) -> None:
    torch.manual_seed(3)
    norm = nn.BatchNorm2d(3)
    model = nn.Sequential(norm, nn.Flatten(), nn.Linear(3 * 16 * 16, 2))
    image = to_view(torch.from_numpy(batch.hu), recipe(1).view, batch.augmentation)
    means = [part.mean((0, 2, 3)) for part in (image[:4], image[4:])]
    learned(model, batch, 2)
    torch.testing.assert_close(norm.running_mean, 0.1 * (means[0] + means[1]) / 2)
    assert norm.num_batches_tracked is not None
    assert int(norm.num_batches_tracked) == 1


@pytest.mark.parametrize(("chance", "parts"), [(0.0, 2), (0.5, 1)])
def test_a_network_that_draws_by_chance_is_not_parted(chance: float, parts: int) -> None:
    settings, model = recipe(2), Plain(chance)
    before = torch.get_rng_state()
    with data_parallel(model, settings, choose_runtime(settings), WEIGHTS) as shares:
        assert len(shares.models) == parts
    assert torch.equal(torch.get_rng_state(), before)


def test_a_batch_falls_into_parts_in_order(batch: Batch) -> None:
    parts = batch.parts(2)
    assert [len(part.targets) for part in parts] == [4, 3]
    np.testing.assert_array_equal(np.concatenate([part.hu for part in parts]), batch.hu)
    np.testing.assert_array_equal(parts[1].augmentation.angle, batch.augmentation.angle[4:])
    assert len(batch.parts(9)) == 7
