"""models/encoders.py: the table of networks. To add one, write its builder and a row."""

from collections.abc import Callable

from torch import Tensor, nn

from wetread.models.compact import build_compact

Builder = Callable[[int, int], nn.Module]


class Centered(nn.Module):
    """A network that wants its input about zero, behind one that takes [0, 1]."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """Grey (B, C, H, W) in [0, 1] to logits (B, F), float32."""
        logits: Tensor = self.network(x * 2 - 1)
        return logits.float()


def build_efficientnet_b0(channels: int, outputs: int) -> nn.Module:
    """MONAI's EfficientNet-B0 with random weights: 4.0 million parameters."""
    from monai.networks.nets.efficientnet import EfficientNetBN

    return Centered(
        EfficientNetBN(
            "efficientnet-b0",
            pretrained=False,
            spatial_dims=2,
            in_channels=channels,
            num_classes=outputs,
        )
    )


def build_densenet121(channels: int, outputs: int) -> nn.Module:
    """MONAI's DenseNet-121 with random weights: 7.0 million parameters."""
    from monai.networks.nets.densenet import DenseNet121

    return Centered(DenseNet121(spatial_dims=2, in_channels=channels, out_channels=outputs))


def build_resnet18(channels: int, outputs: int) -> nn.Module:
    """MONAI's ResNet-18 with random weights: 11.2 million parameters."""
    from monai.networks.nets.resnet import resnet18

    return Centered(
        resnet18(pretrained=False, spatial_dims=2, n_input_channels=channels, num_classes=outputs)
    )


ENCODERS: dict[str, Builder] = {
    "compact": build_compact,
    "efficientnet_b0": build_efficientnet_b0,
    "densenet121": build_densenet121,
    "resnet18": build_resnet18,
}


def build(name: str, channels: int, outputs: int) -> nn.Module:
    """The network of that name: (B, channels, H, W) in [0, 1] to logits (B, outputs)."""
    if name not in ENCODERS:
        raise ValueError(f"no encoder {name!r}; known: {', '.join(ENCODERS)}")
    return ENCODERS[name](channels, outputs)


def last_linear(model: nn.Module) -> nn.Linear:
    """The layer whose bias is the logits of an image without content: the last linear one."""
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
    if not layers:
        raise ValueError(f"{type(model).__name__} has no linear layer to give the logits")
    return layers[-1]
