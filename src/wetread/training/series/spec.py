"""training/series/spec.py: how a task whose findings are of whole studies is learned, as a
value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wetread.labels.finding import Finding
from wetread.store.pack_series import FindBoxes

if TYPE_CHECKING:  # a task is a value that loads no torch
    from wetread.training.series.sequence_fit import SeriesLoss
    from wetread.training.series.series import Series

Floats = NDArray[np.float64]
Teach = Callable[[Floats, Floats], Floats]
Settle = Callable[[Floats, Floats, NDArray[np.int64]], tuple[Floats, Floats]]
Check = Callable[[Floats, Floats, NDArray[np.int64]], list[tuple[str, ...]]]


@dataclass(frozen=True)
class CropEncoder:
    """What an encoder of slices sees of a series, and what it is taught there.

    findings: what it says of a slice, with their weights and mirror twins.
    teach:    truth of the images (N, I), and of their studies at each image (N, S), NaN unknown ->
              what the slices are taught, (N, F).
    drawn:    what it draws, where the recipe has a decoder: findings of level pixel.
    steps:    in which it learns phantoms, as a share of the first look's: what is large takes few.
    """

    name: str
    findings: tuple[Finding, ...]
    teach: Teach
    drawn: tuple[Finding, ...] = ()
    steps: float = 1.0


@dataclass(frozen=True)
class Crops:
    """What a task's networks see of the same series.

    stores:     names of the folders that hold a crop each.
    find_boxes: values (Z, rows, columns) of a series -> the crops, in source pixels.
    """

    stores: tuple[str, ...]
    find_boxes: FindBoxes


@dataclass(frozen=True)
class SeriesSpec:
    """Findings of slices and of studies that are read from whole series.

    image, study: the findings, as their arrays have them.
    looks:        one encoder each; their features stand side by side.
    find_boxes:   values (Z, rows, columns) of a series -> each look's crop, in source pixels.
    loss:         the series learned from -> image logits (B, L, I), study logits (B, S) and their
                  truth -> what is minimised.
    settle:       probabilities of slices (N, I) and of studies (E, S), and where each study's
                  slices start (E + 1,) -> the same as answers that do not contradict themselves.
    check:        the same -> for each study the names of the rules that its answers break.
    """

    image: tuple[Finding, ...]
    study: tuple[Finding, ...]
    looks: tuple[CropEncoder, ...]
    find_boxes: FindBoxes
    loss: Callable[[Series], SeriesLoss]
    settle: Settle
    check: Check
