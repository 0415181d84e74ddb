"""tests/models/test_sequence.py: what every network that reads a series must do."""

from collections.abc import Iterator

import pytest
import torch
from torch import nn

from wetread.models.names import SEQUENCE_NAMES
from wetread.models.sequence import (
    SEQUENCES,
    SKIP_GAIN,
    AttentionPool,
    LinearSkip,
    build_sequence,
    pool_slices,
)

every_network = pytest.mark.parametrize("name", list(SEQUENCES))
INPUTS, IMAGES, STUDIES = 7, 1, 5


def test_names_are_known_without_the_table() -> None:
    assert tuple(SEQUENCES) == SEQUENCE_NAMES


@pytest.fixture(autouse=True)
def _seeded_and_single_threaded() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield
    torch.set_num_threads(before)


def padded(series: list[torch.Tensor], length: int, filling: float) -> list[torch.Tensor]:
    """Series (n, D) as (B, length, D) and what is there."""
    x = torch.full((len(series), length, series[0].shape[1]), filling)
    there = torch.zeros(len(series), length, dtype=torch.bool)
    for number, one in enumerate(series):
        x[number, : len(one)], there[number, : len(one)] = one, True
    return [x, there]


@every_network
def test_a_series_gets_the_same_answer_in_any_batch_and_under_any_padding(name: str) -> None:
    model = build_sequence(name, INPUTS, IMAGES, STUDIES).eval()
    series = [torch.randn(n, INPUTS) for n in (1, 9, 40, 300)]
    with torch.inference_mode():
        together = model(*padded(series, 333, 1e3))
        for number, one in enumerate(series):
            image, study = model(*padded([one], len(one), 0.0))
            torch.testing.assert_close(together[0][number, : len(one)], image[0], atol=1e-5, rtol=0)
            torch.testing.assert_close(together[1][number], study[0], atol=1e-5, rtol=0)
            assert (together[0][number, len(one) :] == 0).all()


@every_network
def test_what_is_padded_gets_no_gradient(name: str) -> None:
    model = build_sequence(name, INPUTS, IMAGES, STUDIES).eval()
    x, there = padded([torch.randn(3, INPUTS), torch.randn(8, INPUTS)], 12, 5.0)
    x.requires_grad_()
    image, study = model(x, there)
    (image.sum() + study.sum()).backward()
    assert x.grad is not None
    assert (x.grad[~there] == 0).all()
    assert (x.grad[there] != 0).any()


@every_network
def test_a_slice_hears_of_its_neighbors(name: str) -> None:
    model = build_sequence(name, INPUTS, IMAGES, STUDIES).eval()
    x, there = padded([torch.randn(20, INPUTS)], 20, 0.0)
    other = x.clone()
    other[0, 12] += torch.randn(INPUTS)
    with torch.inference_mode():
        change = (model(x, there)[0] - model(other, there)[0]).abs()[0, :, 0]
    assert (change[[11, 13]] > 1e-6).all()


@every_network
def test_eight_series_are_learned_by_heart(name: str) -> None:
    model = build_sequence(name, INPUTS, IMAGES, STUDIES).train()
    x, there = padded([torch.randn(4 + n, INPUTS) for n in range(8)], 12, 0.0)
    of_image = (torch.rand(8, 12, IMAGES) < 0.5).float()
    of_study = (torch.rand(8, STUDIES) < 0.5).float()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    entropy = nn.functional.binary_cross_entropy_with_logits
    for _ in range(300):
        image, study = model(x, there)
        loss = entropy(image[there], of_image[there]) + entropy(study, of_study)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if loss < 0.1:
            break
    assert loss < 0.1


def test_pools_are_those_of_the_slices_alone() -> None:
    seen, attention = torch.randn(1, 6, 3), torch.randn(1, 6)
    there = torch.tensor([[True, True, True, True, False, False]])
    own = seen[0, :4]
    share = torch.softmax(attention[0, :4], 0)
    expected = torch.cat([(own * share[:, None]).sum(0), own.max(0).values, own.mean(0)])
    torch.testing.assert_close(pool_slices(seen, attention, there)[0], expected)


@every_network
def test_what_is_of_the_whole_series_goes_a_straight_way_to_the_study(name: str) -> None:
    model = build_sequence(name, INPUTS + 2, IMAGES, STUDIES, overall=2).eval()
    assert isinstance(model, LinearSkip)
    lengths = (5, 9)
    whole = torch.tensor([[1.0, 2.0], [-3.0, 0.5]])
    each = [
        torch.cat([torch.randn(length, INPUTS), told.expand(length, 2)], 1)
        for length, told in zip(lengths, whole, strict=True)
    ]
    x, there = padded(each, 12, 7.0)
    with torch.inference_mode():
        plain = model.network(x[..., :INPUTS], there)
        for said, alone in zip(model(x, there), plain, strict=True):
            torch.testing.assert_close(said, alone)  # before anything is learned
        model.line.weight.copy_(torch.randn(STUDIES, 2))
        image, study = model(x, there)
        torch.testing.assert_close(image, plain[0])
        torch.testing.assert_close(study - plain[1], SKIP_GAIN * whole @ model.line.weight.T)


def test_an_unknown_network_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="known: gru, transformer, convolutions, plain_gru"):
        build_sequence("lstm", 3, 1, 1)


@pytest.mark.parametrize("name", SEQUENCES)
def test_logits_are_float32_and_near_those_of_float32_where_layers_multiply_in_bfloat16(
    name: str,
) -> None:
    torch.manual_seed(0)
    model = build_sequence(name, 8, 1, 3, overall=2).eval()
    x, valid = torch.randn(2, 5, 8), torch.ones(2, 5, dtype=torch.bool)
    with torch.inference_mode():
        exact = model(x, valid)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rounded = model(x, valid)
    for one, other in zip(rounded, exact, strict=True):
        assert one.dtype == torch.float32
        torch.testing.assert_close(one, other, atol=0.03, rtol=0.03)
        assert not torch.equal(one, other)


def test_attention_gives_a_study_the_weighted_mean_of_its_slices() -> None:
    torch.manual_seed(0)
    network = AttentionPool(6, 3, 3).eval()
    x = torch.randn(2, 5, 6)
    valid = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    image, study = network(x, valid)
    hidden = network.context(network.enter(x), valid)
    logits = network.judge(hidden)
    for e, length in enumerate((5, 3)):
        own = network.attend(network.value(hidden).tanh() * network.gate(hidden).sigmoid())
        share = own[e, :length].softmax(0)
        torch.testing.assert_close(study[e], (share * logits[e, :length]).sum(0))
        expected = logits[e, :length] + (share * length).log()
        torch.testing.assert_close(image[e, :length], expected)
        assert (image[e, length:] == 0).all()
