"""verbs/predict/write.py: readings of an archive become the files and the page that people open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from wetread.archive.rejects import Reject
from wetread.inputs.progress import Report
from wetread.labels.exams import EXAM_COLUMNS
from wetread.outputs.masks import MaskReading
from wetread.outputs.probabilities import write_probabilities
from wetread.outputs.reading import write_reading
from wetread.outputs.rejects import write_rejects
from wetread.outputs.submission import SubmissionContent
from wetread.outputs.uid_names import safe_name
from wetread.outputs.worklist import write_worklist
from wetread.prediction.reading import Reading
from wetread.tasks import keep_task
from wetread.training.series.spec import SeriesSpec
from wetread.verbs.predict.drawn_masks import write_masks
from wetread.verbs.predict.objects import ObjectOptions, WrittenObjects, write_objects
from wetread.verbs.predict.page import ReadingsPageInputs, write_predict_page
from wetread.verbs.predict.read_archive import ReadArchive, archive_readings
from wetread.verbs.predict.scroll_pages import ScrollPages, link_scroll_pages
from wetread.verbs.predict.selection import index_rejects, unread_images
from wetread.verbs.predict.series_masks import DrawnStudy, SeriesMaskSource, write_series_masks
from wetread.verbs.predict.slice_measures import measure_slices


@dataclass(frozen=True)
class WriteOptions:
    """How readings are written.

    sample: the competition's sample submission; its rows in its order are then written.
    scroll: the number of most urgent studies that get a page to scroll.
    page:   the name of the page of readings.
    objects: how DICOM objects are written; None: none are.
    """

    sample: Path | None
    scroll: int
    page: str
    workers: int | None
    objects: ObjectOptions | None = None


@dataclass(frozen=True)
class Written:
    """The readings that were written, all files that could not be used, the rows of the submission
    for which there was no answer, and the DICOM objects where they were asked for."""

    readings: tuple[Reading, ...]
    rejects: tuple[Reject, ...]
    filled: tuple[str, ...]
    objects: WrittenObjects | None = None


def write_prediction(
    out: Path, read: ReadArchive, options: WriteOptions, report: Report
) -> Written:
    """Write masks, pages to scroll, readings, tables, submission and the page into a folder."""
    keep_task(out, read.task)
    masks = write_masks(out / "masks", read.store, read.answers.masks, read.selection.images)
    drawn = _series_masks(out / "masks", read) | measure_slices(read)
    pages = ScrollPages(
        read.selection.images,
        read.task.headline,
        options.scroll,
        options.workers,
        {study: one.files for study, one in drawn.items()},
    )
    unlinked = archive_readings(read, masks, drawn)
    readings, unscrolled = link_scroll_pages(unlinked, out, pages, report)
    of_studies = [reject for reading in readings for reject in reading.rejects]
    rejects = [*index_rejects(read.selection), *of_studies]
    for reading in readings:
        write_reading(reading, out / "readings" / f"{safe_name(reading.study_uid)}.json")
    write_worklist(readings, read.names.study, read.task.headline, out / "worklist.csv")
    write_probabilities(readings, out / "probabilities.csv")
    write_rejects(rejects, out / "rejects.csv")
    submission = _submission(read, readings, masks, options.sample)
    filled = read.task.submission.write(out / "submission.csv", submission)
    write_predict_page(out, ReadingsPageInputs(read, readings, rejects, unscrolled), options.page)
    objects = None
    if options.objects is not None:
        objects = write_objects(out, read, readings, options.objects, report)
    return Written(tuple(readings), tuple(rejects), tuple(filled), objects)


def _series_masks(folder: Path, read: ReadArchive) -> dict[str, DrawnStudy]:
    """Write what was drawn along the series of each study."""
    spec, ensemble = read.task.spec, read.reader.ensemble
    if not read.answers.volumes or not isinstance(spec, SeriesSpec):
        return {}
    source = SeriesMaskSource(read.store, read.selection.images, spec.measures, ensemble.drawings)
    return write_series_masks(folder, read.answers.volumes, source)


def _submission(
    read: ReadArchive,
    readings: Sequence[Reading],
    masks: Sequence[MaskReading],
    sample: Path | None,
) -> SubmissionContent:
    """Gather what the competition's file is made of; an image or study without an answer gets the
    shares of training."""
    names, prior, selection = read.names, read.reader.ensemble.prior, read.selection
    images = pl.concat(
        [frame.select(EXAM_COLUMNS) for frame in (selection.images, selection.refused)]
    )
    return SubmissionContent(
        ids=read.store.slices["SOPInstanceUID"].to_list(),
        probability=read.answers.image,
        findings=names.image,
        prior=np.array([prior[name] for name in names.image]),
        masks={mask.image: mask.rle for mask in masks},
        sample=sample,
        expected=unread_images(selection, read.store),
        exams=read.task.spec.exams(images),
        studies={one.study_uid: np.array([*one.study.values()]) for one in readings if one.study},
        study_prior=np.array([prior[name] for name in names.study]),
    )
