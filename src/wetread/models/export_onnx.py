"""models/export_onnx.py: networks as ONNX graphs: HU in, windows and mirror image inside.

A graph of slices takes HU (B, S, size, size) float32 of any batch B; one of a series takes inputs
(1, L, D) of any length L. BatchNorm is folded (folded.py); all is float32.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from wetread.models.encoders import forward_with_masks
from wetread.models.features import LogitsWithPeaks, feature_extractor
from wetread.models.folded import fold_batch_norm
from wetread.models.pooled_maps import PooledMaps
from wetread.models.sequence import BidirectionalGru, MaskedTransformer
from wetread.view.device import mix_batch, resize
from wetread.view.view import View

OPSET = 17
TRACED = 2  # images, or slices of a series times 4, of which the graph is traced


class ViewOfHu(nn.Module):
    """HU (B, S, H, W) to the view (B, C, size, size), without the loops that are fast in torch."""

    def __init__(self, view: View) -> None:
        super().__init__()
        self.view = view

    def forward(self, hu: Tensor) -> Tensor:
        """Map HU (B, S, H, W) float32 to gray (B, C, size, size)."""
        return mix_batch(resize(hu, self.view.size), self.view.mode).flatten(1, 2)


class SliceGraph(nn.Module):
    """HU to logits of an image and of its mirror image, and the mean of what is drawn in both.

    flip_index: (F,) for each finding the one that it becomes when left and right change places.
    """

    def __init__(self, network: nn.Module, view: View, flip_index: Sequence[int]) -> None:
        super().__init__()
        self.gray, self.network = ViewOfHu(view), network
        self.flip_index = list(flip_index)

    def forward(self, hu: Tensor) -> tuple[Tensor, ...]:
        """Map HU (B, S, H, W) to logits (B, F) twice, the second in the order of the first; and to
        mask probabilities (B, M, h, w) where the network draws."""
        gray = self.gray(hu)
        logits, masks = forward_with_masks(self.network, gray)
        flipped, flipped_masks = forward_with_masks(self.network, gray.flip(-1))
        both = (logits, flipped[:, self.flip_index])
        if masks is None or flipped_masks is None:
            return both
        return (*both, ((masks + flipped_masks.flip(-1)) / 2).sigmoid())


class EncoderGraph(nn.Module):
    """HU to an encoder's features of an image and of its mirror image, and what each is drawn."""

    def __init__(self, extractor: nn.Module, view: View) -> None:
        super().__init__()
        self.gray, self.extractor = ViewOfHu(view), extractor

    def forward(self, hu: Tensor) -> tuple[Tensor, ...]:
        """Map HU (B, S, H, W) to features (B, D) twice; where masks are drawn, to probabilities
        (B, M, h, w) twice, mirror images turned back."""
        gray = self.gray(hu)
        if not isinstance(self.extractor, LogitsWithPeaks):
            return self.extractor(gray), self.extractor(gray.flip(-1))
        features, masks = self.extractor.forward_with_maps(gray)
        flipped, flipped_masks = self.extractor.forward_with_maps(gray.flip(-1))
        return features, flipped, masks.sigmoid(), flipped_masks.flip(-1).sigmoid()


class PooledGraph(nn.Module):
    """HU to mean and deviation of each of an encoder's maps."""

    def __init__(self, pooled: nn.Module, view: View) -> None:
        super().__init__()
        self.gray, self.pooled = ViewOfHu(view), pooled

    def forward(self, hu: Tensor) -> Tensor:
        """Map HU (B, S, H, W) to (B, D)."""
        (found,) = self.pooled(self.gray(hu))
        return found if isinstance(found, Tensor) else torch.cat(found)


class GridMeans(nn.Module):
    """AdaptiveAvgPool2d as two products, for maps of one size: ONNX has no such pooling."""

    def __init__(self, rows: int, columns: int) -> None:
        super().__init__()
        self.rows, self.columns = rows, columns

    def forward(self, x: Tensor) -> Tensor:
        """Average x (B, C, H, W) to (B, C, rows, columns)."""
        sizes = int(x.shape[2]), int(x.shape[3])
        of_rows, of_columns = (
            functional.adaptive_avg_pool1d(torch.eye(size)[None], parts)[0]
            for size, parts in zip(sizes, (self.rows, self.columns), strict=True)
        )  # (H, rows), (W, columns)
        return of_rows.T @ x @ of_columns


class UnpackedGru(nn.Module):
    """The GRU of models/sequence.py over one series, in which nothing is padded."""

    def __init__(self, gru: nn.GRU) -> None:
        super().__init__()
        self.gru = gru

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """Map x (1, L, inputs) to (1, L, 2 hidden)."""
        along: Tensor = self.gru(x)[0]
        return along


