"""verbs/predict/read_archive.py: an archive as an ensemble read it, and the readings of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from wetread.archive.executor.workers import Workers
from wetread.inputs.progress import Report, stage
from wetread.labels.finding import finding_names
from wetread.outputs.masks import MaskReading
from wetread.prediction.answers import Answers
from wetread.prediction.cautions import CALIBRATED_ON
from wetread.prediction.members import Ensemble
from wetread.prediction.placement import NOT_KNOWN, Placement
from wetread.prediction.provenance import provenance
from wetread.prediction.readers import Reader, make_reader
from wetread.prediction.reading import Reading
from wetread.prediction.studies import FindingNames, StudyContext, make_readings
from wetread.store.store import Store
from wetread.study.series import series_slices
from wetread.tasks import Task, kept_task
from wetread.verbs.pack import pack_crops_of
from wetread.verbs.predict.drawn_masks import masks_by_study
from wetread.verbs.predict.selection import (
    Selection,
    other_modality_readings,
    study_issues,
    unread_files,
)
from wetread.verbs.predict.series_masks import DrawnStudy

FEATURES = "features"  # of encoders of series, kept by content


@dataclass(frozen=True, eq=False)
class ReadArchive:
    """The images of an archive, and the answers of a task's reader about them.

    store:      of the slices that were read, in the task's first crop; answers: by its rows.
    placements: whether studies are inside of that which was learned; what is not in it is not
                known.
    """

    task: Task
    reader: Reader
    selection: Selection
    store: Store
    answers: Answers
    placements: Mapping[str, Placement] = field(default_factory=dict)

    @property
    def names(self) -> FindingNames:
        """The findings of the answers, by name."""
        return FindingNames(
            image=finding_names(self.task.at("image")),
            study=finding_names(self.task.at("study")),
            key=self.task.headline_column,
        )


def task_of(ensemble: Ensemble) -> Task:
    """Return the task of an ensemble, as its networks learned it."""
    return kept_task(ensemble.folder, ensemble.task).for_recipe(ensemble.recipe)


def pack_selection(
    selection: Selection,
    ensemble: Ensemble,
    out: Path,
    *,
    workers: Workers | None,
    report: Report,
    verify: bool,
) -> tuple[Store, ...]:
    """Pack the slices that an ensemble's task reads into a folder, in each of its crops."""
    task = task_of(ensemble)
    return pack_crops_of(
        series_slices(selection.slices),
        out,
        task,
        size=ensemble.size,
        absent=task.absent,
        workers=workers,
        report=report,
        verify=verify,
    )


def read_images(
    selection: Selection,
    ensemble: Ensemble,
    out: Path,
    *,
    workers: Workers | None,
    report: Report,
    verify: bool,
) -> ReadArchive:
    """Pack the slices that a task reads into a folder, and read them with an ensemble."""
    stores = pack_selection(selection, ensemble, out, workers=workers, report=report, verify=verify)
    return read_stores(stores, selection, ensemble, out, report=report)


def read_stores(
    stores: Sequence[Store],
    selection: Selection,
    ensemble: Ensemble,
    out: Path,
    *,
    report: Report,
) -> ReadArchive:
    """Read the packed slices of a selection with an ensemble; features are kept in the folder."""
    task = task_of(ensemble)
    reader = make_reader(ensemble, task.spec, out / FEATURES)
    answers = reader.read(stores, ranked=selection.ranked, progress=stage(report, "read"))
    return ReadArchive(task, reader, selection, stores[0], answers)


def archive_readings(
    read: ReadArchive,
    masks: Sequence[MaskReading],
    drawn: Mapping[str, DrawnStudy] = MappingProxyType({}),
) -> list[Reading]:
    """Make a reading of every study of the archive: of those that were read, then of those of which
    no file could be, then of those of other modalities.

    masks: what was drawn in the slices; drawn: along the series of each study.
    """
    origin, ensemble = provenance(read.reader), read.reader.ensemble
    context = StudyContext(
        rejects=unread_files(read.selection, read.store),
        issues=study_issues(read.selection.series, read.store),
        ranked=read.selection.ranked,
        masks=masks_by_study(read.store, masks),
    )
    readings = [
        *make_readings(read.store, read.answers, read.names, context, origin),
        *other_modality_readings(read.selection, read.task.modalities, read.names.study, origin),
    ]
    cautions, scalings, point = ensemble.cautions, ensemble.scalings, ensemble.point
    nothing = DrawnStudy((), (), ())
    return [
        replace(
            one,
            cautions=(*cautions, CALIBRATED_ON) if scalings.includes(one.study_uid) else cautions,
            flagged=None
            if point is None or not one.study
            else one.study[read.task.headline] >= point.threshold,
            series_masks=drawn.get(one.study_uid, nothing).masks,
            measures=drawn.get(one.study_uid, nothing).measures,
            origins=ensemble.origins,
            placement=read.placements.get(one.study_uid, NOT_KNOWN),
        )
        for one in readings
    ]
