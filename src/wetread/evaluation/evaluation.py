"""evaluation/evaluation.py: all that is said of predictions on given data, as one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from wetread.archive.types import JsonObject
from wetread.evaluation.comparison import Difference
from wetread.evaluation.reader_study import ReaderScore
from wetread.evaluation.score import Scores
from wetread.evaluation.subgroups import SubgroupScore
from wetread.study.patients import Identity

UNKNOWN = Identity("study", "nothing", "nobody was asked")


@dataclass(frozen=True)
class RunClaims:
    """Scores that a run has of itself, and how many of the scored data it was made with.

    scores: of its scores.json.
    images, studies, patients: of those that are scored, how many the run was made with; None where
        they cannot be compared.
    """

    scores: Scores
    images: int | None
    studies: int | None
    patients: int | None

    @property
    def overlaps(self) -> bool:
        """Whether the run was made with anything of what is scored."""
        return bool(self.images or self.studies or self.patients)

    def to_dict(self) -> JsonObject:
        """Return plain values, for JSON."""
        return {
            "images_known": self.images,
            "studies_known": self.studies,
            "patients_known": self.patients,
            **self.scores.to_dict(),
        }


@dataclass(frozen=True)
class Evaluation:
    """Scores of predictions against labels, and what they are of.

    name:       what the predictions are called; against: what the others are, "" without any.
    out:        the folder that they are written to.
    task, headline: names of the task and of its headline finding.
    scores:     with intervals and baselines, by level.
    absent:     level to the reason why it has no score.
    counts:     how predictions and labels met.
    identity:   how the patients are known.
    subgroups:  of the headline, at each level that has it.
    comparison: with a second prediction of the same patients, where one was given.
    readers:    each beside the model, where a file of readers' calls was given.
    promised:   metric to the value that the run gave with the threshold of its flags.
    truth_of:   whose word the truth is, in words: files of labels, or a majority of readers.
    cautions:   names of what is known of the models that predicted.
    models:     what made the predictions, in words; empty where that is not known.
    run:        what the run says of itself; None where no run was given.
    """

    name: str
    task: str
    headline: str
    scores: Scores
    absent: Mapping[str, str]
    against: str = ""
    out: Path = Path()
    counts: Mapping[str, int] = field(default_factory=dict)
    identity: Identity = UNKNOWN
    subgroups: tuple[SubgroupScore, ...] = ()
    comparison: tuple[Difference, ...] = ()
    readers: tuple[ReaderScore, ...] = ()
    promised: Mapping[str, float] = field(default_factory=dict)
    truth_of: str = ""
    cautions: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    run: RunClaims | None = None

    def to_dict(self) -> JsonObject:
        """Return plain values, as scores.json has them."""
        return {
            **self.scores.to_dict(),
            "predictions": self.name,
            "against": self.against or None,
            "task": self.task,
            "absent": dict(self.absent),
            "counts": dict(self.counts),
            "identity": self.identity.to_dict(),
            "subgroups": [one.to_dict() for one in self.subgroups],
            "comparison": [one.to_dict() for one in self.comparison],
            "readers": [one.to_dict() for one in self.readers],
            "promised": dict(self.promised),
            "truth_of": self.truth_of,
            "cautions": list(self.cautions),
            "models": list(self.models),
            "run": None if self.run is None else self.run.to_dict(),
        }
