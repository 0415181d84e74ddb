"""models/unet.py: a U-Net over an encoder's maps, with a head for the masks and one for the image.

The decoder is narrow: on a CPU the finest maps cost the most, and images a second decide.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from wetread.models.compact import convolution

MULTIPLE = 32  # of rows and columns: the stride of the deepest maps
WIDTHS = {1: 16, 2: 16, 4: 24, 8: 32, 16: 48}  # of the decoder, by stride
MASK_BIAS = -4.0  # few pixels are positive: from even odds the first steps go into learning that
HIGHEST = 0.005  # the share of an image's pixels that speaks for the whole
FEWEST = 20  # pixels of them at least, so that one of noise does not


class UpBlock(nn.Module):
    """One level up: the coarse map doubled and concatenated with the encoder's, one convolution."""

    def __init__(self, coarse: int, fine: int, outputs: int) -> None:
        super().__init__()
        self.mix = convolution(coarse + fine, outputs, 1)

    def forward(self, x: Tensor, fine: Tensor) -> Tensor:
        """Map x (B, coarse, H, W) and fine (B, fine, 2H, 2W) to (B, outputs, 2H, 2W)."""
        x = nn.functional.interpolate(x, scale_factor=2.0, mode="nearest")
        return torch.relu(self.mix(torch.cat([x, fine], 1)))


class Unet(nn.Module):
    """Masks from an encoder's maps, and logits for the image from its deepest and the masks."""

    def __init__(
        self,
        encoder: nn.Module,
        maps: Callable[[nn.Module, Tensor], list[Tensor]],
        *,
        channels: int,
        outputs: int,
        masks: int,
        mask_stride: int,
        mask_pixels: int = 0,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.maps, self.mask_pixels = maps, mask_pixels
        widths, strides = _measure(encoder, maps, channels)
        if mask_stride not in strides[:-1]:
            raise ValueError(
                f"mask_stride {mask_stride}: this encoder has maps at strides "
                f"{', '.join(map(str, strides[:-1]))}"
            )
        self.steps = nn.ModuleList()
        coarse = widths[-1]
        for fine, stride in reversed(list(zip(widths[:-1], strides[:-1], strict=True))):
            if stride >= mask_stride:
                self.steps.append(UpBlock(coarse, fine, WIDTHS[stride]))
                coarse = WIDTHS[stride]
        self.mask_head = nn.Conv2d(coarse, masks, 1)
        nn.init.constant_(self.mask_head.bias, MASK_BIAS)  # type: ignore[arg-type]
        self.image_norm = nn.LayerNorm(2 * widths[-1] + masks)
        self.image_head = nn.Linear(2 * widths[-1] + masks, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map gray (B, C, H, W) in [0, 1] to logits (B, F), float32."""
        return self.forward_with_masks(x)[0]

    def forward_with_masks(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map gray (B, C, H, W) in [0, 1] to logits (B, F) and (B, M, H/stride, W/stride), float32.

        H and W are multiples of 32; others: ValueError.
        """
        if x.shape[-1] % MULTIPLE or x.shape[-2] % MULTIPLE:
            raise ValueError(
                f"a U-Net takes rows and columns in multiples of {MULTIPLE}, not "
                f"{x.shape[-2]} x {x.shape[-1]}; choose another size for the view"
            )
        maps = self.maps(self.encoder, x)
        deepest = x = maps.pop()
        for step in self.steps:
            x = step(x, maps.pop())
        # Under autocast the last layers would round logits to 8 bits: ties between images.
        with torch.autocast(x.device.type, enabled=False):
            masks: Tensor = self.mask_head(x.float())
            deepest = deepest.float()
            features = [
                deepest.mean((2, 3)),
                deepest.amax((2, 3)),
                mean_of_highest(masks, self.mask_pixels),
            ]
            logits: Tensor = self.image_head(self.image_norm(torch.cat(features, 1)))
        return logits, masks


def mean_of_highest(masks: Tensor, count: int = 0) -> Tensor:
    """Average the `count` highest pixels of each mask (B, M, h, w): (B, M); 0: HIGHEST of all."""
    pixels = masks.flatten(2)
    size = int(pixels.shape[2])
    count = min(count or max(FEWEST, round(HIGHEST * size)), size)
    return pixels.topk(count, dim=2, sorted=False).values.mean(2)


def _measure(
    encoder: nn.Module, maps: Callable[[nn.Module, Tensor], list[Tensor]], channels: int
) -> tuple[Sequence[int], Sequence[int]]:
    """Measure channels and strides of the encoder's maps on one small black image."""
    training = encoder.training
    with torch.no_grad():
        found = maps(encoder.eval(), torch.zeros(1, channels, 2 * MULTIPLE, 2 * MULTIPLE))
    encoder.train(training)
    return [x.shape[1] for x in found], [2 * MULTIPLE // x.shape[3] for x in found]
