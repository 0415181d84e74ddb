"""labels/exams.py: which images make an exam, and values of exams of any length as flat arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from wetread.archive.containers.sources import TAR_SUFFIXES, ZIP_SUFFIXES
from wetread.archive.types import BoolArray, Float64Array, Int64Array
from wetread.labels.finding import Finding
from wetread.labels.table import EXAM_SCHEMA, LabelError, LabelTable, unique_images

PLACEHOLDER = r"^[0.\s]*$"  # a UID of nothing but zeros, or none: whoever wrote it named no exam
SOURCE = "source"
EXAM_COLUMNS = ["SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "path"]  # of an index


@dataclass(frozen=True, eq=False)
class ExamIndex:
    """Which image is of which series, and which series of which exam.

    An exam is a study: its labels, their rows in a submission, the share of positive images that
    weighs its images and the rules are all a study's. A study may hold several series; their names
    stay here, so that whoever reads slices in a row reads one series at a time.

    frame:   EXAM_SCHEMA, no image twice; the images of an exam lie together, and in it those of a
             series; exams, series and images in the order in which they came.
    studies: N StudyInstanceUIDs, in the frame's order.
    starts:  (N + 1,) int64; exam i has the rows starts[i] to starts[i + 1] of the frame.
    """

    frame: pl.DataFrame
    studies: tuple[str, ...]
    starts: Int64Array


def exam_index(images: pl.DataFrame) -> ExamIndex:
    """Group rows of EXAM_SCHEMA by study and series; an equal row twice is one.

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
    """Raise LabelError where the UID of a study or a series names none and its images are not
    known to lie in one place. images: EXAM_SCHEMA and perhaps `source`."""
    for level in ("study", "series"):
        nameless = images.filter(pl.col(level).fill_null("").str.contains(PLACEHOLDER))
        if nameless.is_empty():
            continue
        uid = nameless[level][0] or ""
        columns = [name for name in ("series", SOURCE) if name in images.columns]
        places = nameless.select(columns).unique(maintain_order=True)
        if SOURCE not in columns:
            raise LabelError(
                f"the {level} of image {nameless['image'][0]!r} is called {uid!r}, which names "
                f"none ({nameless.height} such images): two of them would be taken for one. Give "
                f"each {level} a name of its own."
            )
        if places.height > 1 or places[SOURCE].has_nulls():
            first, last = (", ".join(map(repr, places.row(row))) for row in (0, -1))
            raise LabelError(
                f"the {level} called {uid!r}, which names none, stands in {places.height} places "
                f"(series and source {first} and {last}): these may be as many exams. Give each "
                f"{level} a name of its own, or read the places one by one."
            )


def refuse_nameless(images: pl.DataFrame) -> None:
    """Raise ValueError where an image has no study or no series, and LabelError where several may
    hide behind a UID that names none. images: rows of an index, EXAM_COLUMNS among its columns."""
    for uid in ("StudyInstanceUID", "SeriesInstanceUID"):
        nameless = images.filter(pl.col(uid).is_null())
        if nameless.height:
            raise ValueError(
                f"{nameless['path'][0]}: no {uid} ({nameless.height} such images); whole series "
                "are read here. Restore it, or leave these files out"
            )
    refuse_placeholders(exams_of_archive(images))


def exams_of_archive(images: pl.DataFrame) -> pl.DataFrame:
    """List which image of an index is of which series and study, and where it lies: EXAM_SCHEMA
    and `source`. images: rows with EXAM_COLUMNS."""
    return images.select(
        image="SOPInstanceUID",
        series="SeriesInstanceUID",
        study="StudyInstanceUID",
        source=pl.col("path").map_elements(_container, pl.String()),
    )


def _container(path: str) -> str:
    """Name the archive that a file is a member of, or the folder of a file on its own."""
    file = Path(path)
    return path if file.suffix.lower() in (*ZIP_SUFFIXES, *TAR_SUFFIXES) else str(file.parent)


@dataclass(frozen=True, eq=False)
class Exams:
    """Labels or probabilities of N exams with M images in all; NaN where unknown.

    study:  (N, S) float64, a column a finding of studies.
    image:  (M,) float64 of the one finding of images, exam after exam.
    starts: (N + 1,) int64; exam i has image[starts[i]:starts[i + 1]], any number of them.
    """

    study: Float64Array
    image: Float64Array
    starts: Int64Array

    def __post_init__(self) -> None:
        fits = self.study.ndim == 2 and self.image.ndim == 1
        if not fits or self.starts.shape != (len(self.study) + 1,):
            raise ValueError(
                f"study is {self.study.shape}, image {self.image.shape} and starts "
                f"{self.starts.shape}; N exams of M images with S findings ask for (N, S), "
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
    def sizes(self) -> Int64Array:
        """Count the images of each exam, (N,) int64."""
        return np.diff(self.starts)

    @property
    def exam_of_image(self) -> Int64Array:
        """Number the exam of each image, (M,) int64."""
        return np.repeat(np.arange(len(self)), self.sizes)

    def sum_images(self, values: Float64Array | BoolArray) -> Float64Array:
        """Add values of images (M,) up in each exam: (N,) float64."""
        total = np.bincount(self.exam_of_image, weights=values, minlength=len(self))
        return total.astype(np.float64, copy=False)

    def select(self, exam: int) -> Exams:
        """Take a single exam, study (1, S), image (n,), still as Exams."""
        image = self.image[self.starts[exam] : self.starts[exam + 1]]
        return Exams(self.study[[exam]], image, np.array([0, len(image)]))


def with_studies(index: ExamIndex, studies: Sequence[str]) -> ExamIndex:
    """Append the studies that the index lacks, without an image."""
    known = set(index.studies)
    added = tuple(dict.fromkeys(study for study in studies if study not in known))
    starts = np.append(index.starts, np.full(len(added), index.starts[-1]))
    return replace(index, studies=index.studies + added, starts=starts)


def exams_of_table(
    table: LabelTable, index: ExamIndex, study_findings: Sequence[Finding], image_finding: Finding
) -> Exams:
    """Look the exams of an index up in a table: study (N, S), image (M,); NaN where unknown."""
    return Exams(
        table.matrix_float64(index.studies, study_findings),
        table.matrix_float64(index.frame["image"], (image_finding,))[:, 0],
        index.starts,
    )


def require_probabilities(exams: Exams) -> None:
    """Raise ValueError where a value is unknown (NaN), or no number from 0 to 1."""
    for name, values in (("exam's label", exams.study), ("image", exams.image)):
        wrong = ~((values >= 0.0) & (values <= 1.0))
        if wrong.any():
            raise ValueError(
                f"{values[wrong][0]} is no probability of an {name} ({wrong.sum()} such values); "
                "give every label and every image a number from 0 to 1."
            )
