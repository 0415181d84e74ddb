"""verbs/doctor.py: versions, devices and decoders of this installation, tried out."""

from __future__ import annotations

import os
import platform
import re
import shutil
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import TypedDict

import numpy as np
from pydicom.uid import UID

from wetread.archive.executor.workers import available_cores
from wetread.archive.pixels.decoders import DECODERS, NATIVE_SYNTAXES
from wetread.archive.types import UInt8Array
from wetread.outputs.optional import missing_learn

PACKAGES = (
    "wetread", "torch", "monai", "numpy", "polars", "pydicom", "blosc2", "scikit-learn",
    "opencv-python-headless", "imagecodecs", "pyjpegls", "pylibjpeg-openjpeg", "pylibjpeg-rle",
)  # fmt: skip
EXTRAS = {  # what each is for; what belongs to it stands in the package's own metadata
    "learn": "torch and what learns: train, evaluate, predict, runs and their like",
    "pictures": "NIfTI, TIFF, movies and surfaces: export, segment",
    "pretrained": "ImageNet weights: train --pretrained, and recipes that start from them",
    "onnx": "bundles: bundle, predict --bundle; weights out of ONNX files: train --weights",
    "dicom": "readings as DICOM objects: predict --dicom",
    "tensorboard": "runs in TensorBoard: runs mirror --tensorboard",
    "mlflow": "runs in MLflow: runs mirror --mlflow; in an environment of its own",
    "cluster": "many machines over Dask: --cluster",
    "docs": "the documentation site: make docs",
    "dev": "tests and checks of wetread itself",
}
_NEW_NAMES = {  # younger than pydicom's dictionary
    "1.2.840.10008.1.2.8.1": "Deflated Image Frame Compression",
    "1.2.840.10008.1.2.4.110": "JPEG XL Lossless",
    "1.2.840.10008.1.2.4.111": "JPEG XL JPEG Recompression",
    "1.2.840.10008.1.2.4.112": "JPEG XL",
}
LOSSY_TOLERANCE = 12  # levels of 255: what a lossy codec may do to the ramp

Encode = Callable[[UInt8Array], bytes]


class SyntaxResult(TypedDict):
    """A transfer syntax that was tried; reason: why it does not work, else None."""

    uid: str
    name: str
    works: bool
    reason: str | None


# An extra of the package: what it is for, its packages, and those that are missing.
Extra = TypedDict("Extra", {"for": str, "packages": list[str], "missing": list[str]})


@dataclass(frozen=True)
class Installation:
    """This machine and the installed packages.

    memory:   bytes, total and available; empty where the system does not say.
    disk:     folder to free bytes.
    packages: name to version; None: not installed.
    extras:   the package's extras by name.
    """

    python: str
    platform: str
    cores: int
    memory: dict[str, int]
    disk: dict[str, int]
    packages: dict[str, str | None]
    extras: dict[str, Extra]
    devices: list[str]
    transfer_syntaxes: list[SyntaxResult]

    def to_dict(self) -> dict[str, object]:
        """Return the values as plain ones, for JSON."""
        return asdict(self)


def doctor() -> Installation:
    """Report versions, extras, memory, disk and devices, and try each transfer syntax."""
    return Installation(
        python=platform.python_version(),
        platform=platform.platform(terse=True),
        cores=available_cores(),
        memory=memory(),
        disk={str(folder): shutil.disk_usage(folder).free for folder in _folders()},
        packages={name: _version(name) for name in PACKAGES},
        extras={name: check_extra(name) for name in EXTRAS},
        devices=_devices(),
        transfer_syntaxes=[try_syntax(uid) for uid in sorted(NATIVE_SYNTAXES | DECODERS.keys())],
    )


def _devices() -> list[str]:
    """Return the devices that torch sees; none where it is not installed."""
    try:
        from wetread.training.device import describe_devices
    except ImportError as error:
        if missing_learn(error) is None:
            raise
        return []
    return describe_devices()


def memory() -> dict[str, int]:
    """Return the bytes of memory, total and available; empty where the system does not say."""
    try:
        page = os.sysconf("SC_PAGE_SIZE")
        return {
            "total": page * os.sysconf("SC_PHYS_PAGES"),
            "available": _available() or page * os.sysconf("SC_AVPHYS_PAGES"),
        }
    except (AttributeError, OSError, ValueError):
        return {}


def _available() -> int | None:
    """Return the bytes that can be had without swapping; None but on Linux, which alone says it."""
    try:
        result = re.search(r"^MemAvailable: +(\d+) kB", Path("/proc/meminfo").read_text(), re.M)
    except OSError:
        return None
    return int(result[1]) * 1024 if result else None


