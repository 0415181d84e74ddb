"""verbs/doctor.py: what this installation can do: versions, devices, decoders."""

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from wetread.archive.pixels import DECODERS
from wetread.verbs.progress import all_cores

PACKAGES = (
    "wetread", "torch", "monai", "numpy", "polars", "pydicom", "blosc2", "scikit-learn",
    "opencv-python-headless", "imagecodecs", "pyjpegls", "pylibjpeg-openjpeg", "pylibjpeg-rle",
)  # fmt: skip


def doctor() -> dict[str, Any]:
    """Versions of what matters, the devices torch sees, and each transfer syntax with its decoder."""
    from wetread.training.device import describe_devices

    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": all_cores(),
        "packages": {name: _version(name) for name in PACKAGES},
        "devices": describe_devices(),
        "transfer_syntaxes": [decoder.as_dict() for decoder in DECODERS.values()],
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
