"""verbs/baseline/submissions.py: baselines of all that is labeled, as submissions of the unseen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from wetread.archive.index.index import Index
from wetread.labels.exams import EXAM_COLUMNS
from wetread.labels.finding import finding_names
from wetread.labels.table import LABEL_SCHEMA, label_table
from wetread.outputs.submission import SubmissionContent
from wetread.tasks import Task
from wetread.training.predictions import LevelPredictions
from wetread.training.prepare import consistency
from wetread.verbs.baseline.levels import LabeledBaselineSlices, known_shares, predict_levels
from wetread.verbs.baseline.slices import BaselineSlices
from wetread.verbs.predict.selection import Selection, select_images

SPLIT = "held_out"


@dataclass(frozen=True, eq=False)
class Unseen:
    """An archive to be predicted: what of it the task reads, and its slices that were read."""

    selection: Selection
    slices: BaselineSlices


def select_unseen(archive: Index, task: Task) -> Selection:
    """Select the images that a task reads; ValueError where there is none."""
    selection = select_images(archive, task)
    if selection.slices.is_empty():
        others = archive.images.height
        raise ValueError(
            f"`unseen` has no image of {' or '.join(task.modalities)}, which the task {task.name} "
            f"reads, and {others} of others; give the images that a submission is of"
        )
    return selection


def write_submissions(
    task: Task,
    labeled: LabeledBaselineSlices,
    unseen: Unseen,
    out: Path,
    sample: Path | None,
) -> tuple[Path, ...]:
    """Write out/submission_NAME.csv of each baseline in the form of the task, its answers obeying
    the task's rules; where submissions are masks, out/submission_all_empty.csv alone.

    sample: the competition's sample submission, for its rows and their order. An image of which
    nothing was read gets the shares of training.
    """
    content = _without_answers(task, labeled, unseen, sample)
    if task.submission.of_masks:
        path = out / "submission_all_empty.csv"
        task.submission.write(path, content)
        return (path,)
    unknown = label_table(pl.DataFrame(schema=LABEL_SCHEMA))
    levels: Sequence[LevelPredictions] = ()
    if len(unseen.slices):
        levels = predict_levels(task.spec, labeled, unseen.slices, unknown, SPLIT, as_counted=True)
    paths = []
    for name in levels[0].baselines if levels else ("prior",):
        path = out / f"submission_{name}.csv"
        task.submission.write(path, _answered(content, task, levels, name))
        paths.append(path)
    return tuple(paths)


def _answered(
    content: SubmissionContent, task: Task, levels: Sequence[LevelPredictions], name: str
) -> SubmissionContent:
    """Put the answers of a baseline into a submission's content."""
    if not levels:
        return content
    given = [replace(level, probability=level.baselines[name]) for level in levels]
    images, studies = consistency(task.spec)(given)
    return replace(
        content,
        ids=images.ids,
        probability=images.probability,
        studies=dict(zip(studies.ids, studies.probability, strict=True)),
    )


def _without_answers(
    task: Task, labeled: LabeledBaselineSlices, unseen: Unseen, sample: Path | None
) -> SubmissionContent:
    """Make a submission's content in which every image and study gets the shares of training."""
    selection, names = unseen.selection, finding_names(task.spec.image_findings)
    image, study = known_shares(task.spec, labeled)
    images = pl.concat(
        [frame.select(EXAM_COLUMNS) for frame in (selection.images, selection.refused)]
    )
    frames = (unseen.slices.slices, unseen.slices.lost, selection.refused, selection.localizers)
    return SubmissionContent(
        ids=(),
        probability=np.empty((0, len(names))),
        findings=names,
        prior=image,
        masks={},
        sample=sample,
        expected=[uid for frame in frames for uid in frame["SOPInstanceUID"]],
        exams=task.spec.exams(images),
        study_prior=study,
    )
