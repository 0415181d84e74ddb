"""tasks/embolism/exams.py: which images make an exam, and labels of exams of any length as flat
arrays."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from wetread.labels.table import EXAM_SCHEMA, LabelError, LabelTable, unique_images
from wetread.tasks.embolism.findings import EXAM_FINDINGS, IMAGE_FINDING, NOT_POSITIVE, RATIOS

PLACEHOLDER = r"^[0.\s]*$"  # a UID of nothing but zeros, or none: whoever wrote it named no exam
SOURCE = "source"


@dataclass(frozen=True, eq=False)
class ExamIndex:
    """Which image is of which series, and which series of which exam.

    An exam is a study: the nine labels, their rows in a submission, the share of positive images
    that weighs its images and the rules are all a study's. A study may hold several series; their
    names stay here, so that whoever reads slices in a row reads one series at a time.

    frame:   EXAM_SCHEMA, no image twice; the images of an exam lie together, and in it those of a
             series; exams, series and images in the order in which they came.
    studies: N StudyInstanceUIDs, in the frame's order.
    starts:  (N + 1,) int64; exam i has the rows starts[i] to starts[i + 1] of the frame.
    """

    frame: pl.DataFrame
    studies: tuple[str, ...]
    starts: np.ndarray

    def several_series(self) -> tuple[str, ...]:
        """The studies with more than one series."""
        counted = self.frame.group_by("study", maintain_order=True).agg(pl.col("series").n_unique())
        return tuple(counted.filter(pl.col("series") > 1)["study"])


def exam_index(images: pl.DataFrame) -> ExamIndex:
    """Rows of EXAM_SCHEMA to an ExamIndex; an equal row twice is one.

    images may have a column `source`, the folder or archive that an image lies in. A study or
    series whose UID is a placeholder (`0`, or empty) is taken only where one source is named for
    all of it: two such exams would otherwise be one.
    Raises LabelError for such an exam, naming it, and for an image of two series or studies.
    """
    refuse_placeholders(images)
    rows = unique_images(
        images.with_columns(pl.col("series").fill_null(""), pl.col("study").fill_null(""))
    )
    order = ["_study", "_series"]
    studies = rows.select("study").unique(maintain_order=True).with_row_index("_study")
    series = rows.select("study", "series").unique(maintain_order=True).with_row_index("_series")
    placed = rows.join(studies, on="study", maintain_order="left").join(
        series, on=["study", "series"], maintain_order="left"
    )
    placed = placed.sort(order, maintain_order=True)
    sizes = np.bincount(placed["_study"].to_numpy(), minlength=studies.height)
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return ExamIndex(placed.select(list(EXAM_SCHEMA)), tuple(studies["study"]), starts)


def refuse_placeholders(images: pl.DataFrame) -> None:
    """LabelError where the UID of a study or a series names none and its images are not known to
    lie in one place. images: EXAM_SCHEMA and perhaps `source`."""
    for level in ("study", "series"):
        nameless = images.filter(pl.col(level).fill_null("").str.contains(PLACEHOLDER))
        if nameless.is_empty():
            continue
        shown = nameless[level][0] or ""
        told = [name for name in ("series", SOURCE) if name in images.columns]
        places = nameless.select(told).unique(maintain_order=True)
        if SOURCE not in told:
            raise LabelError(
                f"the {level} of image {nameless['image'][0]!r} is called {shown!r}, which names "
                f"none ({nameless.height} such images): two of them would be taken for one. Give "
                f"each {level} a name of its own."
            )
        if places.height > 1 or places[SOURCE].has_nulls():
            first, last = (", ".join(map(repr, places.row(row))) for row in (0, -1))
            raise LabelError(
                f"the {level} called {shown!r}, which names none, stands in {places.height} places "
                f"(series and source {first} and {last}): these may be as many exams. Give each "
                f"{level} a name of its own, or read the places one by one."
            )


@dataclass(frozen=True, eq=False)
class Exams:
    """Labels or probabilities of N exams with M images in all; NaN where unknown.

    study:  (N, 9) float64, columns as EXAM_FINDINGS.
    image:  (M,) float64, exam after exam.
    starts: (N + 1,) int64; exam i has image[starts[i]:starts[i + 1]], any number of them.
    """

    study: np.ndarray
    image: np.ndarray
    starts: np.ndarray

    def __post_init__(self) -> None:
        exams = len(self.study)
        fits = self.study.shape == (exams, len(EXAM_FINDINGS)) and self.image.ndim == 1
        if not fits or self.starts.shape != (exams + 1,):
            raise ValueError(
                f"study is {self.study.shape}, image {self.image.shape} and starts "
                f"{self.starts.shape}; N exams of M images ask for (N, {len(EXAM_FINDINGS)}), "
                "(M,) and (N + 1,)."
            )
        ends = (int(self.starts[0]), int(self.starts[-1]))
        if ends != (0, len(self.image)) or np.diff(self.starts).min(initial=0) < 0:
            raise ValueError(
                f"starts runs from {ends[0]} to {ends[1]} over {len(self.image)} images; it rises "
                "from 0 to the number of images."
            )

    def __len__(self) -> int:
        return len(self.study)

    @property
    def sizes(self) -> np.ndarray:
        """(N,) int64 images of each exam."""
        return np.diff(self.starts)

    @property
    def exam_of_image(self) -> np.ndarray:
        """(M,) int64."""
        return np.repeat(np.arange(len(self)), self.sizes)

    def sum_images(self, values: np.ndarray) -> np.ndarray:
        """(M,) to the sum in each exam, (N,) float64."""
        total: np.ndarray = np.bincount(self.exam_of_image, weights=values, minlength=len(self))
        return total

    def one(self, exam: int) -> "Exams":
        """A single exam, still as Exams."""
        image = self.image[self.starts[exam] : self.starts[exam + 1]]
        return Exams(self.study[[exam]], image, np.array([0, len(image)]))


def with_studies(index: ExamIndex, studies: Sequence[str]) -> ExamIndex:
    """The index and, behind its exams, those of these studies that it lacks, without an image."""
    there = set(index.studies)
    added = tuple(dict.fromkeys(study for study in studies if study not in there))
    starts = np.append(index.starts, np.full(len(added), index.starts[-1]))
    return replace(index, studies=index.studies + added, starts=starts)


def exams_of(table: LabelTable, index: ExamIndex) -> Exams:
    """What the table says of the exams of an index; NaN where it says nothing."""
    return Exams(
        table.matrix_float64(index.studies, EXAM_FINDINGS),
        table.matrix_float64(index.frame["image"], (IMAGE_FINDING,))[:, 0],
        index.starts,
    )


def require_probabilities(exams: Exams) -> None:
    """ValueError where something is unknown (NaN), or no number from 0 to 1."""
    for name, values in (("exam's label", exams.study), ("image", exams.image)):
        wrong = ~((values >= 0.0) & (values <= 1.0))
        if wrong.any():
            raise ValueError(
                f"{values[wrong][0]} is no probability of an {name} ({wrong.sum()} such values); "
                "give every label and every image a number from 0 to 1."
            )


def as_scored(truth: Exams) -> Exams:
    """Labels as the official metric counts them: the two RV/LV labels are "no" in an exam that is
    known to be negative or indeterminate. Elsewhere wetread leaves them unknown there: the ratio
    of an exam without an embolus was never measured."""
    negative, indeterminate = NOT_POSITIVE
    undefined = (truth.study[:, negative] >= 0.5) | (truth.study[:, indeterminate] >= 0.5)
    is_ratio = np.isin(np.arange(truth.study.shape[1]), RATIOS)
    counted = undefined[:, None] & is_ratio & np.isnan(truth.study)
    return replace(truth, study=np.where(counted, 0.0, truth.study))
