"""tasks/task.py: the type of a task: findings, label files, submissions, phantoms, as one value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Protocol

import numpy as np

from wetread.archive.types import Progress
from wetread.evaluation.group_rules import GroupRule
from wetread.evaluation.submission import SubmissionScores, score_submission
from wetread.evaluation.task_metric import WEIGHTED_LOG_LOSS, TaskMetric
from wetread.labels.finding import Finding
from wetread.labels.long_csv import read_long_csv
from wetread.labels.table import LabelTable
from wetread.outputs.submission import SubmissionContent, check_sample, submit_probabilities
from wetread.store.pack_series import FindAbsent, ValuesOf, nothing_absent
from wetread.study.display import hounsfield
from wetread.study.series_choice import ANY_SERIES, SeriesPreference
from wetread.training.crops import Crops
from wetread.training.series.spec import SeriesSpec
from wetread.training.slices.spec import SliceSpec

if TYPE_CHECKING:  # a task is a value that loads no torch
    from wetread.training.recipe import Recipe

ReadLabels = Callable[[Path, Sequence[Finding]], LabelTable]
WriteSubmission = Callable[[Path, SubmissionContent], Sequence[str]]
CheckSample = Callable[[Path, Sequence[Finding]], object]


class ScoreSubmission(Protocol):
    """Scores a submission: truth and submission as LabelTables -> the official metric and more."""

    def __call__(
        self,
        truth: LabelTable,
        submission: LabelTable,
        findings: Sequence[Finding],
        split: str,
        rng: np.random.Generator,
        patients: Mapping[str, str] | None = None,
    ) -> SubmissionScores:
        """patients: of each id, for the intervals; None: no intervals."""


class WritePhantoms(Protocol):
    """Writes an archive of known truth with its label file."""

    def __call__(
        self,
        out: Path,
        studies: int,
        seed: int,
        *,
        workers: int = 1,
        progress: Progress,
    ) -> object:
        """The archive depends on studies and seed alone."""


@dataclass(frozen=True)
class SubmissionForm:
    """The form of a competition's submission.

    read:         a file -> LabelTable of probabilities.
    write:        a path and the content -> the file; the ids that got the prior.
    score:        truth and submission as LabelTables -> the official metric and others.
    check_sample: a sample submission and the findings of images; ValueError where it is of another
                  form.
    of_masks:     whether it has masks, and no probability.
    """

    read: ReadLabels
    write: WriteSubmission
    score: ScoreSubmission
    check_sample: CheckSample
    of_masks: bool = False


# ID,Label, ID = image and finding joined by an underscore; scored by the weighted log loss.
LONG_FORM = SubmissionForm(read_long_csv, submit_probabilities, score_submission, check_sample)


@dataclass(frozen=True)
class Phantoms:
    """A task's phantoms.

    write:    writes an archive of them with its label file.
    labels:   that label file, inside the archive's folder.
    masks:    further files of masks beside it, and of which finding they are.
    patients: a file of image and patient beside it, where headers do not name patients.
    enriched: writes archives to learn from, where more is found in them than in nature.
    """

    write: WritePhantoms
    labels: str
    masks: Mapping[str, Finding] = field(default_factory=dict)
    patients: str | None = None
    enriched: WritePhantoms | None = None

    @property
    def write_to_learn(self) -> WritePhantoms:
        """The writer of archives to learn from."""
        return self.enriched or self.write

    def patients_file(self, archive: Path) -> Path | None:
        """Where an archive names its patients; None where its headers do."""
        return archive / self.patients if self.patients else None


def _refuse(
    out: Path, studies: int, seed: int, *, workers: int = 1, progress: Progress
) -> NoReturn:
    raise ValueError("the task has no phantoms: it was given as a file")


NO_PHANTOMS = Phantoms(_refuse, labels="")  # of a task that was given as a file


@dataclass(frozen=True)
class Demo:
    """How the task's demo goes: studies of phantoms, the recipe that learns them (None: the
    task's), and into how many parts they are dealt (0: one split)."""

    studies: int = 370
    recipe: str | None = None
    folds: int = 0


@dataclass(frozen=True)
class Task:
    """Findings, the files they are learned from, and how they are reported.

    modalities:   of the images that are read.
    headline:     the finding that orders a worklist and names a study positive.
    spec:         findings, networks and crops: how slices or whole series are learned and read.
    read_labels:  a label file of the task's form -> LabelTable.
    recipe:       name of the default recipe (a file in `recipes/`). settings: what the task changes
                  of it, or of whichever recipe takes its place: key=value.
    phantoms:     archives of known truth; NO_PHANTOMS: there are none.
    phantoms_of:  of a task without phantoms, the one whose phantoms show the same part of the body,
                  which its networks of slices may learn first; None: there is none.
    descriptions: of each finding, its look in a reader's words.
    submission:   the form of the competition's submission; where there is none, `ID,Label`.
    preference:   which series of a study suits best and judges it; None: all of them do.
    values:       the values that are packed of a slice: HU, or a radiograph's gray.
    absent:       rows of a series and their values -> what is to be read and is not in them.
    demo:         how the demo goes.
    abbreviations: words for findings in tables of radiologists' reads, as ICH.
    series_spec:  of a task whose slices may also be read as whole series, where a recipe names a
                  network for them; None: `spec` alone.
    metric:       by which answers are scored; the submission form of a task of whole exams may have
                  its own.
    label_rules:  which findings of one image or one study contradict each other.
    source:       the text of the TOML file that it comes from; None: the package's own.
    """

    name: str
    title: str
    modalities: tuple[str, ...]
    headline: str
    spec: SliceSpec | SeriesSpec
    read_labels: ReadLabels
    recipe: str
    phantoms: Phantoms
    descriptions: Mapping[str, str]
    submission: SubmissionForm = LONG_FORM
    preference: SeriesPreference | None = ANY_SERIES
    values: ValuesOf = hounsfield
    absent: FindAbsent = nothing_absent
    demo: Demo = Demo()
    abbreviations: Mapping[str, str] = field(default_factory=dict)
    series_spec: SeriesSpec | None = None
    settings: tuple[str, ...] = ()
    metric: TaskMetric = WEIGHTED_LOG_LOSS
    source: str | None = None
    phantoms_of: Task | None = None
    label_rules: tuple[GroupRule, ...] = ()

    def for_recipe(self, recipe: Recipe) -> Task:
        """Return the task as a recipe learns it: from whole series where it names a network for
        them and the task can be read so; else with the crop that the recipe names."""
        if recipe.series.network == "none" or self.series_spec is None:
            spec = self.spec.for_recipe(recipe)
            return self if spec is self.spec else replace(self, spec=spec)
        return replace(self, spec=self.series_spec)

    @property
    def phantom_task(self) -> Task | None:
        """The task whose phantoms may be learned first: itself where it has any."""
        return self.phantoms_of if self.phantoms is NO_PHANTOMS else self

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, in the column order of every file and page."""
        return self.spec.findings

    @property
    def networks(self) -> tuple[str, ...]:
        """Names of the networks of slices."""
        return self.spec.networks

    @property
    def crops(self) -> Crops:
        """The crops that are packed of its series."""
        return self.spec.crops

    @property
    def headline_column(self) -> int:
        """The column, in arrays of images, of the finding whose slices speak for the headline."""
        names = [finding.name for finding in self.spec.image_findings]
        return names.index(self.headline) if self.headline in names else 0

    def at(self, level: str) -> tuple[Finding, ...]:
        """The findings of a level, image or study, in the columns' order."""
        return self.spec.study_findings if level == "study" else self.spec.image_findings
