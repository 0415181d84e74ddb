"""models/encoders.py: the table of networks. To add one, write its builder, its maps and a row;
its name goes into names.py, too."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from wetread.models.compact import SLIM_WIDTHS, build_compact, compact_maps
from wetread.models.lite import BLACK, WHITE, lite0, lite0_weights
from wetread.models.names import check_encoder
from wetread.models.plain_cnn import (
    build_seven_convolutions,
    build_three_convolutions,
    plain_cnn_maps,
)
from wetread.models.unet import Unet

Untyped = Any  # a network whose layers are MONAI's, by their names
EncoderBuilder = Callable[[int, int], nn.Module]
FeatureMaps = Callable[[nn.Module, Tensor], list[Tensor]]


@dataclass(frozen=True)
class Encoder:
    """A row of the table.

    build:      channels, outputs -> network from gray (B, channels, H, W) to logits (B, outputs).
    maps:       network, gray -> its maps, finest first, each half the one before in rows and
                columns; the first is a half or the whole of the gray's.
    head:       names of the modules that follow the last map; a U-Net has its own instead.
    pretrained: where its ImageNet weights lie, if an extra brings some.
    """

    build: EncoderBuilder
    maps: FeatureMaps
    head: tuple[str, ...]
    pretrained: Callable[[], Path] | None = None


class ScaledInput(nn.Module):
    """A network that wants black and white at values of its own, behind one that takes [0, 1]."""

    def __init__(self, network: nn.Module, black: float = -1.0, white: float = 1.0) -> None:
        super().__init__()
        self.network: Untyped = network
        self.black, self.white = black, white

    def forward(self, x: Tensor) -> Tensor:
        """Map gray (B, C, H, W) in [0, 1] to logits (B, F), float32."""
        logits: Tensor = self.network(self.scale(x))
        return logits.float()

    def scale(self, x: Tensor) -> Tensor:
        """Scale x (B, C, H, W) from [0, 1] to [black, white]."""
        return x * (self.white - self.black) + self.black


def build_efficientnet_b0(channels: int, outputs: int) -> nn.Module:
    """Build MONAI's EfficientNet-B0 with random weights: 4.0 million parameters."""
    from monai.networks.nets.efficientnet import EfficientNetBN

    network = EfficientNetBN(
        "efficientnet-b0",
        pretrained=False,
        spatial_dims=2,
        in_channels=channels,
        num_classes=outputs,
    )
    return ScaledInput(adapt_to_few_images(network))


def build_efficientnet_lite0(channels: int, outputs: int) -> nn.Module:
    """Build EfficientNet-Lite0 with random weights: 3.4 million parameters."""
    return ScaledInput(adapt_to_few_images(lite0(channels, outputs)), BLACK, WHITE)


def adapt_to_few_images(network: nn.Module) -> nn.Module:
    """Adapt MONAI's EfficientNet to few images: a last layer whose first logits are near 0 (MONAI's
    grow with fewer outputs: 5 for one), and statistics that follow in tens of steps."""
    network._fc.reset_parameters()  # type: ignore[union-attr,operator]
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.1
    return network


def efficientnet_maps(model: Untyped, x: Tensor) -> list[Tensor]:
    """Map x (B, C, H, W) to maps of strides 2, 4, 8, 16 and 32, the last before the logits."""
    net = model.network
    x = net._swish(net._bn0(net._conv_stem(net._conv_stem_padding(model.scale(x)))))
    maps: list[Tensor] = []
    for stack in net._blocks:
        after = stack(x)
        if after.shape[-1] < x.shape[-1]:
            maps.append(x)
        x = after
    return [*maps, net._swish(net._bn1(net._conv_head(net._conv_head_padding(x))))]


def build_densenet121(channels: int, outputs: int) -> nn.Module:
    """Build MONAI's DenseNet-121 with random weights: 7.0 million parameters."""
    from monai.networks.nets.densenet import DenseNet121

    return ScaledInput(DenseNet121(spatial_dims=2, in_channels=channels, out_channels=outputs))


def densenet_maps(model: Untyped, x: Tensor) -> list[Tensor]:
    """Map x (B, C, H, W) to maps of strides 2 to 32: the one before each pooling, and the last."""
    x = model.scale(x)
    maps: list[Tensor] = []
    for name, layer in model.network.features.named_children():
        if name == "pool0" or name.startswith("transition"):
            maps.append(x)
        x = layer(x)
    return [*maps, torch.relu(x)]


