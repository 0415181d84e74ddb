"""view/mode.py: windows become channels: gray, colors and gradients, under the field's names.

A mode is a value: its windows, how their grays are mixed, the slices it reads. NumPy arrays and
torch tensors go through the same lines. To add a mode, add a line to MODES; a mix, one to MIXES.
The multi-channel modes go back to R. Epp's notebook on gradient and sigmoid windowing (2019).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import ModuleType

import numpy as np

from wetread.archive.types import Float32Array, FloatArray, UInt8Array
from wetread.view.window import (
    BONE,
    BRAIN,
    LUNG,
    MEDIASTINUM,
    PULMONARY,
    SOFT_HEAD,
    SUBDURAL,
    ArrayOrTensor,
    Window,
    as_uint8,
    find_window,
    hu_to_gray,
    with_curve,
)

SLICEWISE = "_slicewise"


@dataclass(frozen=True)
class Mode:
    """How slices become channels.

    windows:   each gives a gray of every slice; (): the window that each slice's header names.
    mix:       a name of MIXES: grays to channels.
    offsets:   the slices that are read, counted from the one shown along the normal.
    slicewise: each gray is stretched from its own slice's least to its greatest, so that one HU
               is another gray on the next slice: for comparison with work that did so.
    """

    windows: tuple[Window, ...]
    mix: str = "channels"
    offsets: tuple[int, ...] = (0,)
    slicewise: bool = False

    def __post_init__(self) -> None:
        if self.mix not in MIXES:
            raise ValueError(f"no mix {self.mix!r} of greys; known: {', '.join(MIXES)}")
        grays, taken = len(self.offsets) * max(len(self.windows), 1), MIXES[self.mix].grays
        if taken not in (None, grays):
            raise ValueError(f"the mix {self.mix!r} takes {taken} greys, not {grays}")

    @property
    def channels(self) -> int:
        """Channels that come out: of a header's windows, one a slice."""
        grays = len(self.offsets) * max(len(self.windows), 1)
        return grays if self.mix == "channels" else 3


Grays = Sequence[ArrayOrTensor]
Stretch = Callable[[ArrayOrTensor], ArrayOrTensor]


@dataclass(frozen=True)
class Mix:
    """How grays become channels.

    grays: how many it takes; None: any number. description: in words, for people.
    """

    grays: int | None
    description: str
    channels: Callable[[Grays, Stretch, ModuleType], tuple[ArrayOrTensor, ...]]


def _channels(grays: Grays, stretch: Stretch, xp: ModuleType) -> tuple[ArrayOrTensor, ...]:
    return tuple(grays)


def _all_channels(grays: Grays, stretch: Stretch, xp: ModuleType) -> tuple[ArrayOrTensor, ...]:
    """Pour three times the gray into blue, then red, then green."""
    t = 3.0 * grays[0]
    return xp.clip(t - 1, 0.0, 1.0), xp.clip(t - 2, 0.0, 1.0), xp.clip(t, 0.0, 1.0)


def _gradient(
    grays: Grays,
    stretch: Stretch,
    xp: ModuleType,
    *,
    weights: tuple[float, ...] = (1.0,),
    above: float = 0.0,
) -> tuple[ArrayOrTensor, ...]:
    """Color the weighted sum of grays as a rainbow: black up to `above`, then blue to red."""
    if len(grays) == len(weights) == 1:
        g = grays[0]
    else:
        g = stretch(sum(w * gray for w, gray in zip(weights, grays, strict=True)))
    red = xp.clip(4 * g - 2, 0.0, 1.0)
    green = xp.where(g <= 0.75, xp.clip(4 * g, 0.0, 1.0), xp.clip(4 - 4 * g, 0.0, 1.0))
    blue = xp.where(g > above, xp.clip(2 - 4 * g, 0.0, 1.0), xp.zeros_like(g))
    return red, green, blue


MIXES: dict[str, Mix] = {
    "channels": Mix(None, "each a channel", _channels),
    "all-channels": Mix(1, "poured into colours", _all_channels),
    "gradient": Mix(1, "gradient", _gradient),
    "gradient-bsb": Mix(3, "gradient of sum", partial(_gradient, weights=(0.3, 0.5, 0.2))),
    "sigmoid-gradient-bsb": Mix(
        3, "gradient of sum", partial(_gradient, weights=(0.35, 0.5, 0.15), above=0.01)
    ),
}

_TRIO = (BRAIN, SUBDURAL, BONE)