def _folders() -> list[Path]:
    """Return the folder where results go by default, and the folder of temporary files."""
    return list(dict.fromkeys((Path.cwd(), Path(tempfile.gettempdir()))))


def check_extra(name: str) -> Extra:
    """Return what an extra is for, and which of its packages are missing."""
    parts = [
        part
        for need in requires("wetread") or ()
        if re.search(rf"extra == ['\"]{name}['\"]", need)
        and (part := re.split(r"[^A-Za-z0-9._-]", need, maxsplit=1)[0]) != "wetread"
    ]
    missing = [part for part in parts if _version(part) is None]
    return {"for": EXTRAS[name], "packages": parts, "missing": missing}


def try_syntax(uid: str) -> SyntaxResult:
    """Encode a ramp, decode it as an archive's frame would be, compare."""
    name = _NEW_NAMES.get(uid, UID(uid).name)
    if uid in NATIVE_SYNTAXES:
        return SyntaxResult(uid=uid, name=name, works=True, reason=None)
    ramp = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (64, 1))
    form = {"Rows": 64, "Columns": 64, "BitsAllocated": 8, "SamplesPerPixel": 1}
    try:
        back = DECODERS[uid](_encoders()[uid](ramp), form)
    except Exception as error:  # whatever a codec fails with is reported
        reason = f"{type(error).__name__}: {error}"
        return SyntaxResult(uid=uid, name=name, works=False, reason=reason)
    worst = int(np.abs(back.astype(int).reshape(ramp.shape) - ramp).max())
    works = worst <= LOSSY_TOLERANCE
    error_text = None if works else f"off by {worst} levels"
    return SyntaxResult(uid=uid, name=name, works=works, reason=error_text)


def _encoders() -> dict[str, Encode]:
    """Return, by transfer syntax, what encodes a ramp (64, 64) uint8."""
    import cv2
    import imagecodecs
    from rle.utils import encode_array

    def _jpeg(ramp: UInt8Array) -> bytes:
        return bytes(imagecodecs.jpeg8_encode(ramp, level=95))

    def _lossless(ramp: UInt8Array) -> bytes:
        return bytes(imagecodecs.ljpeg_encode(ramp, bitspersample=8))

    def _jpeg_ls(ramp: UInt8Array) -> bytes:
        return bytes(imagecodecs.jpegls_encode(ramp))

    def _jpeg_2000(ramp: UInt8Array) -> bytes:
        return bytes(imagecodecs.jpeg2k_encode(ramp, codecformat="j2k", reversible=True, level=0))

    def _high_throughput(ramp: UInt8Array) -> bytes:
        return bytes(imagecodecs.htj2k_encode(ramp, reversible=True))

    def _run_length(ramp: UInt8Array) -> bytes:
        frames = encode_array(
            ramp, rows=64, columns=64, samples_per_pixel=1, number_of_frames=1,
            bits_allocated=8, byteorder="<",
        )  # fmt: skip
        return bytes(next(iter(frames)))

    def _progressive(ramp: UInt8Array) -> bytes:
        return cv2.imencode(".jpg", ramp, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()

    def _jpeg_xl(ramp: UInt8Array) -> bytes:
        return bytes(imagecodecs.jpegxl_encode(ramp, lossless=True))

    prefix = "1.2.840.10008.1.2."
    return {
        f"{prefix}5": _run_length,
        f"{prefix}1.98": lambda ramp: ramp.tobytes(),
        f"{prefix}8.1": lambda ramp: zlib.compress(ramp.tobytes(), wbits=-zlib.MAX_WBITS),
        **dict.fromkeys((f"{prefix}4.53", f"{prefix}4.55"), _progressive),
        **dict.fromkeys((f"{prefix}4.110", f"{prefix}4.111", f"{prefix}4.112"), _jpeg_xl),
        **dict.fromkeys((f"{prefix}4.50", f"{prefix}4.51"), _jpeg),
        **dict.fromkeys((f"{prefix}4.57", f"{prefix}4.70"), _lossless),
        **dict.fromkeys((f"{prefix}4.80", f"{prefix}4.81"), _jpeg_ls),
        **dict.fromkeys((f"{prefix}4.90", f"{prefix}4.91"), _jpeg_2000),
        **dict.fromkeys((f"{prefix}4.201", f"{prefix}4.202", f"{prefix}4.203"), _high_throughput),
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