class UnpaddedTransformer(nn.Module):
    """The layers of models/sequence.py's transformer over one series, in operations of any length:
    torch's own attention is traced with the length that it was shown."""

    def __init__(self, layers: nn.TransformerEncoder) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """Map x (1, L, W) to (1, L, W)."""
        for layer in self.layers.layers:
            assert isinstance(layer, nn.TransformerEncoderLayer)
            x = x + _attend(layer.self_attn, layer.norm1(x))
            x = x + layer.linear2(torch.relu(layer.linear1(layer.norm2(x))))
        norm = self.layers.norm
        return x if norm is None else norm(x)


def _attend(attention: nn.MultiheadAttention, x: Tensor) -> Tensor:
    """Let each slice of one series (1, L, W) attend to all of them."""
    assert attention.in_proj_weight is not None
    joined = functional.linear(x, attention.in_proj_weight, attention.in_proj_bias)
    query, key, value = (
        part.reshape(1, -1, attention.num_heads, attention.head_dim).transpose(1, 2)
        for part in joined.chunk(3, -1)
    )  # (1, heads, L, W / heads)
    weight = (query @ key.transpose(2, 3) / attention.head_dim**0.5).softmax(-1)
    found: Tensor = attention.out_proj((weight @ value).transpose(1, 2).flatten(2))
    return found


class SequenceGraph(nn.Module):
    """Inputs of one series to logits of its slices and of its study."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = copy.deepcopy(network).eval()
        for name, module in list(self.network.named_modules()):
            if isinstance(module, BidirectionalGru):
                self.network.set_submodule(name, UnpackedGru(module.gru))
            elif isinstance(module, MaskedTransformer):
                self.network.set_submodule(name, UnpaddedTransformer(module.layers))

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Map inputs (1, L, D) to logits (1, L, I) and (1, S)."""
        valid = torch.ones_like(inputs[..., 0]) > 0
        image, study = self.network(inputs, valid)
        return image, study


def export_slices(
    network: nn.Module, view: View, flip_index: Sequence[int], masks: int, path: Path
) -> None:
    """Export a network of slices that draws `masks`: hu -> logits, mirrored[, masks]."""
    names = ["logits", "mirrored", *(["masks"] if masks else [])]
    _of_slices(SliceGraph(_ready(network), view, flip_index), view, names, path)


def export_encoder(network: nn.Module, view: View, kind: str, path: Path) -> None:
    """Export an encoder that gives features of a kind (features.py): hu -> features, mirrored
    [, maps, mirrored_maps]."""
    names = ["features", "mirrored", *(["maps", "mirrored_maps"] if kind == "drawn" else [])]
    _of_slices(EncoderGraph(_ready(feature_extractor(network, kind)), view), view, names, path)


def export_pooled(network: nn.Module, encoder: str, view: View, path: Path) -> None:
    """Export the pooled maps of an encoder of that name: hu -> pooled."""
    _of_slices(PooledGraph(_ready(PooledMaps(network, encoder)), view), view, ["pooled"], path)


def export_sequence(network: nn.Module, inputs: int, path: Path) -> None:
    """Export a network over series of `inputs` numbers a slice: inputs -> image, study."""
    x = torch.zeros(1, 4 * TRACED, inputs)
    outputs: dict[str, int | None] = {"image": 1, "study": None}
    _export(SequenceGraph(network), x, ("inputs", 1), outputs, path)


def _ready(network: nn.Module) -> nn.Module:
    """Copy a network, BatchNorm folded, every operation one that ONNX has."""
    ready = fold_batch_norm(network)
    for name, module in list(ready.named_modules()):
        if isinstance(module, nn.AdaptiveAvgPool2d) and module.output_size not in (1, (1, 1)):
            size = module.output_size
            rows, columns = size if isinstance(size, tuple) else (size, size)
            ready.set_submodule(name, GridMeans(int(rows or 1), int(columns or 1)))
    return ready


def _of_slices(graph: nn.Module, view: View, names: Sequence[str], path: Path) -> None:
    hu = torch.zeros(TRACED, view.slices, view.size, view.size)
    _export(graph, hu, ("hu", 0), dict.fromkeys(names, 0), path)


def _export(
    graph: nn.Module,
    x: Tensor,
    free: tuple[str, int],
    outputs: Mapping[str, int | None],
    path: Path,
) -> None:
    """Export a graph traced at x; free: the input's name and its axis of any length; outputs: names
    and the axis of each that follows it."""
    name, axis = free
    word = "batch" if axis == 0 else "length"
    axes = {key: {own: word} for key, own in outputs.items() if own is not None}
    # The newer exporter unrolls a GRU to the length it was traced at; torch warns that this one is
    # old, and that shapes are taken as they are, which is right for all but the free axis.
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph.eval(), (x,), path, input_names=[name], output_names=list(outputs),
            dynamic_axes={name: {axis: word}, **axes}, opset_version=OPSET, dynamo=False,
        )  # fmt: skip
