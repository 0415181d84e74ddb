"""wetread: from a raw DICOM archive to findings. The verbs, each loaded when first used."""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

try:
    __version__ = version("wetread")
except PackageNotFoundError:  # run from a source tree that is not installed
    __version__ = "0+unknown"

_VERBS = {
    "demo": "demo",
    "doctor": "doctor",
    "evaluate": "evaluate",
    "export": "export",
    "index": "index",
    "montage": "montage.montage",
    "pack": "pack",
    "phantom": "phantom",
    "predict": "predict.predict",
    "score": "score",
    "scroll": "scroll.scroll",
    "segment": "segment.segment",
    "show": "show",
    "train": "train.train",
    "windows": "windows",
}

__all__ = ["__version__", *_VERBS]


def __getattr__(name: str) -> Any:
    if name not in _VERBS:
        raise AttributeError(f"wetread has no verb {name!r}; there are: {', '.join(_VERBS)}")
    return getattr(import_module(f"wetread.verbs.{_VERBS[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
