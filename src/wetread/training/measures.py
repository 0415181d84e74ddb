"""training/measures.py: numbers that are reported of a study, measured in the masks drawn of one
stack of its slices, and how far such a number was off.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import polars as pl

from wetread.archive.files.damaged import expect_form
from wetread.archive.files.json_file import read_json
from wetread.archive.types import BoolArray, Float32Array, Float64Array, JsonObject
from wetread.study.boxes import PixelBox
from wetread.study.placement import SlicePlacement

FILE = "measures.json"
WANTED = "how far measured numbers were off, which wetread train writes; train again"
AGREEMENT = 1.96  # deviations on either side of the bias hold 95 % of the differences (Bland 1986)


@dataclass(frozen=True, eq=False)
class CroppedPicture:
    """A slice as a network was given it: values (h, h) of a box, in pixels of the picture."""

    values: Float32Array
    box: PixelBox


@dataclass(frozen=True, eq=False)
class DrawnStack:
    """Masks that were drawn in the slices of one stack, in order of position.

    masks:    of each finding the masks (rows, columns) bool of all slices.
    place:    where the slices lie.
    pictures: of all slices; none where a measure needs the masks alone.
    """

    masks: Sequence[Iterable[BoolArray]]
    place: SlicePlacement
    pictures: Iterable[CroppedPicture] = ()


@dataclass(frozen=True)
class MaskMeasure:
    """A number that is measured in drawn masks.

    name:     in readings and pages; unit: "" for a ratio.
    findings: whose masks it is measured in.
    measure:  the number; NaN where it cannot be measured.
    truth:    the rows of one phantom in the truth.csv of its archive -> the number as painted;
              None: what is measured in the true masks.
    """

    name: str
    unit: str
    findings: tuple[str, ...]
    measure: Callable[[DrawnStack], float]
    truth: Callable[[pl.DataFrame], float] | None = None


@dataclass(frozen=True)
class MeasureError:
    """How far a number measured in drawn masks was off: drawn minus true.

    bias, sd: mean and standard deviation of the differences, in the number's unit.
    studies:  of which both numbers are known.
    """

    bias: float
    sd: float
    studies: int

    @property
    def limits(self) -> tuple[float, float]:
        """Return the limits of agreement, between which 95 % of the differences lie."""
        return self.bias - AGREEMENT * self.sd, self.bias + AGREEMENT * self.sd


def measure_error(drawn: Sequence[float], true: Sequence[float]) -> MeasureError | None:
    """Compute how far numbers measured in drawn masks were off the true ones, NaN where one cannot
    be measured; None where both are known of fewer than two studies that have any.

    Studies in which nothing is and nothing was drawn do not count: they would hide how far the
    others are off.
    """
    pairs = np.array([drawn, true], np.float64).reshape(2, -1)
    counted = np.isfinite(pairs).all(axis=0) & (pairs != 0).any(axis=0)
    off: Float64Array = pairs[0, counted] - pairs[1, counted]
    if np.count_nonzero(pairs[1, counted]) < 2:
        return None
    return MeasureError(float(off.mean()), float(off.std(ddof=1)), len(off))


def errors_to_dict(errors: Mapping[str, MeasureError]) -> JsonObject:
    """Give the errors of numbers, by their names, as plain values for JSON."""
    return {name: asdict(error) for name, error in errors.items()}


def errors_from_dict(values: JsonObject) -> dict[str, MeasureError]:
    """Read the plain values of errors_to_dict; ValueError where a number is none."""
    errors = {name: MeasureError(**one) for name, one in values.items()}
    if not all(math.isfinite(error.bias + error.sd) for error in errors.values()):
        raise ValueError("a value that is no number")
    return errors


def read_measure_errors(run: Path) -> dict[str, MeasureError]:
    """Read a run's measures.json; {} where it has none: nothing is measured in what it draws, or
    it is not known how far that is off. DamagedFileError where it is of another form."""
    file = run / FILE
    if not file.is_file():
        return {}
    values = read_json(file, WANTED)
    with expect_form(file, WANTED):
        return errors_from_dict(values)