def build_resnet18(channels: int, outputs: int) -> nn.Module:
    """Build MONAI's ResNet-18 with random weights: 11.2 million parameters."""
    from monai.networks.nets.resnet import resnet18

    return ScaledInput(
        resnet18(pretrained=False, spatial_dims=2, n_input_channels=channels, num_classes=outputs)
    )


def resnet_maps(model: Untyped, x: Tensor) -> list[Tensor]:
    """Map x (B, C, H, W) to maps of strides 1 to 16: the first convolution keeps the size."""
    net = model.network
    maps: list[Tensor] = [net.act(net.bn1(net.conv1(model.scale(x))))]
    x = net.maxpool(maps[0])
    for layer in (net.layer1, net.layer2, net.layer3, net.layer4):
        x = layer(x)
        maps.append(x)
    return maps


def build_slim(channels: int, outputs: int) -> nn.Module:
    """Build the compact net with narrow fine maps and one more level: 0.27 million parameters."""
    return build_compact(channels, outputs, SLIM_WIDTHS)


PLAIN_HEAD = ("flatten", "hidden", "head")

ENCODERS: dict[str, Encoder] = {
    "compact": Encoder(build_compact, compact_maps, ("norm", "head")),
    "slim": Encoder(build_slim, compact_maps, ("norm", "head")),
    "efficientnet_b0": Encoder(
        build_efficientnet_b0, efficientnet_maps, ("network._dropout", "network._fc")
    ),
    "efficientnet_lite0": Encoder(
        build_efficientnet_lite0,
        efficientnet_maps,
        ("network._dropout", "network._fc"),
        lite0_weights,
    ),
    "densenet121": Encoder(build_densenet121, densenet_maps, ("network.class_layers",)),
    "resnet18": Encoder(build_resnet18, resnet_maps, ("network.fc",)),
    "three_convolutions": Encoder(build_three_convolutions, plain_cnn_maps, PLAIN_HEAD),
    "seven_convolutions": Encoder(build_seven_convolutions, plain_cnn_maps, PLAIN_HEAD),
}


def build(
    name: str,
    channels: int,
    outputs: int,
    masks: int = 0,
    mask_stride: int = 4,
    mask_pixels: int = 0,
) -> nn.Module:
    """Build the network of that name: (B, channels, H, W) in [0, 1] to logits (B, outputs),
    float32.

    With masks it is a U-Net over that network, whose forward_with_masks gives masks at mask_stride,
    too; the mask_pixels highest of each speak for the image (0: as models/unet.py has it). H and W
    are then multiples of 32.
    """
    row = find_encoder(name)
    network = row.build(channels, outputs)
    if masks == 0:
        return network
    for part in row.head:
        network.set_submodule(part, nn.Identity())
    layers: Iterable[Untyped] = network.modules()
    for layer in layers:
        if hasattr(layer, "drop_connect_rate"):  # MONAI's B0 leaves out blocks by chance
            layer.drop_connect_rate = 0.0
    return Unet(
        network,
        row.maps,
        channels=channels,
        outputs=outputs,
        masks=masks,
        mask_stride=mask_stride,
        mask_pixels=mask_pixels,
    )


def find_encoder(name: str) -> Encoder:
    """Return the row of that name; ValueError lists the known ones."""
    check_encoder(name)
    return ENCODERS[name]


def pretrained_weights(name: str) -> Path:
    """Return the file of ImageNet weights of that encoder; ValueError where there is none."""
    find = find_encoder(name).pretrained
    if find is None:
        known = ", ".join(key for key, row in ENCODERS.items() if row.pretrained is not None)
        raise ValueError(
            f"no pretrained weights for encoder {name!r}; there are for {known}; or set "
            "pretrained=false"
        )
    return find()


def forward_with_masks(model: nn.Module, x: Tensor) -> tuple[Tensor, Tensor | None]:
    """Map gray x (B, C, H, W) to image logits (B, F), and to mask logits (B, M, H/stride, W/stride)
    where the network has masks, else None; float32."""
    if isinstance(model, Unet):
        return model.forward_with_masks(x)
    logits: Tensor = model(x)
    return logits, None


def encoder_parameters(model: nn.Module, name: str) -> list[nn.Parameter]:
    """List the parameters of the encoder of that name in a network: all but those of its head, or
    of the U-Net over it."""
    if isinstance(model, Unet):
        return list(model.encoder.parameters())
    head = tuple(f"{part}." for part in find_encoder(name).head)
    return [p for key, p in model.named_parameters() if not key.startswith(head)]


def last_linear(model: nn.Module) -> nn.Linear:
    """Return the last linear layer, whose bias is the logits of an image without content."""
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
    if not layers:
        raise ValueError(f"{type(model).__name__} has no linear layer to give the logits")
    return layers[-1]
