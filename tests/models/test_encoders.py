"""tests/models/test_encoders.py: what every network of the table must do."""

from pathlib import Path

import pytest
import torch
from torch import nn

from wetread.models.encoders import ENCODERS, build, last_linear
from wetread.models.names import ENCODER_NAMES
from wetread.models.weights import load_weights

every_encoder = pytest.mark.parametrize("name", list(ENCODERS))


@pytest.fixture(autouse=True)
def _seeded_and_single_threaded():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield
    torch.set_num_threads(before)


def test_names_are_known_without_the_table() -> None:
    assert list(ENCODERS) == ENCODER_NAMES


@every_encoder
@pytest.mark.parametrize("channels", [1, 9])
def test_any_channels_in_give_finite_float32_logits(name: str, channels: int) -> None:
    model = build(name, channels, 6).eval()
    with torch.inference_mode():
        logits = model(torch.rand(2, channels, 64, 64))
    assert logits.shape == (2, 6)
    assert logits.dtype == torch.float32
    assert logits.isfinite().all()


@every_encoder
def test_eight_samples_are_learned_by_heart(name: str) -> None:
    model = build(name, 3, 2).train()
    image = torch.rand(8, 3, 48, 48)
    target = torch.tensor([[i % 2, i // 4] for i in range(8)], dtype=torch.float32)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    for _ in range(60):  # a network without norms takes the most
        loss = nn.functional.binary_cross_entropy_with_logits(model(image), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if loss < 0.1:
            break
    assert loss < 0.1


@every_encoder
def test_saved_and_loaded_it_gives_the_same_numbers(name: str, tmp_path: Path) -> None:
    first, second = build(name, 3, 4).eval(), build(name, 3, 4).eval()
    torch.save(first.state_dict(), tmp_path / "weights.pt")
    report = load_weights(second, tmp_path / "weights.pt")
    image = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(first(image), second(image))
    assert len(report.loaded) == len(first.state_dict())
    assert not report.skipped
    assert not report.adapted


@every_encoder
def test_the_last_linear_layer_gives_the_logits(name: str) -> None:
    model = build(name, 3, 5).eval()
    head = last_linear(model)
    with torch.inference_mode():
        head.weight.zero_()
        head.bias.copy_(torch.arange(5.0))
        assert torch.equal(model(torch.rand(1, 3, 64, 64)), torch.arange(5.0)[None])


def test_the_compact_net_is_compact() -> None:
    assert sum(p.numel() for p in build("compact", 3, 6).parameters()) < 460_000
    assert sum(p.numel() for p in build("slim", 3, 6).parameters()) < 300_000


def test_an_unknown_encoder_is_refused_and_the_known_are_named() -> None:
    with pytest.raises(ValueError, match=f"no encoder 'resnet'; known: {', '.join(ENCODERS)}"):
        build("resnet", 3, 6)
