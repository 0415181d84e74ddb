"""models/weight_formats.py: a file of weights in, whatever wrote it; its tensors by name out."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from wetread.archive.files.damaged import DamagedFileError
from wetread.models.checkpoint_file import load_checkpoint, require_finite

WANTED = "a state dict as torch.save writes it, a TorchScript or an ONNX file"
HOLDERS = ("model", "state_dict")  # names under which training scripts put a state dict
Tensors = Mapping[str, Tensor]


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read the tensors, any shape, by the names of their layers.

    Of a file of torch.save nothing is executed, of ONNX neither; the code of a TorchScript file is
    compiled and may run as it is loaded: take one from whom you trust. FileNotFoundError where
    there is none, DamagedFileError where it cannot be read or holds no numbers, ValueError for
    an ONNX file without the extra `onnx`.
    """
    with path.open("rb"):
        pass  # absent or not to be read: said before any format is tried
    read = next(read for holds, read in FORMATS if holds(path))
    tensors = read(path)
    require_finite(path, WANTED, tensors)
    return {key.removeprefix("module."): value for key, value in tensors.items()}


def _is_onnx(path: Path) -> bool:
    return path.suffix.lower() == ".onnx"


def _read_onnx(path: Path) -> Tensors:
    """Read the initializers, which bear the names of the layers they were exported from, unless a
    normalization was folded into them."""
    try:
        import onnx
        from onnx import numpy_helper
    except ImportError as error:
        raise ValueError(
            f"{path}: reading it needs the package onnx: pip install 'wetread[onnx]', from a "
            "checkout pip install -e '.[onnx]'"
        ) from error
    try:
        graph = onnx.load(path).graph
        arrays = {one.name: numpy_helper.to_array(one).copy() for one in graph.initializer}
        return {name: torch.from_numpy(array) for name, array in arrays.items()}
    except Exception as error:  # protobuf's, onnx's and torch's own kinds
        raise DamagedFileError(path, WANTED, "cut, or not ONNX") from error


def _is_torchscript(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def _read_torchscript(path: Path) -> Tensors:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the format, which files still have
        try:
            return torch.jit.load(path, map_location="cpu").state_dict()  # type: ignore[no-untyped-call,no-any-return]
        except RuntimeError as error:
            raise DamagedFileError(path, WANTED, "cut, or code that does not compile") from error


def _read_state_dict(path: Path) -> Tensors:
    content = load_checkpoint(path, WANTED)
    for holder in HOLDERS:
        if isinstance(content, Mapping) and isinstance(content.get(holder), Mapping):
            content = content[holder]
    if not isinstance(content, Mapping):
        raise DamagedFileError(path, WANTED, f"it holds a {type(content).__name__}")
    return {str(key): value for key, value in content.items() if isinstance(value, Tensor)}


# What tells a format, and what reads it; the first that holds is taken.
FORMATS: tuple[tuple[Callable[[Path], bool], Callable[[Path], Tensors]], ...] = (
    (_is_onnx, _read_onnx),
    (_is_torchscript, _read_torchscript),
    (lambda path: True, _read_state_dict),
)