MODES: dict[str, Mode] = {
    "brain": Mode((BRAIN,)),
    "metadata": Mode(()),
    "bsb": Mode(_TRIO),
    "exclusive": Mode(with_curve(_TRIO, "exclusive")),
    "all-channels": Mode((BRAIN,), "all-channels"),
    "gradient": Mode((BRAIN,), "gradient"),
    "gradient-bsb": Mode(_TRIO, "gradient-bsb"),
    "sigmoid": Mode(with_curve((BRAIN,), "sigmoid_eps")),
    "sigmoid-bsb": Mode(with_curve(_TRIO, "sigmoid_eps")),
    "sigmoid-gradient-bsb": Mode(with_curve(_TRIO, "sigmoid_eps"), "sigmoid-gradient-bsb"),
    "bss": Mode((BRAIN, SUBDURAL, SOFT_HEAD)),
    "pe-rgb": Mode((LUNG, PULMONARY, MEDIASTINUM)),
    "pe-3slice": Mode((PULMONARY,), offsets=(-1, 0, 1)),
    "adjacent": Mode((), offsets=(1, 0, -1)),
}


def find_mode(text: str) -> Mode:
    """Find a mode by its name, or a window as find_window reads it, shown gray.

    A mode may have windows of one's own after a colon ("bsb:lung,pulmonary,40/400"). Ending in
    _slicewise: each gray is stretched by slice.

    ValueError names what is known.

    >>> find_mode("bsb").channels
    3
    >>> [window.center_hu for window in find_mode("bsb:lung,pulmonary,40/400").windows]
    [-600, 100, 40.0]
    """
    head, _, presets = text.partition(":")
    name = head.removesuffix(SLICEWISE)
    if name not in MODES:
        if presets:
            raise ValueError(f"no mode {name!r} to take windows; known: {', '.join(MODES)}")
        try:
            mode = Mode((find_window(name),))
        except ValueError as error:
            raise ValueError(f"{error}; or a mode: {', '.join(MODES)}") from error
    else:
        mode = MODES[name]
        if presets:
            mode = replace(mode, windows=_named_windows(name, mode, presets))
    return replace(mode, slicewise=True) if head.endswith(SLICEWISE) else mode


def _named_windows(mode_name: str, mode: Mode, presets: str) -> tuple[Window, ...]:
    """Find the windows named, with the mode's curve where they name none."""
    names = presets.split(",")
    if len(names) != len(mode.windows):
        raise ValueError(
            f"{mode_name} takes {len(mode.windows)} windows, not {len(names)}: {presets!r}"
        )
    found = [find_window(name) for name in names]
    return tuple(
        window if name.endswith(f"/{window.curve}") else replace(window, curve=usual.curve)
        for name, window, usual in zip(names, found, mode.windows, strict=True)
    )


def window_slices(
    slices: Sequence[ArrayOrTensor], mode: Mode, xp: ModuleType
) -> list[ArrayOrTensor]:
    """Window HU slices (rows, columns) at mode.offsets to grays: slice by slice, window by window.

    A mode whose windows are the header's has none of its own: give mix_grays the slices as
    study/display.py shows them.
    """
    if not mode.windows:
        raise ValueError("the windows of this mode are each slice's own; HU alone do not say them")
    if len(slices) != len(mode.offsets):
        raise ValueError(f"this mode sees {len(mode.offsets)} slices, not {len(slices)}")
    return [hu_to_gray(hu, window, xp) for hu in slices for window in mode.windows]


def mix_grays(grays: Grays, mode: Mode, xp: ModuleType) -> tuple[ArrayOrTensor, ...]:
    """Mix grays (..., rows, columns) to mode.channels arrays of the same shape, each in [0, 1]."""
    stretch: Stretch = partial(_stretch_slices, xp=xp) if mode.slicewise else _unchanged
    return MIXES[mode.mix].channels([stretch(gray) for gray in grays], stretch, xp)


def apply_mode(slices: Sequence[FloatArray], mode: Mode) -> tuple[Float32Array, ...]:
    """Map HU (rows, columns) of the slices at mode.offsets to mode.channels arrays in [0, 1]."""
    hu = [np.asarray(values, np.float32) for values in slices]
    channels = mix_grays(window_slices(hu, mode, np), mode, np)
    return tuple(np.asarray(channel, np.float32) for channel in channels)


def as_picture(channels: Sequence[FloatArray]) -> UInt8Array:
    """Turn one channel into (rows, columns) uint8, three into (rows, columns, 3), red first."""
    if len(channels) not in (1, 3):
        raise ValueError(f"a picture has one channel or three, not {len(channels)}")
    eight_bit = [as_uint8(channel) for channel in channels]
    return eight_bit[0] if len(eight_bit) == 1 else np.stack(eight_bit, axis=-1)


def _unchanged(gray: ArrayOrTensor) -> ArrayOrTensor:
    return gray


def _stretch_slices(gray: ArrayOrTensor, xp: ModuleType) -> ArrayOrTensor:
    """Stretch each slice (..., rows, columns) from its least to its greatest; a constant one: 0."""
    low = xp.amin(gray, (-2, -1))[..., None, None]
    span = xp.amax(gray, (-2, -1))[..., None, None] - low
    return (gray - low) / xp.where(span > 0, span, xp.ones_like(span))
