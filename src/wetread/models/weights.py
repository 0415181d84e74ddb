"""models/weights.py: weights from a file into a model, and a report of what went where."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from wetread.models.weight_formats import read_tensors


@dataclass(frozen=True)
class WeightReport:
    """Outcome for every key of the file and of the model.

    loaded:  keys of the model that took a tensor of the file.
    skipped: key to reason; the file's that found no place, the model's that kept their start.
    adapted: key to what was done: the first layer, made to fit another number of channels.
    """

    loaded: tuple[str, ...]
    skipped: dict[str, str]
    adapted: dict[str, str]


def load_weights(model: nn.Module, path: Path) -> WeightReport:
    """Fill model in place with the weights at path, as far as names and shapes fit.

    path: a state dict of torch.save, alone or under "model" or "state_dict"; a TorchScript file; an
    ONNX file, with the extra `onnx`. "module." before names goes. A network's weights fit a U-Net
    over it, and a U-Net's the network.
    """
    found = read_tensors(path)
    own = model.state_dict()
    names = match_names(found, own)
    first = next((key for key, tensor in own.items() if tensor.ndim == 4), "")
    loaded: dict[str, Tensor] = {}
    skipped: dict[str, str] = {}
    adapted: dict[str, str] = {}
    for source, tensor in found.items():
        key = names[source]
        if key not in own:
            skipped[source] = "the model has no layer of this name"
        elif tensor.shape == own[key].shape:
            loaded[key] = tensor
        elif key == first and same_but_channels(tensor, own[key]):
            loaded[key] = adapt_channels(tensor, own[key].shape[1])
            adapted[key] = f"{tensor.shape[1]} input channels made {own[key].shape[1]}"
        else:
            skipped[key] = f"shape {tuple(tensor.shape)}, the model's is {tuple(own[key].shape)}"
    if not loaded:
        raise ValueError(
            f"{path}: none of its {len(found)} tensors fits {type(model).__name__}; "
            f"first names in the file: {', '.join(list(found)[:3])}; in the model: "
            f"{', '.join(list(own)[:3])}. Choose the encoder that the weights were made for"
        )
    for key in own.keys() - loaded.keys() - skipped.keys():
        skipped[key] = "not in the file; keeps its start"
    model.load_state_dict(loaded, strict=False)
    return WeightReport(tuple(loaded), skipped, adapted)


def match_names(found: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> dict[str, str]:
    """Match each name of the file to the model's: the same, or the one of the same plain name.

    found, own: tensors of any shape by name.
    """
    plain = {plain_name(key): key for key in own}
    return {key: key if key in own else plain.get(plain_name(key), key) for key in found}


def plain_name(key: str) -> str:
    """Return a layer's name without its holders' prefixes, EfficientNet's blocks counted through.

    MONAI numbers those blocks in stacks (_blocks.2.3), the files of others without (_blocks.3).
    """
    key = key.removeprefix("encoder.").removeprefix("network.")
    return re.sub(r"^_blocks\.\d+\.(\d+)\.", r"_blocks.\1.", key)


def same_but_channels(tensor: Tensor, other: Tensor) -> bool:
    """Whether two convolution kernels (out, in, rows, columns) differ in the input alone."""
    return (
        tensor.ndim == 4
        and tensor.shape[0] == other.shape[0]
        and (tensor.shape[2:] == other.shape[2:])
    )


def adapt_channels(kernel: Tensor, channels: int) -> Tensor:
    """Adapt a kernel (out, in, rows, columns) to (out, channels, rows, columns), with equal outputs
    for an image that is equal in all channels.

    More channels: those of the kernel repeat in order, each shared out among its repeats. Fewer:
    all take the mean.
    """
    before = kernel.shape[1]
    if channels < before:
        return kernel.mean(1, keepdim=True).repeat(1, channels, 1, 1) * (before / channels)
    source = torch.arange(channels) % before
    repeats = torch.bincount(source, minlength=before)[source]
    return kernel[:, source] / repeats[:, None, None]
