"""tests/models/test_weight_formats.py: weights that other programs wrote, read by layer's name."""

import sys
import warnings
from pathlib import Path

import pytest
import torch
from torch import nn

from wetread.archive.files.damaged import DamagedFileError
from wetread.models.encoders import build
from wetread.models.weight_formats import read_tensors
from wetread.models.weights import load_weights


@pytest.fixture
def network() -> nn.Module:
    return build("compact", 3, 6).eval()


def torchscript(network: nn.Module, path: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(network, torch.zeros(1, 3, 64, 64)).save(path)
    return path


def onnx_file(network: nn.Module, path: Path) -> Path:
    """Its initializers as an exporter writes them, under the names of the layers."""
    onnx = pytest.importorskip("onnx")
    tensors = [
        onnx.numpy_helper.from_array(tensor.numpy(), name)
        for name, tensor in network.state_dict().items()
    ]
    graph = onnx.helper.make_graph([], "network", [], [], initializer=tensors)
    onnx.save(onnx.helper.make_model(graph), path)
    return path


@pytest.mark.parametrize(("write", "name"), [(torchscript, "net.pt"), (onnx_file, "net.onnx")])
def test_a_network_starts_from_what_another_program_wrote(
    write: object, name: str, network: nn.Module, tmp_path: Path
) -> None:
    assert callable(write)
    model = build("compact", 3, 6).eval()
    report = load_weights(model, write(network, tmp_path / name))
    assert not report.skipped
    image = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(model(image), network(image), rtol=0, atol=0)


@pytest.mark.parametrize("name", ["cut.onnx", "cut.pt"])
def test_a_cut_file_is_named_with_what_it_should_be(
    name: str, network: nn.Module, tmp_path: Path
) -> None:
    write = onnx_file if name.endswith("onnx") else torchscript
    whole = write(network, tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DamagedFileError, match=name):
        read_tensors(tmp_path / name)


def test_weights_that_are_no_numbers_are_refused_in_any_format(
    network: nn.Module, tmp_path: Path
) -> None:
    with torch.no_grad():
        next(network.parameters()).fill_(float("nan"))
    with pytest.raises(DamagedFileError, match="no numbers"):
        read_tensors(onnx_file(network, tmp_path / "nan.onnx"))


def test_a_missing_file_raises_file_not_found(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_tensors(tmp_path / "absent.onnx")


def test_without_the_package_onnx_the_error_has_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "net.onnx").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ValueError, match=r"wetread\[onnx\]"):
        read_tensors(tmp_path / "net.onnx")
