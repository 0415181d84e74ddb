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

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Map gray (B, C, H, W) to logits (B, F) float64; to mask probabilities (B, M, h, w)
        float32 where the network draws masks, else None; and to how far the logits of image and
        mirror image are from their mean, (B, F) float64, None where the image alone is read."""
        logits, masks = forward_with_masks(self.network, x)
        logits, apart = logits.double(), None
        if self.flip_index is not None:
            flipped, flipped_masks = forward_with_masks(self.network, x.flip(-1))
            mirrored = flipped.double()[:, self.flip_index]
            logits, apart = (logits + mirrored) / 2, (logits - mirrored).abs() / 2
            if masks is not None and flipped_masks is not None:
                masks = (masks + flipped_masks.flip(-1)) / 2
        return logits, None if masks is None else masks.float().sigmoid(), apart
