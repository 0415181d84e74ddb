"""verbs/baseline/baseline.py: archive and labels in, the floor under every score out.

A folder of baselines holds:

    task.toml             the task, where it was given as a file
    index.parquet         the archive; unseen/index.parquet that of unseen images
    folds.json            which patient is in which fold, with its proof
    predictions.parquet   what each baseline says of patients that it was not fitted on
    scores.json           their scores, `<metric>_prior`, `_position`, `_histogram`, `_header`
    submission_NAME.csv   of unseen images, by each baseline, fitted on all that is labeled
    conflicting_labels.csv, refused_masks.csv   as train writes them
    rejects.csv           images that cannot be read
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from wetread.archive.files.atomic import write_csv, write_whole
from wetread.archive.files.lock import exclusive_output
from wetread.archive.files.paths import as_path_or_none, as_paths
from wetread.archive.files.table_file import write_table
from wetread.archive.identity.user_key import user_key
from wetread.archive.types import StrPath, StrPaths
from wetread.evaluation.score import Scores
from wetread.inputs.archive import require_sources
from wetread.inputs.patients import FOLDS, describe_folds
from wetread.inputs.progress import Report, silent
from wetread.study.patients import Identity
from wetread.tasks import Task, find_task, keep_task
from wetread.training.predictions import FILE
from wetread.verbs.baseline.opening import LabelRequest, Opening, open_labeled_slices
from wetread.verbs.baseline.scores import cross_validate, plan_folds, score_baselines
from wetread.verbs.baseline.slices import list_slices
from wetread.verbs.baseline.submissions import Unseen, select_unseen, write_submissions
from wetread.verbs.train.request import read_given_labels


@dataclass(frozen=True)
class BaselineResult:
    """Where the baselines lie, what was counted, what they are worth, who was taken for one
    patient, and the submissions that were written."""

    out: Path
    counts: dict[str, int]
    scores: Scores
    identity: Identity
    submissions: tuple[Path, ...] = ()

    @property
    def refused(self) -> int:
        """Files that are DICOM and could not be used, unseen ones among them."""
        return self.counts["refused_files"] + self.counts.get("unseen_refused", 0)

    def to_dict(self) -> dict[str, object]:
        """As plain values, for JSON."""
        return {
            "out": str(self.out),
            "counts": self.counts,
            "identity": self.identity.to_dict(),
            "submissions": [str(path) for path in self.submissions],
            **self.scores.to_dict(),
        }


@exclusive_output()
def baseline(
    task: str,
    source: StrPaths,
    out: StrPath,
    *,
    labels: StrPaths = (),
    columns: Mapping[str, str] | None = None,
    patients: StrPath | None = None,
    folds: int = 5,
    seed: int = 0,
    unseen: StrPaths = (),
    sample: StrPath | None = None,
    workers: int | None = None,
    report: Report = silent,
    repair: bool = True,
    as_hu: bool = False,
    clear_patients: bool = False,
) -> BaselineResult:
    """Score what sees no lesion: the prior, the place in the series, the histogram, the header.

    task: a name of TASKS, or a TOML file that describes one.
    source, labels, columns, patients: as for `train`.
    out: the folder of the baselines.
    folds: each baseline predicts the patients of a fold fitted on those of the others, at least 2.
    seed: deals the patients, as `train` deals them, and draws those of the intervals.
    unseen: folders, zips, tars or files, or one index, of images to be predicted by baselines of
        all labeled ones, each in the task's form of submissions.
    sample: the competition's sample submission, whose rows in their order are then written.
    repair, as_hu, clear_patients: as for `train`.
    workers: processes; None: all cores. report: called with (stage, done, total).

    The pixels of each labeled image are read once, for its histogram; the other baselines need
    none. Raises ValueError, LabelError or FileNotFoundError for its inputs, RejectError where no
    image that has a label can be read.
    """
    out, known, key = Path(out), find_task(task), None if clear_patients else user_key()
    sources, others, order = as_paths(source), as_paths(unseen), as_path_or_none(sample)
    _check(out, known, sources, others, order)
    who = None if patients is None else os.fspath(patients)
    given = read_given_labels(known, as_paths(labels), columns, who)
    out.mkdir(parents=True, exist_ok=True)
    keep_task(out, known)
    opening = Opening(known, out, key, workers, report, repair=repair, as_hu=as_hu)
    archive = opening.index(sources, out)
    selection = select_unseen(opening.index(others, out / "unseen"), known) if others else None
    request = LabelRequest(given, who, folds, seed)
    labeled, identity, counts = open_labeled_slices(opening, archive, request)
    plan = plan_folds(known, labeled, folds, seed)
    found = cross_validate(known, labeled, plan)
    scores = score_baselines(known, found, labeled, seed)
    _write_json(out / FOLDS, describe_folds(plan, identity))
    write_table(found.table, out / FILE)
    _write_json(out / "scores.json", scores.to_dict())
    lost, written = [labeled.slices.lost], tuple[Path, ...]()
    if selection is not None:
        asked = Unseen(selection, opening.read(list_slices(selection.slices), "unseen"))
        written = write_submissions(known, labeled, asked, out, order)
        lost.append(asked.slices.lost)
        refused = asked.selection.refused.height + asked.slices.lost.height
        counts |= {"unseen_images": len(asked.slices), "unseen_refused": refused}
    write_csv(out / "rejects.csv", pl.concat(lost))
    return BaselineResult(out, counts, scores, identity, written)


def _check(
    out: Path, task: Task, sources: Sequence[Path], unseen: Sequence[Path], sample: Path | None
) -> None:
    """Refuse what does not fit before any file is indexed."""
    if (out / "about.json").is_file():
        raise ValueError(
            f"{out} is a run of wetread train, whose files these would replace; give another folder"
        )
    if sample is not None and not unseen:
        raise ValueError(
            "`sample` orders a submission; give the images that it is of with `unseen`"
        )
    require_sources(sources)
    if unseen:
        require_sources(unseen)
    if sample is not None:
        task.submission.check_sample(sample, task.spec.image_findings)


def _write_json(path: Path, values: object) -> None:
    write_whole(path, f"{json.dumps(values, indent=1, allow_nan=False)}\n".encode())
