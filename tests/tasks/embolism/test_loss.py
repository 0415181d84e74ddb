"""tests/tasks/embolism/test_loss.py: what is minimised is the official loss."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wetread.labels.exams import Exams
from wetread.tasks.embolism import metric as official
from wetread.tasks.embolism.findings import IMAGE_FINDING
from wetread.tasks.embolism.loss import batch_loss, loss_parts

PADDING = 1e6  # a value that would be seen


def exams(sizes: list[int], seed: int) -> tuple[Exams, np.ndarray, np.ndarray]:
    """Truth (a third without positive image, a tenth unknown) and logits of labels and images."""
    rng = np.random.default_rng(seed)
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    density = np.repeat(rng.choice([0.0, 0.2, 0.9], len(sizes)), sizes)
    study = (rng.random((len(sizes), 9)) < 0.4).astype(float)
    image = (rng.random(starts[-1]) < density).astype(float)
    study[rng.random(study.shape) < 0.1] = np.nan
    image[rng.random(image.shape) < 0.1] = np.nan
    # Beyond 12 what a float64 probability near 1 still holds of its logit is under 1e-9.
    study_logits, image_logits = (
        rng.normal(0, 6, part.shape).clip(-12, 12) for part in (study, image)
    )
    return Exams(study, image, starts), study_logits, image_logits


def padded(values: np.ndarray, truth: Exams, longest: int) -> torch.Tensor:
    """(M,) to (N, longest), the rest filled with what must not be seen."""
    rows = torch.full((len(truth), longest), PADDING, dtype=torch.float64)
    for exam in range(len(truth)):
        part = values[truth.starts[exam] : truth.starts[exam + 1]]
        rows[exam, : len(part)] = torch.from_numpy(part)
    return rows


def parts(
    truth: Exams, study: np.ndarray, image: np.ndarray, longer: int = 0
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Call loss_parts; return its values and the leaves of its gradient."""
    longest = int(truth.sizes.max()) + longer
    leaves = [torch.from_numpy(study), padded(image, truth, longest)]
    for leaf in leaves:
        leaf.requires_grad_()
    real = torch.arange(longest)[None] < torch.from_numpy(truth.sizes)[:, None]
    over, under = loss_parts(
        leaves[0],
        leaves[1],
        torch.from_numpy(truth.study),
        padded(truth.image, truth, longest),
        real,
    )
    return over, under, leaves[0], leaves[1]


def sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=8), st.integers(0, 10**6))
def test_it_is_the_metric_of_the_sigmoid(sizes: list[int], seed: int) -> None:
    truth, study, image = exams(sizes, seed)
    over, under, _, _ = parts(truth, study, image)
    said = Exams(sigmoid(study), sigmoid(image), truth.starts)
    told = official.exam_losses(truth, said)
    assert over.detach().numpy() == pytest.approx(told.loss, abs=1e-9)
    assert under.numpy() == pytest.approx(told.weight, abs=1e-9)
    expected = official.exam_loss(truth, said)
    assert batch_loss(over, under).item() == pytest.approx(expected, abs=1e-9)


def test_padding_changes_neither_value_nor_gradient() -> None:
    truth, study, image = exams([4, 9, 1, 0], seed=3)
    told = []
    for longer in (0, 5):
        over, _, study_leaf, image_leaf = parts(truth, study, image, longer)
        over.sum().backward()
        assert study_leaf.grad is not None
        assert image_leaf.grad is not None
        beyond = torch.arange(image_leaf.shape[1])[None] >= torch.from_numpy(truth.sizes)[:, None]
        assert (image_leaf.grad[beyond] == 0).all()
        told.append((over.detach(), study_leaf.grad, image_leaf.grad[:, : truth.sizes.max()]))
    for short, long in zip(*told, strict=True):
        assert torch.equal(short, long)


def test_the_gradient_is_that_of_the_metric_by_differences() -> None:
    truth, study, image = exams([5, 3], seed=4)
    over, under, study_leaf, image_leaf = parts(truth, study / 8, image / 8)
    batch_loss(over, under).backward()
    assert study_leaf.grad is not None
    assert image_leaf.grad is not None

    def metric(study: np.ndarray, image: np.ndarray) -> float:
        return official.exam_loss(truth, Exams(sigmoid(study), sigmoid(image), truth.starts))

    step = 1e-5
    for exam, column in ((0, 0), (0, 4), (1, 7)):
        moved = np.zeros((2, 9))
        moved[exam, column] = step
        slope = metric(study / 8 + moved, image / 8) - metric(study / 8 - moved, image / 8)
        assert study_leaf.grad[exam, column].item() == pytest.approx(slope / 2 / step, abs=1e-8)
    for exam, place in ((0, 0), (0, 4), (1, 2)):
        bump = np.zeros(8)
        bump[truth.starts[exam] + place] = step
        slope = metric(study / 8, image / 8 + bump) - metric(study / 8, image / 8 - bump)
        assert image_leaf.grad[exam, place].item() == pytest.approx(slope / 2 / step, abs=1e-8)


def test_batches_of_equal_size_add_up_to_the_whole_set() -> None:
    truth, study, image = exams([4, 9, 1, 6, 12, 3], seed=5)
    mean_weight = official.mean_exam_weight(truth)
    over, under, _, _ = parts(truth, study, image)
    whole = batch_loss(over, under).item()
    batches = [batch_loss(over[k : k + 2], under[k : k + 2], mean_weight).item() for k in (0, 2, 4)]
    assert np.mean(batches) == pytest.approx(whole, abs=1e-12)


def test_a_sample_of_slices_stands_for_all_of_them() -> None:
    """The mean over all samples of 2 slices of 5 is the loss of the 5."""
    labels = torch.tensor([[1.0, 0, 1, 0, 0]], dtype=torch.float64)
    logits = torch.tensor([[0.3, -1.0, 2.0, 0.5, -3.0]], dtype=torch.float64)
    nothing = torch.full((1, 9), torch.nan, dtype=torch.float64)
    zeros = torch.zeros((1, 9), dtype=torch.float64)
    real = torch.ones((1, 5), dtype=torch.bool)
    whole, weight = loss_parts(zeros, logits, nothing, labels, real)
    assert weight.item() == pytest.approx(2 * IMAGE_FINDING.weight)
    samples = [
        loss_parts(
            zeros, logits[:, [i, j]], nothing, labels[:, [i, j]], real[:, :2],
            positives=torch.tensor([2.0], dtype=torch.float64),
        )
        for i in range(5)
        for j in range(i)
    ]  # fmt: skip
    assert np.mean([over.item() for over, _ in samples]) == pytest.approx(whole.item(), abs=1e-12)
    assert {under.item() for _, under in samples} == {weight.item()}


def test_nothing_known_has_no_loss_and_no_gradient() -> None:
    logits = torch.zeros((2, 9), requires_grad=True)
    slices = torch.zeros((2, 3), requires_grad=True)
    nan9, nan3 = torch.full((2, 9), torch.nan), torch.full((2, 3), torch.nan)
    over, under = loss_parts(logits, slices, nan9, nan3, torch.ones((2, 3), dtype=torch.bool))
    loss = batch_loss(over, under)
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert (logits.grad == 0).all()
