"""tests/models/test_folded.py: a folded network says what the network says."""

import copy

import pytest
import torch
from torch import nn

from wetread.models.encoders import ENCODERS, build
from wetread.models.folded import fold_batch_norm


def settled(model: nn.Module) -> nn.Module:
    """With BatchNorms that do something: their numbers are those of no channel at the start."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            nn.init.normal_(module.running_mean, 0.0, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0.0, 0.5)
    return model.eval()


@pytest.mark.parametrize("masks", [0, 2])
@pytest.mark.parametrize("name", list(ENCODERS))
def test_a_folded_network_says_the_same_and_leaves_the_network_alone(name: str, masks: int) -> None:
    with torch.random.fork_rng(), torch.inference_mode():
        torch.manual_seed(0)
        model = settled(build(name, 3, 4, masks=masks))
        before = copy.deepcopy(model.state_dict())
        image = torch.rand(2, 3, 64, 64)
        said = fold_batch_norm(model)(image)
        torch.testing.assert_close(said, model(image), atol=2e-4, rtol=2e-4)
    assert all(torch.equal(tensor, before[key]) for key, tensor in model.state_dict().items())


@pytest.mark.parametrize("name", ["compact", "slim"])
def test_no_batch_norm_is_left_of_the_small_networks(name: str) -> None:
    ready = fold_batch_norm(build(name, 3, 4, masks=2))
    assert not any(isinstance(module, nn.BatchNorm2d) for module in ready.modules())
    assert not ready.training


def test_weights_are_kept_in_the_precision_that_an_autocast_multiplies_in() -> None:
    with torch.random.fork_rng(), torch.inference_mode():
        torch.manual_seed(0)
        model = settled(build("slim", 3, 4, masks=2))
        image = torch.rand(4, 3, 64, 64)
        exact = model(image)
        with torch.autocast("cpu", torch.bfloat16):
            as_it_is, ready = model(image), fold_batch_norm(model, torch.bfloat16)(image)
    assert ready.dtype == torch.float32
    error = (ready - exact).abs().max()
    assert 0 < error < 2 * (as_it_is - exact).abs().max()  # no worse than what autocast rounds
