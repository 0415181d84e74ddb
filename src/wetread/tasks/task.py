"""tasks/task.py: the type of a task: findings, files, crop, recipe, phantoms, as one value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wetread.evaluation.baselines import histogram_features
from wetread.evaluation.submission import SubmissionScores
from wetread.labels.finding import Finding
from wetread.labels.table import LabelTable
from wetread.outputs.submission import SubmissionContent
from wetread.store.pack_series import FindAbsent, FindBox, OneBox, ValuesOf, nothing_absent
from wetread.study.display import hounsfield
from wetread.study.series_choice import ANY_SERIES, SeriesPreference
from wetread.training.series.spec import Crops, SeriesSpec

ReadLabels = Callable[[Path, Sequence[Finding]], LabelTable]
WriteSubmission = Callable[[Path, SubmissionContent], Sequence[str]]
ScoreSubmission = Callable[..., SubmissionScores]
WritePhantoms = Callable[..., object]


@dataclass(frozen=True)
class Task:
    """What is learnt, from which files, and how it is told.

    findings:          in the column order of every array, file and page.
    headline:          the finding that orders a worklist and names a study positive.
    read_labels:       the competition's label file -> LabelTable.
    read_submission:   the competition's submission file -> LabelTable of probabilities.
    write_submission:  what was said -> the competition's submission file.
    score_submission:  truth and submission as LabelTables -> the official metric and the rest.
    find_box:          HU (Z, rows, columns) of a series -> the crop in source pixels.
    recipe:            name of the default recipe (a file in `recipes/`).
    write_phantoms:    writes an archive of known truth with its label file.
    phantom_labels:    that label file, inside the archive's folder.
    descriptions:      what a finding looks like, in a reader's words.
    wanted:            which series of a study suits best and judges it; None: all of them do.
    histogram:         values of a slice -> features without a place, for the baseline.
    drawn:             the findings of level pixel; what a network with a decoder draws.
    values:            what is packed of a slice: HU, or a radiograph's grey.
    absent:            rows of a series and their values -> what is to be read and is not in them.
    demo_phantoms:     what writes the demo's archive, where more is found in it than in nature.
    demo_studies:      phantoms of the demo; demo_recipe: what learns them, where it is another;
                       demo_folds: into how many parts they are dealt, 0 is one split.
    series:            where findings are of studies: how whole series are learned and read.
    phantom_masks:     files of masks beside the phantoms' labels, and of which finding they are.
    phantom_patients:  a file of --patients beside the phantoms' labels, where headers do not tell.
    """

    name: str
    title: str
    modalities: tuple[str, ...]
    findings: tuple[Finding, ...]
    headline: str
    read_labels: ReadLabels
    read_submission: ReadLabels
    write_submission: WriteSubmission
    score_submission: ScoreSubmission
    find_box: FindBox
    recipe: str
    write_phantoms: WritePhantoms
    phantom_labels: str
    descriptions: Mapping[str, str]
    wanted: SeriesPreference | None = ANY_SERIES
    drawn: tuple[Finding, ...] = ()
    values: ValuesOf = hounsfield
    absent: FindAbsent = nothing_absent
    histogram: Callable[[NDArray[np.float32]], NDArray[np.float32]] = histogram_features
    demo_phantoms: WritePhantoms | None = None
    demo_studies: int = 370
    demo_recipe: str | None = None
    demo_folds: int = 0
    phantom_masks: Mapping[str, Finding] = field(default_factory=dict)
    phantom_patients: str | None = None
    series: SeriesSpec | None = None

    @property
    def headline_column(self) -> int:
        """The column, in arrays of images, of the finding whose slices speak for the headline."""
        names = [finding.name for finding in self.at("image")]
        return names.index(self.headline) if self.headline in names else 0

    @property
    def networks(self) -> tuple[str, ...]:
        """Names of the networks of slices: one, or one for each look."""
        return tuple(look.name for look in self.series.looks) if self.series else (self.name,)

    @property
    def crops(self) -> Crops:
        """What is packed of its series: the task's own crop, or one for each look."""
        if self.series is None:
            return Crops(("store",), OneBox(self.find_box))
        _, *others = self.series.looks
        names = ("store", *(f"store-{look.name}" for look in others))
        return Crops(names, self.series.find_boxes)

    def at(self, level: str) -> tuple[Finding, ...]:
        """The findings of a level, in the columns' order. Where none is of studies, a study has
        those of its images."""
        if level == "study" and self.series is None:
            return self.findings
        return tuple(finding for finding in self.findings if finding.level == level)
