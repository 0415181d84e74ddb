"""models/sequence.py: features of all slices of a series to image and study logits.

A network here takes features (B, L, D) of series padded to one length and valid (B, L) bool, False
at padding, and gives image logits (B, L, I), 0 at padding, and study logits (B, S). Its logits of a
series depend neither on the others of its batch nor on how far it was padded. To add one, write its
builder and a line in SEQUENCES.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

SequenceBuilder = Callable[[int, int, int], nn.Module]
MOST_ATTENTION = 6.0  # log of how many times more, or less, than the mean a slice may count
SKIP_GAIN = 20.0  # of the skip connection: a step changes it so much more than other weights


class SequenceNet(nn.Module):
    """Slices one by one into `width` numbers, along the series through `context`, then to logits.

    The study is judged by three pools of its slices: attention, maximum and mean.
    """

    def __init__(
        self, enter: nn.Module, context: nn.Module, width: int, images: int, studies: int
    ) -> None:
        super().__init__()
        self.enter, self.context = enter, context
        self.attend = nn.Linear(width, 1)
        self.image = nn.Linear(width, images)
        self.study = nn.Linear(3 * width, studies)

    def forward(self, x: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """Map x (B, L, D), valid (B, L), to image logits (B, L, I) and study logits (B, S),
        float32."""
        hidden = self.context(self.enter(x), valid).float()
        with torch.autocast(x.device.type, enabled=False):
            image = self.image(hidden) * valid[..., None]
            return image, self.study(pool_slices(hidden, self.attend(hidden)[..., 0], valid))


def pool_slices(hidden: Tensor, attention: Tensor, valid: Tensor) -> Tensor:
    """Pool the slices of each series by attention, maximum and mean: (B, L, W) to (B, 3 W).

    hidden (B, L, W); attention (B, L), logits; valid (B, L) bool, at least one slice a series.
    """
    share = attention.masked_fill(~valid, -torch.inf).softmax(1)
    attended = (hidden * share[..., None]).sum(1)
    greatest = hidden.masked_fill(~valid[..., None], -torch.inf).amax(1)
    mean = (hidden * valid[..., None]).sum(1) / valid.sum(1, keepdim=True)
    return torch.cat([attended, greatest, mean], 1)


class BidirectionalGru(nn.Module):
    """A GRU that runs in both directions over the valid slices."""

    def __init__(self, inputs: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.gru = nn.GRU(inputs, hidden, layers, batch_first=True, bidirectional=True)

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """Map x (B, L, inputs), valid (B, L), to (B, L, 2 hidden)."""
        packed = pack_padded_sequence(
            x, valid.sum(1).cpu(), batch_first=True, enforce_sorted=False
        )  # the backward direction starts at each series' own end
        along, _ = self.gru(packed)
        hidden, _ = pad_packed_sequence(along, batch_first=True, total_length=x.shape[1])
        return hidden


class MaskedTransformer(nn.Module):
    """Transformer layers in which no slice attends to padding."""

    def __init__(self, width: int, heads: int, layers: int, dropout: float) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(
            width, heads, 2 * width, dropout, batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(
            layer, layers, norm=nn.LayerNorm(width), enable_nested_tensor=False
        )

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """Map x (B, L, width), valid (B, L), to (B, L, width)."""
        return cast(Tensor, self.layers(x, src_key_padding_mask=~valid))


class DilatedConvolutions(nn.Module):
    """Convolutions along the slices, each a residual block over twice as far as the one before;
    padding is zero for all of them."""

    def __init__(self, width: int, dilations: Sequence[int], dropout: float) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)
            for dilation in dilations
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in dilations)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """Map x (B, L, width), valid (B, L), to (B, L, width)."""
        inside = valid[..., None].to(x)
        for convolve, norm in zip(self.blocks, self.norms, strict=True):
            along = convolve((norm(x) * inside).transpose(1, 2)).transpose(1, 2)
            x = x + self.dropout(along.relu())
        return x * inside


class ContextConcat(nn.Module):
    """The features of a slice, concatenated with those that its series gives it."""

    def __init__(self, context: nn.Module) -> None:
        super().__init__()
        self.context = context

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """Map x (B, L, W), valid (B, L), to (B, L, W + the context's)."""
        return torch.cat([x, self.context(x, valid)], 2)


def _enter(inputs: int, width: int, dropout: float) -> nn.Module:
    return nn.Sequential(
        nn.Linear(inputs, width), nn.LayerNorm(width), nn.ReLU(), nn.Dropout(dropout)
    )


def build_gru(inputs: int, images: int, studies: int) -> nn.Module:
    """Build a bidirectional GRU of 64, concatenated with the slice's own 64 numbers."""
    context = ContextConcat(BidirectionalGru(64, 64, 1))
    return SequenceNet(_enter(inputs, 64, 0.2), context, 192, images, studies)


def build_transformer(inputs: int, images: int, studies: int) -> nn.Module:
    """Build two transformer layers of width 64 with four heads, and the slice's own 64 numbers."""
    context = ContextConcat(MaskedTransformer(64, 4, 2, 0.1))
    return SequenceNet(_enter(inputs, 64, 0.2), context, 128, images, studies)


def build_convolutions(inputs: int, images: int, studies: int) -> nn.Module:
    """Build four dilated convolutions of width 64 (15 slices to either side), and the slice's own
    64 numbers."""
    context = ContextConcat(DilatedConvolutions(64, (1, 2, 4, 8), 0.1))
    return SequenceNet(_enter(inputs, 64, 0.2), context, 128, images, studies)


class PlainGru(nn.Module):
    """The public CNN-GRU baseline of 2020: two GRU layers of 64 in both directions straight over
    the inputs; maximum and mean of the valid slices (the baseline pooled its padding, too)."""

    def __init__(self, inputs: int, images: int, studies: int) -> None:
        super().__init__()
        self.context = BidirectionalGru(inputs, 64, 2)
        self.image, self.study = nn.Linear(128, images), nn.Linear(256, studies)

    def forward(self, x: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """Map x (B, L, D), valid (B, L), to image logits (B, L, I) and study logits (B, S),
        float32."""
        hidden = self.context(x, valid).float()
        with torch.autocast(x.device.type, enabled=False):
            pools = pool_slices(hidden, hidden.new_zeros(valid.shape), valid)[:, 128:]
            return self.image(hidden) * valid[..., None], self.study(pools)


class AttentionPool(nn.Module):
    """Each study finding is the mean of its slices' logits, weighted by gated attention of its own
    (Ilse and others 2018), so that labels of studies alone teach which slices speak for them.

    A slice's own answer is its logit plus the log of its weight times their number: what no
    attention is paid to says little, whatever its logit. Where slices have other findings than
    studies, they have a layer of their own.
    """

    def __init__(self, inputs: int, images: int, studies: int) -> None:
        super().__init__()
        self.enter = _enter(inputs, 64, 0.2)
        self.context = ContextConcat(DilatedConvolutions(64, (1, 2), 0.1))
        self.judge = nn.Linear(128, studies)
        self.value, self.gate = nn.Linear(128, 64), nn.Linear(128, 64)
        self.attend = nn.Linear(64, studies)
        self.image = None if images == studies else nn.Linear(128, images)

    def forward(self, x: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """Map x (B, L, D), valid (B, L), to image logits (B, L, I) and study logits (B, S),
        float32."""
        hidden = self.context(self.enter(x), valid).float()
        with torch.autocast(x.device.type, enabled=False):
            logits = self.judge(hidden)
            attention = self.attend(self.value(hidden).tanh() * self.gate(hidden).sigmoid())
            weight = attention.masked_fill(~valid[..., None], -torch.inf).log_softmax(1)
            study = (weight.exp() * logits).sum(1)
            if self.image is not None:
                return self.image(hidden) * valid[..., None], study
            times = weight + valid.sum(1)[:, None, None].to(weight).log()
            image = logits + times.clamp(-MOST_ATTENTION, MOST_ATTENTION)
            return image * valid[..., None], study


class LinearSkip(nn.Module):
    """A network, and a linear skip connection to the study from the last `overall` inputs, which
    are of the series as a whole and the same at each of its slices. Of a hundred exams a line
    learns in some hundred steps what a deep network does not find."""

    def __init__(self, network: nn.Module, overall: int, studies: int) -> None:
        super().__init__()
        self.network, self.overall = network, overall
        self.line = nn.Linear(overall, studies, bias=False)
        nn.init.zeros_(self.line.weight)

    def forward(self, x: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """Map x (B, L, D), valid (B, L), to image logits (B, L, I) and study logits (B, S)."""
        image, study = self.network(x[..., : -self.overall], valid)
        with torch.autocast(x.device.type, enabled=False):
            return image, study + SKIP_GAIN * self.line(x[:, 0, -self.overall :])


SEQUENCES: dict[str, SequenceBuilder] = {
    "gru": build_gru,
    "transformer": build_transformer,
    "convolutions": build_convolutions,
    "plain_gru": PlainGru,
    "attention": AttentionPool,
}


def build_sequence(
    name: str, inputs: int, images: int, studies: int, overall: int = 0
) -> nn.Module:
    """Build the network of that name for `inputs` features a slice, the last `overall` of which are
    of the series as a whole. ValueError for a name that is not in SEQUENCES."""
    if name not in SEQUENCES:
        raise ValueError(f"no sequence network {name!r}; known: {', '.join(SEQUENCES)}")
    network = SEQUENCES[name](inputs - overall, images, studies)
    return LinearSkip(network, overall, studies) if overall else network
