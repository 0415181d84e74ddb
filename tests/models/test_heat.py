"""tests/models/test_heat.py: a heat map says where the logit comes from."""

import pytest
import torch
from torch import Tensor, nn

from wetread.models.encoders import build
from wetread.models.heat import heat_map


class Mean(nn.Module):
    """A convolution, the mean of its map, a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.map = nn.Conv2d(1, 4, 3, stride=2, padding=1)
        self.last = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.last(torch.relu(self.map(x)).mean((2, 3)))
        return logits


def test_with_mean_pooling_it_adds_up_to_the_logit() -> None:
    torch.manual_seed(0)
    model = Mean()
    with torch.no_grad():
        model.last.weight[1] = model.last.weight[1].abs()  # nothing speaks against
        model.map.weight.abs_()
        assert model.map.bias is not None
        model.map.bias.abs_()
    x = torch.rand(3, 1, 16, 16)
    heat = heat_map(model, x, 1)
    assert heat.shape == (3, 8, 8)
    torch.testing.assert_close(heat.sum((1, 2)), model(x)[:, 1] - model.last.bias[1])


@pytest.mark.parametrize("name", ["compact", "slim", "resnet18", "efficientnet_lite0"])
def test_every_kind_of_network_has_one_and_is_left_as_it_was(name: str) -> None:
    model = build(name, 1, 2).train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    heat = heat_map(model, torch.rand(2, 1, 96, 96), 0)
    assert heat.shape[0] == 2
    assert min(heat.shape[1:]) > 1
    assert torch.isfinite(heat).all()
    assert (heat >= 0).all()
    assert model.training
    assert not any(module._forward_hooks for module in model.modules())
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_map_before_the_last_is_finer_and_is_activation_times_gradient_there() -> None:
    torch.manual_seed(3)
    model = build("compact", 1, 2).eval()
    x = torch.rand(1, 1, 64, 64)
    last, before = heat_map(model, x, 1), heat_map(model, x, 1, back=1)
    assert before.shape[1] == 2 * last.shape[1]
    kept: list[Tensor] = []
    hook = model.get_submodule("blocks.2").register_forward_hook(lambda m, i, out: kept.append(out))
    (gradient,) = torch.autograd.grad(model(x)[0, 1], kept[-1])
    hook.remove()
    torch.testing.assert_close(before[0], (gradient * kept[-1])[0].sum(0).clamp_min(0).detach())


def test_no_such_map_is_an_error() -> None:
    with pytest.raises(IndexError):
        heat_map(build("compact", 1, 1), torch.rand(1, 1, 64, 64), 0, back=9)
