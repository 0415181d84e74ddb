"""tests/models/test_weights.py: what of a file goes into a model, and what is said of the rest."""

import re
from pathlib import Path

import pytest
import torch

from wetread.models.encoders import build
from wetread.models.weights import adapt_channels, load_weights


def save(content: object, folder: Path) -> Path:
    torch.save(content, folder / "weights.pth")
    return folder / "weights.pth"


@pytest.mark.parametrize("before", [1, 3])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 9])
def test_an_image_equal_in_all_channels_gives_what_it_gave(before: int, channels: int) -> None:
    kernel = torch.rand(8, before, 3, 3, dtype=torch.float64)
    adapted = adapt_channels(kernel, channels)
    assert adapted.shape == (8, channels, 3, 3)
    torch.testing.assert_close(adapted.sum(1), kernel.sum(1))


def test_the_first_layer_takes_another_number_of_channels_and_it_is_said(tmp_path: Path) -> None:
    source, model = build("compact", 3, 6).eval(), build("compact", 1, 6).eval()
    report = load_weights(model, save(source.state_dict(), tmp_path))
    gray = torch.rand(2, 1, 64, 64)
    with torch.inference_mode():
        # Borders differ: what is padded is zero before and after, so they do not.
        torch.testing.assert_close(model(gray), source(gray.expand(-1, 3, -1, -1)))
    assert report.adapted == {"stem.0.weight": "3 input channels made 1"}


@pytest.mark.parametrize("holder", ["model", "state_dict", ""])
def test_prefixes_and_holders_of_training_scripts_are_looked_through(
    holder: str, tmp_path: Path
) -> None:
    source, model = build("compact", 3, 6), build("compact", 3, 6)
    state = {f"module.{key}": value for key, value in source.state_dict().items()}
    report = load_weights(model, save({holder: state, "epoch": 3} if holder else state, tmp_path))
    assert not report.skipped
    assert torch.equal(model.state_dict()["head.weight"], source.state_dict()["head.weight"])


def test_what_does_not_fit_is_named_with_its_reason_and_keeps_its_start(tmp_path: Path) -> None:
    model = build("compact", 3, 6)
    before = model.state_dict()["head.bias"].clone()
    state = build("compact", 3, 2).state_dict() | {"extra.weight": torch.zeros(3)}
    del state["stem.1.weight"]
    report = load_weights(model, save(state, tmp_path))
    assert report.skipped["head.bias"] == "shape (2,), the model's is (6,)"
    assert report.skipped["extra.weight"] == "the model has no layer of this name"
    assert report.skipped["stem.1.weight"] == "not in the file; keeps its start"
    assert torch.equal(model.state_dict()["head.bias"], before)


def test_plain_names_fit_a_network_that_stands_behind_another_layer(tmp_path: Path) -> None:
    model = build("resnet18", 3, 6)
    plain = {key.removeprefix("network."): value for key, value in model.state_dict().items()}
    assert not load_weights(model, save(plain, tmp_path)).skipped


@pytest.mark.parametrize("name", ["compact", "efficientnet_lite0"])
def test_a_network_and_the_unet_over_it_take_each_others_weights(name: str, tmp_path: Path) -> None:
    network, unet = build(name, 1, 2), build(name, 1, 2, masks=1)
    fresh = build(name, 1, 2)
    encoder = {key for key in unet.state_dict() if key.startswith("encoder.")}
    assert set(load_weights(unet, save(network.state_dict(), tmp_path)).loaded) == encoder
    report = load_weights(fresh, save(unet.state_dict(), tmp_path))
    assert len(report.loaded) == len(encoder)
    for key in report.loaded:
        assert torch.equal(fresh.state_dict()[key], network.state_dict()[key])


def test_blocks_numbered_through_fit_those_numbered_in_stacks(tmp_path: Path) -> None:
    model = build("efficientnet_b0", 3, 6)
    state = {
        re.sub(r"_blocks\.\d+\.", "_blocks.", key.removeprefix("network.")): value
        for key, value in build("efficientnet_b0", 3, 6).state_dict().items()
    }
    assert "_blocks.15._project_conv.weight" in state
    assert not load_weights(model, save(state, tmp_path)).skipped


def test_weights_of_another_network_are_refused_with_names_of_both(tmp_path: Path) -> None:
    path = save({"conv9.weight": torch.zeros(2, 2)}, tmp_path)
    with pytest.raises(ValueError, match=r"none of its 1 tensors fits .*conv9.weight.*stem.0"):
        load_weights(build("compact", 3, 6), path)


class Harmful:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("code ran",)


def test_a_file_that_would_run_code_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match=r"not a file of torch\.save|holds code"):
        load_weights(build("compact", 3, 6), save({"a": Harmful()}, tmp_path))
    assert capsys.readouterr().out == ""


def test_a_file_of_another_kind_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "notes.pt").write_text("no weights")
    with pytest.raises(ValueError, match=r"notes.pt: .*should be a state dict"):
        load_weights(build("compact", 3, 6), tmp_path / "notes.pt")
