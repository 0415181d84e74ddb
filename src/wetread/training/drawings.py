"""training/drawings.py: how a run's maps of whole series become masks, and how far the numbers that
are measured in these were off, as drawings.json of the run.

Both are found on phantoms that no network of the run has learned from.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from wetread.archive.files.damaged import expect_form
from wetread.archive.files.json_file import read_json
from wetread.archive.types import JsonObject
from wetread.evaluation.volume_decision import VolumeThresholds

FILE = "drawings.json"
WANTED = "how a run's masks are decided, which wetread train writes; train again"
AGREEMENT = 1.96  # deviations on either side of the bias hold 95 % of the differences (Bland 1986)


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


@dataclass(frozen=True)
class Drawings:
    """How the masks of a run are decided.

    thresholds: of each finding that is drawn.
    dice:       its mean Dice of whole held-out phantoms, thresholds chosen on the others of these.
    errors:     of each number that is measured in the masks, found in the same way.
    studies:    held-out phantoms.
    """

    thresholds: Mapping[str, VolumeThresholds]
    dice: Mapping[str, float] = field(default_factory=dict)
    errors: Mapping[str, MeasureError] = field(default_factory=dict)
    studies: int = 0

    def to_dict(self) -> JsonObject:
        """Give plain values, for JSON."""
        return {
            "studies": self.studies,
            "findings": {
                name: {**asdict(pair), "dice": self.dice.get(name)}
                for name, pair in self.thresholds.items()
            },
            "measures": {name: asdict(error) for name, error in self.errors.items()},
        }

    @staticmethod
    def from_dict(values: JsonObject) -> Drawings:
        """Read the plain values of to_dict; ValueError where a number is none."""
        findings, errors = values["findings"], values["measures"]
        found = Drawings(
            {name: VolumeThresholds(one["low"], one["high"]) for name, one in findings.items()},
            {name: float(one["dice"]) for name, one in findings.items() if one["dice"] is not None},
            {name: MeasureError(**one) for name, one in errors.items()},
            int(values["studies"]),
        )
        if not all(math.isfinite(error.bias + error.sd) for error in found.errors.values()):
            raise ValueError("a value that is no number")
        return found


def read_drawings(run: Path) -> Drawings | None:
    """Read a run's drawings.json; None where it has none: it draws nothing, or was made before
    masks of series were decided. DamagedFileError where it is of another form."""
    file = run / FILE
    if not file.is_file():
        return None
    values = read_json(file, WANTED)
    with expect_form(file, WANTED):
        return Drawings.from_dict(values)
