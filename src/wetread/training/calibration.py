"""training/calibration.py: how a run's probabilities are scaled, as its file calibration.json.

Of one split the validation patients choose it; of folds those that the others' models read.
`wetread calibrate` puts a further scaling behind it, fitted on studies of a new site.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wetread.archive.files.damaged import expect_form
from wetread.archive.files.json_file import read_json
from wetread.archive.plural import plural
from wetread.archive.types import Float64Array, FloatArray, JsonObject
from wetread.evaluation.platt import (
    IDENTITY,
    FittedScaling,
    PlattScaling,
    fit_scalings,
    scale_columns,
)

FILE = "calibration.json"
WANTED = "the calibration of a run, which wetread train and wetread calibrate write; make it again"
DIGEST_DIGITS = 32  # of SHA-256, hexadecimal: 128 bits
Level = str  # "image" or "study"
# What a calibration by train was fitted on.
VALIDATION = "validation patients, who also chose the epoch"
OTHER_FOLDS = "patients whom the model that read them had never seen"
ALTERED = "phantoms changed as if other scanners had made them, which no model had learned"


@dataclass(frozen=True)
class CalibratedOn:
    """Patients and studies that a calibration was fitted on; of studies digests, which can be
    compared and not read.

    source: in words: "validation patients", "studies that wetread calibrate was given", ...
    images, patients: how many. studies: digests of their StudyInstanceUIDs; of those that train
    fitted it on none are kept, for folds.json has them.
    """

    source: str
    images: int = 0
    patients: int = 0
    studies: tuple[str, ...] = ()

    def describe(self) -> str:
        """Say in words what it was fitted on, and on how many."""
        unit = "phantom patient" if self.source == ALTERED else "patient"
        return f"{self.source} ({plural(self.images, 'image')} of {plural(self.patients, unit)})"

    def includes(self, study_uid: str) -> bool:
        """Whether a study is one of those that it was fitted on."""
        return bool(self.studies) and digest(study_uid) in self.studies


@dataclass(frozen=True)
class Calibration:
    """Scalings by level and finding, and the share of positives that they make probabilities mean.

    fitted: level -> finding -> how it is scaled; what is missing stays as it is.
    added:  the last of several scalings, which is behind the others in `fitted`: as for fitted.
    on:     what it was fitted on, the newest last.
    """

    fitted: Mapping[Level, Mapping[str, FittedScaling]] = field(default_factory=dict)
    on: tuple[CalibratedOn, ...] = ()
    added: Mapping[Level, Mapping[str, PlattScaling]] = field(default_factory=dict)

    def scaling(self, level: Level, finding: str) -> PlattScaling:
        """Return the scaling of a finding at a level; the identity where there is none."""
        fitted = self.fitted.get(level, {}).get(finding)
        return IDENTITY if fitted is None else fitted.scaling

    def apply(self, level: Level, findings: Sequence[str], values: FloatArray) -> Float64Array:
        """Scale probabilities (N, F) of a level, a column a finding."""
        return scale_columns(values, [self.scaling(level, name) for name in findings])

    def includes(self, study_uid: str) -> bool:
        """Whether it was fitted on a study, by what `wetread calibrate` kept of it."""
        return any(one.includes(study_uid) for one in self.on)

    def to_dict(self) -> JsonObject:
        """Return plain values, for JSON: a share that is not known is null."""
        return {
            "levels": {
                level: {name: _fitted_values(one) for name, one in findings.items()}
                for level, findings in self.fitted.items()
            },
            "added": {
                level: {
                    name: {"slope": one.slope, "bias": one.bias} for name, one in findings.items()
                }
                for level, findings in self.added.items()
            },
            "fitted_on": [
                {
                    "source": one.source,
                    "images": one.images,
                    "patients": one.patients,
                    "studies": list(one.studies),
                }
                for one in self.on
            ],
        }

    @staticmethod
    def from_dict(values: JsonObject) -> Calibration:
        """Read what to_dict gave. Raises ValueError where a slope or a bias can be none."""
        return Calibration(
            {
                level: {name: _read_fitted(one) for name, one in findings.items()}
                for level, findings in values["levels"].items()
            },
            tuple(
                CalibratedOn(
                    str(one["source"]),
                    int(one["images"]),
                    int(one["patients"]),
                    tuple(map(str, one["studies"])),
                )
                for one in values["fitted_on"]
            ),
            {
                level: {name: _read_scaling(one) for name, one in findings.items()}
                for level, findings in values["added"].items()
            },
        )


UNCALIBRATED = Calibration()


@dataclass(frozen=True, eq=False)
class LabeledProbabilities:
    """Probabilities of one level, and what is true.

    truth, probability: (N, F), truth in 0..1, NaN unknown. patients: N names.
    """

    level: Level
    findings: tuple[str, ...]
    truth: Float64Array
    probability: Float64Array
    patients: tuple[str, ...]


def fit_calibration(levels: Sequence[LabeledProbabilities], on: CalibratedOn) -> Calibration:
    """Fit a scaling for each finding of each level."""
    return Calibration(
        {
            one.level: dict(
                zip(
                    one.findings,
                    fit_scalings(one.truth, one.probability, one.patients),
                    strict=True,
                )
            )
            for one in levels
        },
        (on,),
    )


def put_behind(first: Calibration, second: Calibration) -> Calibration:
    """Return the calibration that scales by the first and then by the second, whose shares and
    counts it has where the second fitted anything."""
    levels: dict[Level, dict[str, FittedScaling]] = {
        level: dict(findings) for level, findings in first.fitted.items()
    }
    for level, findings in second.fitted.items():
        for name, one in findings.items():
            before = levels.setdefault(level, {}).get(name)
            if one.kind == "none" and before is not None:
                continue
            scaling = first.scaling(level, name).then(one.scaling)
            levels[level][name] = FittedScaling(
                scaling, one.kind, one.patients, one.positives, one.share
            )
    added = {
        level: {name: one.scaling for name, one in findings.items()}
        for level, findings in second.fitted.items()
    }
    return Calibration(levels, (*first.on, *second.on), added)


def read_calibration(run: Path) -> Calibration:
    """Read the calibration of a run; UNCALIBRATED where it has none, as runs of earlier versions.
    DamagedFileError where it is cut or of another form."""
    file = run / FILE
    if not file.is_file():
        return UNCALIBRATED
    values = read_json(file, WANTED, {"levels": dict, "fitted_on": list, "added": dict})
    with expect_form(file, WANTED):
        return Calibration.from_dict(values)


def digest(uid: str) -> str:
    """Digest a StudyInstanceUID, so that it is known again and leads nobody back."""
    return hashlib.sha256(uid.encode()).hexdigest()[:DIGEST_DIGITS]


def digests(uids: Iterable[str]) -> tuple[str, ...]:
    """Digest StudyInstanceUIDs, each once, in the order of the digests."""
    return tuple(sorted({digest(uid) for uid in uids}))


def _fitted_values(one: FittedScaling) -> JsonObject:
    return {
        "slope": one.scaling.slope,
        "bias": one.scaling.bias,
        "kind": one.kind,
        "patients": one.patients,
        "positives": one.positives,
        "share": one.share if math.isfinite(one.share) else None,
    }


def _read_fitted(values: JsonObject) -> FittedScaling:
    share = values["share"]
    return FittedScaling(
        _read_scaling(values),
        str(values["kind"]),
        int(values["patients"]),
        int(values["positives"]),
        float("nan") if share is None else float(share),
    )


def _read_scaling(values: JsonObject) -> PlattScaling:
    slope, bias = float(values["slope"]), float(values["bias"])
    if not (0.0 < slope < math.inf and math.isfinite(bias)):
        raise ValueError(f"slope {slope}, bias {bias}")
    return PlattScaling(slope, bias)
