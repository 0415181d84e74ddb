"""models/flip_average.py: a network whose output is the mean over an image and its mirror image."""

from collections.abc import Sequence

from torch import Tensor, nn

from wetread.models.encoders import forward_with_masks


class FlipAverage(nn.Module):
    """Logits and masks of a network, averaged over an image and its left-right mirror image.

    flip_index: (F,) for each finding the one that it becomes when left and right change places;
                None: the image alone is read.
    """

    def __init__(self, network: nn.Module, flip_index: Sequence[int] | None) -> None:
        super().__init__()
        self.network = network
        self.flip_index = None if flip_index is None else list(flip_index)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Map gray (B, C, H, W) to logits (B, F) float64, and to mask probabilities (B, M, h, w)
        float32 where the network draws masks, else None."""
        logits, masks = forward_with_masks(self.network, x)
        logits = logits.double()
        if self.flip_index is not None:
            flipped, flipped_masks = forward_with_masks(self.network, x.flip(-1))
            logits = (logits + flipped.double()[:, self.flip_index]) / 2
            if masks is not None and flipped_masks is not None:
                masks = (masks + flipped_masks.flip(-1)) / 2
        return logits, None if masks is None else masks.float().sigmoid()
