"""view/window.py: Hounsfield units become gray levels. Nothing here reads files.

A window is a center, a width and a curve from black to white, with fixed bounds: one HU is one gray
on every slice. The curves are written once, for NumPy arrays and torch tensors alike: `xp` is the
module the array belongs to. To add a window, add a line to WINDOWS; a curve, a line to CURVES.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np

from wetread.archive.types import Float32Array, FloatArray, UInt8Array

ArrayOrTensor = Any  # a NumPy array or a torch tensor, floating
NARROWEST_HU, WIDEST_HU = 1e-6, 1e9  # beyond these, float32 grays would divide 0 by 0


@dataclass(frozen=True)
class Window:
    """A range of HU that is spread over the grays: center and width, HU, and a name of CURVES."""

    center_hu: float
    width_hu: float
    curve: str = "linear_exact"

    def __post_init__(self) -> None:
        if self.curve not in CURVES:
            raise ValueError(f"no curve {self.curve!r} for a window; known: {', '.join(CURVES)}")
        if not abs(self.center_hu) <= WIDEST_HU:  # NaN, too
            raise ValueError(f"a window's center must be a number of HU, not {self.center_hu}")
        least = 1.0 if self.curve == "linear" else NARROWEST_HU
        if not least <= self.width_hu <= WIDEST_HU:
            bound = "at least 1 HU for DICOM's LINEAR" if self.curve == "linear" else "above 0 HU"
            raise ValueError(f"a window's width must be {bound}, not {self.width_hu:g}")

    @property
    def low_hu(self) -> float:
        """HU that linear_exact shows black, and all below it."""
        return self.center_hu - self.width_hu / 2

    @property
    def high_hu(self) -> float:
        """HU that linear_exact shows white, and all above it."""
        return self.center_hu + self.width_hu / 2


Curve = Callable[[ArrayOrTensor, Window, ModuleType], ArrayOrTensor]


def _linear_exact(hu: ArrayOrTensor, window: Window, xp: ModuleType) -> ArrayOrTensor:
    """Apply DICOM's LINEAR_EXACT, PS3.3 C.11.2.1.3.2."""
    return xp.clip((hu - window.low_hu) / window.width_hu, 0.0, 1.0)


def _linear(hu: ArrayOrTensor, window: Window, xp: ModuleType) -> ArrayOrTensor:
    """Apply DICOM's LINEAR, PS3.3 C.11.2.1.2.1: a width of 1 is a step, black at center - 0.5."""
    middle, width = window.center_hu - 0.5, window.width_hu - 1.0
    if width == 0.0:
        return xp.where(hu > middle, xp.ones_like(hu), xp.zeros_like(hu))
    return xp.clip((hu - middle) / width + 0.5, 0.0, 1.0)


def _sigmoid(hu: ArrayOrTensor, window: Window, xp: ModuleType) -> ArrayOrTensor:
    """Apply DICOM's SIGMOID, PS3.3 C.11.2.1.3.1: 1 / (1 + exp(-4 (hu - center) / width))."""
    return _logistic((hu - window.center_hu) * (4.0 / window.width_hu), xp)


def _sigmoid_eps(hu: ArrayOrTensor, window: Window, xp: ModuleType) -> ArrayOrTensor:
    """Give 1/255 at the window's low end and 254/255 at its high one: 2.77 times as steep as
    DICOM's."""
    return _logistic((hu - window.center_hu) * (2.0 * math.log(254.0) / window.width_hu), xp)


def _exclusive(hu: ArrayOrTensor, window: Window, xp: ModuleType) -> ArrayOrTensor:
    """Apply linear_exact up to the window's high end, black above it."""
    gray = _linear_exact(hu, window, xp)
    return xp.where(hu <= window.high_hu, gray, xp.zeros_like(gray))


def _logistic(t: ArrayOrTensor, xp: ModuleType) -> ArrayOrTensor:
    """Return 1 / (1 + exp(-t)), written so that nothing overflows."""
    return 0.5 * xp.tanh(0.5 * t) + 0.5


CURVES: dict[str, Curve] = {
    "linear_exact": _linear_exact,
    "linear": _linear,
    "sigmoid": _sigmoid,
    "sigmoid_eps": _sigmoid_eps,
    "exclusive": _exclusive,
}

BRAIN, SUBDURAL, BONE = Window(40, 80), Window(80, 200), Window(600, 2000)
STROKE, SOFT_HEAD, TEMPORAL_BONE = Window(40, 40), Window(40, 380), Window(600, 2800)
LUNG, PULMONARY, MEDIASTINUM = Window(-600, 1500), Window(100, 700), Window(40, 400)

WINDOWS: dict[str, Window] = {
    "brain": BRAIN,
    "subdural": SUBDURAL,
    "bone": BONE,
    "temporal_bone": TEMPORAL_BONE,
    "stroke": STROKE,
    "stroke_narrow": Window(32, 8),
    "soft_head": SOFT_HEAD,
    "lung": LUNG,
    "lung_wide": Window(-200, 2000),
    "pulmonary": PULMONARY,
    "mediastinum": MEDIASTINUM,
    "mediastinum_narrow": Window(50, 350),
    "chest_bone": Window(300, 2000),
    "spine_bone": Window(400, 1800),
    "abdomen": Window(50, 400),
    "liver": Window(30, 150),
    "spine_soft": Window(50, 250),
    "display": Window(2047.5, 4095),  # a radiograph's gray: study/display.py
}


def find_window(text: str) -> Window:
    """Find a window by its name in WINDOWS, or by center/width in HU; either may end in a curve.

    Raises ValueError, which names the windows and curves there are.

    >>> find_window("brain")
    Window(center_hu=40, width_hu=80, curve='linear_exact')
    >>> find_window("35/90/sigmoid")
    Window(center_hu=35.0, width_hu=90.0, curve='sigmoid')
    """
    name, _, rest = text.partition("/")
    try:
        if name in WINDOWS:
            return replace(WINDOWS[name], curve=rest) if rest else WINDOWS[name]
        width, _, curve = rest.partition("/")
        return Window(float(name), float(width or "?"), *([curve] if curve else []))
    except ValueError as error:
        why = f" ({error})" if str(error).startswith(("a window", "no curve")) else ""
        raise ValueError(
            f"no window {text!r}{why}; known: {', '.join(WINDOWS)}; or give center/width in HU, "
            f"as 40/80; either may end in a curve, as 40/80/sigmoid"
        ) from error


def with_curve(windows: Iterable[Window], curve: str) -> tuple[Window, ...]:
    """Return windows of equal ranges with another curve."""
    return tuple(replace(window, curve=curve) for window in windows)


def hu_to_gray(hu: ArrayOrTensor, window: Window, xp: ModuleType) -> ArrayOrTensor:
    """Map HU, any shape, floating, to gray in [0, 1], same shape and type; xp: numpy or torch."""
    return CURVES[window.curve](hu, window, xp)


def apply_window(hu: FloatArray, window: Window) -> Float32Array:
    """Map HU (any shape) to gray in [0, 1], same shape, float32; equal HU, equal gray, in any
    slice.

    >>> apply_window(np.array([-1000.0, 0.0, 40.0, 80.0]), BRAIN).tolist()
    [0.0, 0.0, 0.5, 1.0]
    """
    return np.asarray(hu_to_gray(np.asarray(hu, np.float32), window, np), np.float32)


def as_uint8(gray: FloatArray) -> UInt8Array:
    """Map gray in [0, 1] (any shape) to 0..255, rounded to the nearest; same shape, uint8."""
    return np.asarray(np.rint(np.clip(gray, 0.0, 1.0) * 255), np.uint8)
