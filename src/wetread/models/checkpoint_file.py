"""models/checkpoint_file.py: the one door to files of torch.save: nothing in them is executed."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from wetread.archive.files.damaged import DamagedFileError

_MOST_PICKLE = 64 << 20  # bytes of names and shapes, without the tensors


def load_checkpoint(path: Path, wanted: str) -> Any:
    """Read a checkpoint of torch.save, tensors on the CPU; tensors and plain values alone are read.

    wanted: what the file should be, for the message. FileNotFoundError where there is none;
    DamagedFileError where it is cut, no such file, holds code, unpacks to more than it is, or a
    tensor in it is laid over itself.
    """
    with path.open("rb") as file:
        head = file.read(4)
    if not head:
        raise DamagedFileError(path, wanted, "empty, 0 bytes")
    if head == b"PK\x03\x04":
        _check_zip(path, wanted)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except RecursionError:
        raise DamagedFileError(path, wanted, "nested too deep") from None
    except Exception as error:  # half a dozen kinds; their texts advise to execute what it holds
        code = "Unsupported" in str(error) or "WeightsUnpickler" in str(error)
        found = "cut or damaged" if head == b"PK\x03\x04" else "not a file of torch.save"
        found = "it holds code or objects, which are not read" if code else found
        raise DamagedFileError(path, wanted, found) from error
    for name, tensor in tensors_in(content):
        if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
            raise DamagedFileError(path, wanted, f"its {name!r} says it is larger than it is")
    return content


def require_finite(path: Path, wanted: str, content: object) -> None:
    """Raise DamagedFileError where a tensor of the content holds NaN or infinity."""
    for name, tensor in tensors_in(content):
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise DamagedFileError(path, wanted, f"its {name!r} holds values that are no numbers")


def tensors_in(content: object, name: str = "") -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors of any shape in mappings and lists, each with the path to it."""
    pending = [(name, content)]
    while pending:
        where, value = pending.pop()
        if isinstance(value, Tensor):
            yield where, value
        elif isinstance(value, Mapping):
            pending += [(f"{where}.{key}".lstrip("."), item) for key, item in value.items()]
        elif isinstance(value, list | tuple):
            pending += [(f"{where}.{place}".lstrip("."), item) for place, item in enumerate(value)]


def _check_zip(path: Path, wanted: str) -> None:
    """Refuse a checkpoint whose zip members are compressed, which torch.save never writes."""
    try:
        with zipfile.ZipFile(path) as packed:
            members = packed.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise DamagedFileError(path, wanted, "cut, its end is missing") from error
    size = path.stat().st_size
    if sum(member.file_size for member in members) > size:
        raise DamagedFileError(path, wanted, f"says that it unpacks to more than its {size} bytes")
    if any(
        member.file_size > _MOST_PICKLE for member in members if member.filename.endswith(".pkl")
    ):
        raise DamagedFileError(path, wanted, "holds gigabytes of names")
