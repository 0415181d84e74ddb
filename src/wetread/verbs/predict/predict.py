"""verbs/predict/predict.py: raw DICOM and runs in; readings, worklist, probabilities, submission
out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from wetread.archive.files.lock import exclusive_output
from wetread.archive.files.paths import as_path_or_none, as_paths
from wetread.archive.files.written import refuse_foreign_files, rewriting
from wetread.archive.identity.user_key import user_key
from wetread.archive.index.index import Index
from wetread.archive.rejects import Reject
from wetread.archive.types import StrPath, StrPaths
from wetread.inputs.archive import open_archive, require_sources, select_modalities
from wetread.inputs.progress import Report, silent, stage
from wetread.inputs.sources import in_hu
from wetread.labels.exams import EXAM_COLUMNS
from wetread.labels.finding import finding_names
from wetread.outputs.masks import MaskReading
from wetread.outputs.probabilities import write_probabilities
from wetread.outputs.reading import write_reading
from wetread.outputs.rejects import write_rejects
from wetread.outputs.submission import SubmissionContent
from wetread.outputs.uid_names import safe_name
from wetread.outputs.worklist import write_worklist
from wetread.prediction.drawing import Said, read_store
from wetread.prediction.ensemble import Ensemble, read_ensemble
from wetread.prediction.provenance import provenance
from wetread.prediction.read import StudyAnswers, read_studies
from wetread.prediction.reading import Reading
from wetread.store.store import Store
from wetread.study.issues import Issue, geometry_issues, noted_issues
from wetread.study.series import series_slices
from wetread.study.series_choice import SeriesPreference, SeriesScore, rank_series
from wetread.tasks import Task, find_task
from wetread.training.data import mirror_columns
from wetread.training.slices.spec import SliceSpec
from wetread.verbs.pack import pack_crops_of
from wetread.verbs.predict.drawn_masks import masks_by_study, write_masks
from wetread.verbs.predict.page import PAGE, Material, write_predict_page
from wetread.verbs.predict.scroll_pages import with_scroll_pages
from wetread.verbs.predict.study_answers import answer_studies
from wetread.verbs.predict.unread import (
    LOCALIZER,
    apart_from_localizers,
    index_rejects,
    of_other_modalities,
    refused_images,
    unread_files,
)


@dataclass(frozen=True)
class Prediction:
    """Where the readings lie and what was counted; refused files are in out/rejects.csv."""

    out: Path
    readings: tuple[Reading, ...]
    headline: str
    counts: dict[str, int]
    page: str = PAGE

    @property
    def refused(self) -> int:
        """Files that are DICOM and could not be used."""
        return self.counts["refused"]

    @property
    def unread(self) -> int:
        """Studies of which nothing was read."""
        return sum(reading.state == "unread" for reading in self.readings)

    def to_dict(self) -> dict[str, Any]:
        """For --json."""
        return {
            "out": str(self.out),
            "page": str(self.out / self.page),
            "counts": self.counts,
            "studies": [
                {
                    "study": r.study_uid,
                    "state": r.state,
                    "reason": r.reason,
                    "cautions": list(r.cautions),
                    "probabilities": dict(r.study),
                }
                for r in self.readings
            ],
        }


@exclusive_output()
def predict(
    source: StrPaths,
    runs: StrPaths,
    out: StrPath,
    *,
    sample: StrPath | None = None,
    workers: int | None = None,
    report: Report = silent,
    repair: bool = True,
    as_hu: bool = False,
    scroll: int = 0,
    clear_patients: bool = False,
    verify: bool = False,
) -> Prediction:
    """Read every study of the sources with the models of one or more runs of one task.

    sample: the competition's sample submission; its rows in its order are then written. An image
    that cannot be read gets the training share of each finding there, and is in rejects.csv.
    repair: as for `index`. verify: as for `pack`.
    scroll: the number of most urgent studies that get a page to scroll, out/scroll/STUDY.html.
    clear_patients: keep PatientIDs and times in out's index and store as they are; else they have
    pseudonyms under the user's key (archive/identity/user_key.py).
    as_hu: take CT whose header does not say HU as HU; else a study of such slices is left unread.
    """
    sources, out, sample = as_paths(source), Path(out), as_path_or_none(sample)
    ensemble = read_ensemble(as_paths(runs))
    task = find_task(ensemble.task)
    require_sources(sources)
    if sample is not None:
        task.submission.check_sample(sample, task.spec.image_findings)
    refuse_foreign_files(out, own_names(task))
    key = None if clear_patients else user_key()
    found = open_archive(sources, out, workers=workers, report=report, repair=repair, key=key)
    if as_hu:
        found = in_hu(found)
    return predict_index(
        found,
        ensemble,
        out,
        sample=sample,
        scroll=scroll,
        workers=workers,
        report=report,
        clear_patients=clear_patients,
        verify=verify,
    )


def predict_index(
    archive: Index,
    ensemble: Ensemble,
    out: Path,
    *,
    sample: Path | None = None,
    workers: int | None = None,
    report: Report = silent,
    scroll: int = 0,
    page: str = PAGE,
    clear_patients: bool = False,
    verify: bool = False,
    beside: frozenset[str] = frozenset(),
) -> Prediction:
    """Read every study of an index with an ensemble. page: the name of the page of readings.

    What wetread wrote to out before, by its list, goes before the first output
    (archive/files/written.py:
    a kill leaves old readings or new ones). Raises ValueError where out holds files of others;
    beside: names in out that the caller answers for.
    """
    task = find_task(ensemble.task)
    archive = archive if clear_patients else archive.pseudonymized(user_key())
    refuse_foreign_files(out, own_names(task) | beside)
    images = select_modalities(archive, task.modalities)
    task.spec.check_images(images.images)
    series = series_slices(images.images)
    refused = refused_images(archive, task.modalities)
    slices, localizers = apart_from_localizers(images.images)
    stores = pack_crops_of(
        series_slices(slices), out, task,
        size=ensemble.size, absent=task.absent, workers=workers, report=report,
        verify=verify,
    )  # fmt: skip
    store, ranked = stores[0], _ranked(series, task.preference)
    answers: StudyAnswers | None = None
    if isinstance(task.spec, SliceSpec):
        mirror = mirror_columns(task.findings).tolist()
        said = read_store(store, ensemble, mirror, stage(report, "read"))
    else:
        features = out / "features"
        probability, answers = answer_studies(
            task.spec, stores, ensemble, ranked, features, stage(report, "read")
        )
        said = Said(probability, ())
    with rewriting(out):
        masks = write_masks(out / "masks", store, said, ensemble, images.images)
        made = read_studies(
            store,
            said.probability,
            finding_names(task.at("image")),
            task.headline_column,
            unread_files(store, images.images, localizers, refused),
            _issues(series, store),
            provenance(ensemble),
            ranked,
            masks_by_study(store, masks),
            answers,
        )
        findings = finding_names(task.at("study"))
        made += of_other_modalities(
            archive.images, images.images, task.modalities, findings, provenance(ensemble)
        )
        cautious = [replace(one, cautions=(*ensemble.cautions, *one.cautions)) for one in made]
        readings, unscrolled = with_scroll_pages(
            cautious, out, images.images, task.headline, scroll, workers, report
        )
        rejects = [
            *index_rejects(archive, refused),
            *(r for reading in readings for r in reading.rejects),
        ]
        filled = _write(
            out, task, ensemble, store, said.probability, masks, readings, rejects, sample,
            pl.concat([images.images.select(EXAM_COLUMNS), refused.select(EXAM_COLUMNS)]),
            [uid for one in (store.rejects, refused, localizers) for uid in one["SOPInstanceUID"]],
        )  # fmt: skip
        material = Material(
            task, ensemble, readings, rejects, store, said, images.images, unscrolled
        )
        write_predict_page(out, material, page)
    counts = {
        "studies": len(readings),
        "images": len(store),
        "refused": sum(reject.reason not in ("not_dicom", LOCALIZER) for reject in rejects),
        "no_dicom": sum(reject.reason == "not_dicom" for reject in rejects),
    }
    rare = {
        "unread": sum(reading.state == "unread" for reading in readings),  # studies
        "localizers": localizers.height,
        "inconsistent_before": sum(bool(reading.broken) for reading in readings),
        "images_of_other_modalities": archive.images.height - images.images.height,
        "filled_in_submission": len(filled),  # nothing was said or drawn of them
    }
    counts |= {name: number for name, number in rare.items() if number}
    return Prediction(out, tuple(readings), task.headline, counts, page)


def own_names(task: Task) -> frozenset[str]:
    """Names in a folder of readings that are managed elsewhere: index, stores, features."""
    tables = (
        f"index{ending}" for ending in (".parquet", ".rejects.parquet", ".duplicates.parquet")
    )
    return frozenset((*task.crops.stores, *tables, "index.journal", "features"))


def _write(
    out: Path,
    task: Task,
    ensemble: Ensemble,
    store: Store,
    probability: np.ndarray,
    masks: Sequence[MaskReading],
    readings: Sequence[Reading],
    rejects: Sequence[Reject],
    sample: Path | None,
    images: pl.DataFrame,
    expected: Sequence[str],
) -> Sequence[str]:
    """Everything but the masks; the rows of the submission that had to be filled in."""
    for reading in readings:
        write_reading(reading, out / "readings" / f"{safe_name(reading.study_uid)}.json")
    of_study = finding_names(task.at("study"))
    write_worklist(readings, of_study, task.headline, out / "worklist.csv")
    write_probabilities(readings, out / "probabilities.csv")
    write_rejects(rejects, out / "rejects.csv")
    what = SubmissionContent(
        ids=store.slices["SOPInstanceUID"].to_list(),
        probability=probability,
        findings=finding_names(task.at("image")),
        prior=np.array([ensemble.prior[name] for name in finding_names(task.at("image"))]),
        masks={mask.image: mask.rle for mask in masks},
        sample=sample,
        expected=expected,
        exams=task.spec.exams(images),
        studies={one.study_uid: np.array([*one.study.values()]) for one in readings if one.study},
        study_prior=np.array([ensemble.prior[name] for name in of_study]),
    )
    return task.submission.write(out / "submission.csv", what)


def _ranked(
    series: Sequence[pl.DataFrame], wanted: SeriesPreference | None
) -> dict[str, list[SeriesScore]]:
    """Studies of several series: these, best first; none where all of a study's series judge it."""
    if wanted is None:
        return {}
    of_study: dict[str, list[pl.DataFrame]] = {}
    for rows in series:
        if rows["StudyInstanceUID"][0] is not None and rows["SeriesInstanceUID"][0] is not None:
            of_study.setdefault(rows["StudyInstanceUID"][0], []).append(rows)
    return {study: rank_series(own, wanted) for study, own in of_study.items() if len(own) > 1}


def _issues(series: Sequence[pl.DataFrame], store: Store) -> dict[str, list[Issue]]:
    """List the issues of each study: of its headers, then of its pixels as packed."""
    issues: dict[str, list[Issue]] = {}
    for rows in series:
        issues.setdefault(rows["StudyInstanceUID"][0], []).extend(geometry_issues(rows))
    noted = store.slices.group_by("StudyInstanceUID", maintain_order=True).agg("notes")
    for study, notes in noted.iter_rows():
        known = {issue.name for issue in issues.get(study, [])}
        shown = [issue for issue in noted_issues(notes) if issue.name not in known]
        issues.setdefault(study, []).extend(shown)
    return issues
