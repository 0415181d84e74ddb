"""models/features.py: the features of a slice that a network over series is given.

last    the inputs of the network's last linear layer
logits  its logits
drawn   its logits, and the peaks of the masks it draws
"""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from wetread.models.encoders import forward_with_masks, last_linear
from wetread.models.mask_peaks import LEAST, SMALL, THIRDS


class Float32Head(nn.Module):
    """A network before its last layer, and that layer, in float32."""

    def __init__(self, body: nn.Module, head: nn.Linear) -> None:
        super().__init__()
        self.body, self.head = body, head

    def forward(self, x: Tensor) -> Tensor:
        """Map gray (B, C, H, W) to logits (B, F)."""
        features = self.body(x).float()
        with torch.autocast(x.device.type, enabled=False):
            logits: Tensor = self.head(features)
        return logits


class LogitsWithPeaks(nn.Module):
    """The logits of a network that draws, and the peaks of its masks."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """Map gray (B, C, H, W) to (B, F + PEAKS M)."""
        return self.forward_with_maps(x)[0]

    def forward_with_maps(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map gray (B, C, H, W) to (B, F + PEAKS M) and to the masks' logits (B, M, h, w)."""
        logits, masks = forward_with_masks(self.network, x)
        assert masks is not None
        return torch.cat([logits, mask_peaks(masks)], 1), masks


class FeatureExtractors(nn.Module):
    """Several networks over the same images, each of them as they are or mirrored.

    extractors: networks from gray (B, C, H, W) to features (B, D); flipped: of each, whether it is
    given the left-right mirror image.
    """

    def __init__(self, extractors: Sequence[nn.Module], flipped: Sequence[bool]) -> None:
        super().__init__()
        self.extractors, self.flipped = nn.ModuleList(extractors), tuple(flipped)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Map gray (B, C, H, W) to features (B, D) float32, one tensor a network."""
        sides = {side: x.flip(-1) if side else x for side in set(self.flipped)}
        pairs = zip(self.extractors, self.flipped, strict=True)
        return tuple(extractor(sides[side]).float() for extractor, side in pairs)


class DrawingExtractors(FeatureExtractors):
    """Several networks that draw, over the same images: their features, and their mean map."""

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Map gray (B, C, H, W) to features (B, D) float32, one tensor a network, and after them to
        mean probabilities (B, M, h, w) float32 of pixels, mirror images turned back."""
        sides = {side: x.flip(-1) if side else x for side in set(self.flipped)}
        features, total = [], torch.zeros(())
        for extractor, side in zip(self.extractors, self.flipped, strict=True):
            assert isinstance(extractor, LogitsWithPeaks)
            own, masks = extractor.forward_with_maps(sides[side])
            features.append(own.float())
            share = masks.float().sigmoid()
            total = total.to(share) + (share.flip(-1) if side else share)
        return (*features, total / len(features))


def feature_extractor(model: nn.Module, features: str) -> nn.Module:
    """Copy a network so that it gives such features (B, D) of gray (B, C, H, W).

    ValueError where a network that draws nothing is asked for what it drew.
    """
    if features == "drawn":
        if not count_masks(model):
            raise ValueError(
                "series.features = 'drawn': this encoder draws nothing; set decoder = 'unet', "
                "or another kind of features"
            )
        return LogitsWithPeaks(copy.deepcopy(model))
    body, head = split_head(model)
    return Float32Head(body, head) if features == "logits" else body


def logits_of_features(model: nn.Module, features: Tensor, kind: str) -> Tensor:
    """Return the logits (N, F) of a network whose features (N, D), of that kind, are known."""
    head = last_linear(model)
    if kind == "last":
        with torch.inference_mode():
            logits: Tensor = head.cpu()(features.float())
        return logits
    return features[:, : head.out_features]


def count_masks(model: nn.Module) -> int:
    """Return how many masks M a network draws; 0 without any."""
    head = getattr(model, "mask_head", None)
    return head.out_channels if isinstance(head, nn.Conv2d) else 0


def mask_peaks(masks: Tensor) -> Tensor:
    """Describe mask logits (B, M, h, w) by (B, PEAKS M): of each third of the picture's columns the
    highest pixel, the mean of the SMALL highest, and the logarithm of the area."""
    numbers = []
    for third in masks.float().tensor_split(THIRDS, dim=3):
        pixels = third.flatten(2)
        highest = pixels.topk(min(SMALL, pixels.shape[2]), dim=2).values
        area = (pixels.sigmoid().sum(2) + LEAST).log()
        numbers += [highest[..., 0], highest.mean(2), area]
    return torch.cat(numbers, 1)


def split_head(model: nn.Module) -> tuple[nn.Module, nn.Linear]:
    """Copy a model without its last linear layer, and return that layer, too.

    The copy maps gray (B, C, H, W) to features (B, D), the layer these to logits (B, F): one after
    the other they are the model.
    """
    body = copy.deepcopy(model)
    head = last_linear(body)
    name = next(name for name, module in body.named_modules() if module is head)
    body.set_submodule(name, nn.Identity())
    return body, head
