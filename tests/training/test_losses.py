"""tests/training/test_losses.py: the loss and the corrections against closed forms."""

import itertools

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss

from wetread.training.balance import undo_balance
from wetread.training.losses import masked_loss, prior_logits


def test_the_loss_is_the_weighted_mean_of_the_log_loss_over_what_is_known() -> None:
    rng = np.random.default_rng(0)
    logits, truth = rng.normal(0, 2, (40, 3)), (rng.random((40, 3)) < 0.4).astype(float)
    known, weights = rng.random((40, 3)) < 0.7, np.array([2.0, 1.0, 0.5])
    target = np.where(known, truth, np.nan)
    ours = masked_loss(torch.tensor(logits), torch.tensor(target), torch.tensor(weights))
    theirs = log_loss(
        truth[known],
        1 / (1 + np.exp(-logits[known])),
        sample_weight=np.broadcast_to(weights, known.shape)[known],
    )
    assert ours.item() == pytest.approx(theirs, abs=1e-12)


def test_soft_targets_count_in_part() -> None:
    logit, target = torch.tensor([[0.8]]), torch.tensor([[0.25]])
    p = 1 / (1 + np.exp(-0.8))
    expected = -0.25 * np.log(p) - 0.75 * np.log(1 - p)
    assert masked_loss(logit, target, torch.ones(1)).item() == pytest.approx(expected, rel=1e-6)


def test_nothing_known_is_no_loss_and_no_gradient() -> None:
    logits = torch.ones(2, 2, requires_grad=True)
    loss = masked_loss(logits, torch.full((2, 2), torch.nan), torch.ones(2))
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert not logits.grad.any()


def test_priors_are_the_shares_of_what_is_known() -> None:
    targets = np.array([[1, np.nan], [0, np.nan], [0, 1], [1, 0]], np.float32)
    expected = [np.log(2.5 / 2.5), np.log(1.5 / 1.5)]
    np.testing.assert_allclose(prior_logits(targets), expected, atol=1e-7)
    many = np.repeat([[1.0], [0.0]], [100, 900], 0).astype(np.float32)
    assert prior_logits(many)[0] == pytest.approx(np.log(100 / 900), abs=0.01)


def test_balance_is_undone_exactly_as_bayes_says() -> None:
    """A world of 5 looks and 3 states of (any, a, b) none/a/b/both, all counted out."""
    states = np.array([[0, 0, 0], [1, 1, 0], [1, 0, 1], [1, 1, 1]])
    rng = np.random.default_rng(5)
    joint = rng.dirichlet(np.ones(20)).reshape(5, 4) * [30, 1, 1, 1]  # look x state
    joint /= joint.sum()
    rate = 0.2
    sampled = joint * [rate, 1, 1, 1]
    true, learned = (
        (world / world.sum(1, keepdims=True)) @ states.astype(float) for world in (joint, sampled)
    )
    assert np.abs(learned - true).max() > 0.1
    np.testing.assert_allclose(undo_balance(learned, rate), true, atol=1e-12)


@pytest.mark.parametrize(("q", "rate"), list(itertools.product([0.01, 0.5, 0.99], [0.05, 1.0])))
def test_for_a_single_finding_it_is_log_rate_on_the_logit(q: float, rate: float) -> None:
    p = undo_balance(np.array([[q]]), rate)[0, 0]
    assert np.log(p / (1 - p)) == pytest.approx(np.log(q / (1 - q)) + np.log(rate), abs=1e-9)
