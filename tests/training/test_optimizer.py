"""tests/training/test_optimizer.py: the rate in closed form; what decays and what does not."""

import numpy as np
import pytest
import torch

from wetread.models.encoders import build, encoder_parameters
from wetread.training.optimizer import (
    make_optimizer,
    rate_at,
    set_rate,
    take_step,
    train_mode,
)
from wetread.training.recipe import OptimizerSettings

SETTINGS = OptimizerSettings(warmup_fraction=0.1, final_rate_fraction=0.05)


def test_the_rate_rises_in_a_line_then_falls_as_half_a_cosine() -> None:
    rates = [rate_at(step, 101, 0.4, SETTINGS) for step in range(101)]
    np.testing.assert_allclose(rates[:11], 0.4 * np.arange(1, 12) / 11)
    turn = np.linspace(0, np.pi, 90)
    np.testing.assert_allclose(rates[11:], 0.4 * (0.05 + 0.95 * (1 + np.cos(turn)) / 2))
    assert rates[-1] == pytest.approx(0.4 * 0.05)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_training_of_a_step_or_two_has_a_rate(steps: int) -> None:
    rates = [rate_at(step, steps, 0.4, SETTINGS) for step in range(steps)]
    assert all(0 < rate <= 0.4 for rate in rates)


def test_without_warm_up_it_starts_at_the_top() -> None:
    settings = OptimizerSettings(warmup_fraction=0.0)
    assert rate_at(0, 100, 0.4, settings) == 0.4


def test_norms_and_biases_do_not_decay() -> None:
    model = build("compact", 3, 6)
    optimizer = make_optimizer(model, SETTINGS, learning_rate=0.4, weight_decay=0.02)
    decaying, free = optimizer.param_groups
    assert {p.ndim for p in decaying["params"]} == {2, 4}
    assert {p.ndim for p in free["params"]} == {1}
    assert (decaying["weight_decay"], free["weight_decay"]) == (0.02, 0)
    assert len(decaying["params"] + free["params"]) == len(list(model.parameters()))


def test_a_rate_is_set_for_all_groups() -> None:
    optimizer = make_optimizer(
        torch.nn.Linear(2, 2), SETTINGS, learning_rate=0.4, weight_decay=0.02
    )
    set_rate(optimizer, 0.125)
    assert [group["lr"] for group in optimizer.param_groups] == [0.125, 0.125]


@pytest.mark.parametrize("masks", [0, 2])
def test_an_encoder_has_a_rate_of_its_own(masks: int) -> None:
    settings = SETTINGS.model_copy(update={"encoder_rate": 0.1})
    model = build("slim", 3, 6, masks=masks)
    encoder = encoder_parameters(model, "slim")
    optimizer = make_optimizer(
        model, settings, learning_rate=0.4, weight_decay=0.02, encoder=encoder
    )
    set_rate(optimizer, 0.5)
    rates = {id(p): g["lr"] for g in optimizer.param_groups for p in g["params"]}
    names = dict(model.named_parameters())
    stem = "encoder.stem.0.weight" if masks else "stem.0.weight"
    assert rates[id(names[stem])] == pytest.approx(0.05)
    assert rates[id(names["image_head.weight" if masks else "head.weight"])] == 0.5
    assert len(rates) == len(names)


def test_frozen_norms_keep_their_statistics_and_the_rest_trains() -> None:
    settings = OptimizerSettings(freeze_norms=True)
    image = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    for frozen in (False, True):
        model = build("compact", 3, 2)
        before = model.state_dict()["stem.1.running_mean"].clone()
        train_mode(model, settings if frozen else SETTINGS)
        model(image).sum().backward()
        assert torch.equal(model.state_dict()["stem.1.running_mean"], before) is frozen
        assert model.training
        assert all(p.grad is not None for p in model.parameters())


def test_an_encoder_of_rate_zero_stays_as_it_is_and_its_head_learns() -> None:
    settings = SETTINGS.model_copy(update={"encoder_rate": 0.0, "freeze_norms": True})
    model = train_mode(build("compact", 3, 2), settings)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    encoder = encoder_parameters(model, "compact")
    optimizer = make_optimizer(
        model, settings, learning_rate=0.4, weight_decay=0.02, encoder=encoder
    )
    set_rate(optimizer, 0.4)
    model(torch.rand(4, 3, 32, 32)).sum().backward()
    take_step(optimizer, model.parameters(), 1.0)
    after = model.state_dict()
    changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert {"head.weight", "head.bias"} <= changed
    assert all(name.startswith(("norm.", "head.")) for name in changed)
