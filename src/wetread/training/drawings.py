"""training/drawings.py: how a run's maps of whole series become masks, and how far the numbers that
are measured in these were off, as drawings.json of the run.

Both are found on phantoms that no network of the run has learned from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from wetread.archive.files.damaged import expect_form
from wetread.archive.files.json_file import read_json
from wetread.archive.types import JsonObject
from wetread.evaluation.volume_decision import VolumeThresholds
from wetread.training.measures import MeasureError, errors_from_dict, errors_to_dict

FILE = "drawings.json"
WANTED = "how a run's masks are decided, which wetread train writes; train again"


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
            "measures": errors_to_dict(self.errors),
        }

    @staticmethod
    def from_dict(values: JsonObject) -> Drawings:
        """Read the plain values of to_dict; ValueError where a number is none."""
        findings, errors = values["findings"], values["measures"]
        return Drawings(
            {name: VolumeThresholds(one["low"], one["high"]) for name, one in findings.items()},
            {name: float(one["dice"]) for name, one in findings.items() if one["dice"] is not None},
            errors_from_dict(errors),
            int(values["studies"]),
        )


def read_drawings(run: Path) -> Drawings | None:
    """Read a run's drawings.json; None where it has none: it draws nothing, or was made before
    masks of series were decided. DamagedFileError where it is of another form."""
    file = run / FILE
    if not file.is_file():
        return None
    values = read_json(file, WANTED)
    with expect_form(file, WANTED):
        return Drawings.from_dict(values)
