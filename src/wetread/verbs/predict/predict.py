"""verbs/predict/predict.py: raw DICOM and runs in; readings, tables, submission and page out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Protocol

from wetread.archive.executor.workers import Workers, select_workers
from wetread.archive.files.lock import exclusive_output
from wetread.archive.files.paths import as_path_or_none, as_paths
from wetread.archive.files.written import refuse_foreign_files, rewriting
from wetread.archive.identity.user_key import user_key
from wetread.archive.index.index import Index
from wetread.archive.types import StrPath, StrPaths
from wetread.inputs.archive import open_archive, require_sources
from wetread.inputs.progress import Report, silent
from wetread.outputs.optional import missing_learn
from wetread.prediction.bundle import read_bundle
from wetread.prediction.members import Ensemble
from wetread.prediction.operating import shift_point
from wetread.prediction.reading import Reading
from wetread.prediction.scaling import state_prevalence
from wetread.tasks import Task
from wetread.verbs.predict.objects import ObjectOptions
from wetread.verbs.predict.page import PAGE
from wetread.verbs.predict.placements import place_read
from wetread.verbs.predict.read_archive import FEATURES, ReadArchive, read_images, task_of
from wetread.verbs.predict.selection import LOCALIZER, select_images
from wetread.verbs.predict.write import WriteOptions, Written, write_prediction


class OpenRuns(Protocol):
    """Opens runs as the ensemble that reads."""

    def __call__(self, runs: Sequence[Path], *, at: str | None, blend: bool) -> Ensemble:
        """at, blend: as for `predict`."""


@dataclass(frozen=True)
class Prediction:
    """Where the readings lie and what was counted; refused files are in out/rejects.csv.

    seconds: from the first file that was opened to the last that was written.
    """

    out: Path
    readings: tuple[Reading, ...]
    headline: str
    counts: dict[str, int]
    page: str = PAGE
    seconds: float = 0.0

    @property
    def refused(self) -> int:
        """Files that are DICOM and could not be used."""
        return self.counts["refused"]

    @property
    def without_objects(self) -> int:
        """Studies that were read and got no DICOM objects where these were asked for."""
        return self.counts.get("without_objects", 0)

    @property
    def unread(self) -> int:
        """Studies of which nothing was read."""
        return sum(reading.state == "unread" for reading in self.readings)

    @property
    def seconds_per_study(self) -> float | None:
        """Mean seconds of a study that was read; None where none was."""
        read = len(self.readings) - self.unread
        return self.seconds / read if read else None

    def to_dict(self) -> dict[str, object]:
        """Return the result as plain values, for JSON."""
        return {
            "out": str(self.out),
            "page": str(self.out / self.page),
            "counts": self.counts,
            "seconds": self.seconds,
            "seconds_per_study": self.seconds_per_study,
            "studies": [
                {
                    "study": r.study_uid,
                    "state": r.state,
                    "reason": r.reason,
                    "cautions": list(r.cautions),
                    "in_distribution": r.placement.to_dict(),
                    "probabilities": dict(r.study),
                    "flagged": r.flagged,
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
    bundle: StrPath | None = None,
    sample: StrPath | None = None,
    prevalence: Mapping[str, float] | None = None,
    at: str | None = None,
    blend: bool = False,
    cluster: str | None = None,
    workers: int | None = None,
    report: Report = silent,
    repair: bool = True,
    as_hu: bool = False,
    scroll: int = 0,
    clear_patients: bool = False,
    verify: bool = False,
    objects: ObjectOptions | None = None,
) -> Prediction:
    """Read every study of an archive with the models of one or more runs of one task, or with a
    bundle of them.

    source: folders, zips, tars or files, one or several; or one index (.parquet).
    runs: folders that `train` wrote, one or several, whose probabilities are averaged; () with a
        bundle.
    out: the folder of readings, worklist, probabilities, submission and page.
    bundle: a folder that `bundle` wrote, which is read by onnxruntime, without torch. It has its
        own threshold and weights of runs: `at` and `blend` are given to `bundle`.
    sample: the competition's sample submission; its rows in its order are then written. An image
        that cannot be read gets the training share of each finding there, and is in rejects.csv.
    prevalence: finding to the share of this archive's studies that have it, where it is known: the
        odds are multiplied by that of this share over that of the share which the run assumes.
    at: "sensitivity=SHARE" or "specificity=SHARE": flag studies from the threshold on that gave it
        on the run's scored patients; of one run alone.
    blend: weigh several runs as it is best for the images that each of them read without having
        seen the patient; else all networks weigh alike.
    scroll: the number of most urgent studies that get a page to scroll, out/scroll/STUDY.html.
    repair: as for `index`, where files are indexed. verify: as for `pack`.
    as_hu: take CT whose header does not say HU as HU; else a study of such slices is left unread.
    clear_patients: keep PatientIDs and times in out's index and store as they are; else they have
        pseudonyms under the user's key.
    objects: write DICOM objects of every study that is read, in the study itself, out/dicom; None:
        none. They hold the patient's name and number as the images do.
    cluster: the address of a Dask scheduler whose workers have the same paths: they index and pack
        in place of processes; the networks read on this machine.
    workers: processes; None: all cores. report: called with (stage, done, total).

    Raises RunError for folders that are no runs of one task, FileNotFoundError for a source that
    does not exist, and ValueError where `out` holds files of others.
    """
    started = perf_counter()
    sources, out, sample = as_paths(source), Path(out), as_path_or_none(sample)
    ensemble = _open(as_paths(runs), None if bundle is None else Path(bundle), at, blend)
    task = task_of(ensemble)
    ensemble = _with_prevalence(ensemble, task, prevalence or {})
    require_sources(sources)
    if sample is not None:
        task.submission.check_sample(sample, task.spec.image_findings)
    refuse_foreign_files(out, own_names(task))
    key = None if clear_patients else user_key()
    executor = select_workers(workers, cluster)
    found = open_archive(
        sources, out, workers=executor, report=report, repair=repair, as_hu=as_hu, key=key
    )
    return predict_index(
        found,
        ensemble,
        out,
        sample=sample,
        scroll=scroll,
        workers=executor,
        report=report,
        clear_patients=clear_patients,
        verify=verify,
        started=started,
        objects=objects,
    )


def _open(runs: Sequence[Path], bundle: Path | None, at: str | None, blend: bool) -> Ensemble:
    """Open runs, with what is chosen by their own predictions, or a bundle, which has it."""
    if bundle is None:
        if not runs:
            raise ValueError("`runs`: give runs, or a bundle")
        return _import_open_runs()(runs, at=at, blend=blend)
    if runs:
        raise ValueError("`bundle`: give a bundle or runs, not both")
    if at is not None or blend:
        raise ValueError(
            f"`{'blend' if at is None else 'at'}`: a bundle has no predictions to choose by; give "
            "it to wetread bundle"
        )
    return read_bundle(bundle)


def _import_open_runs() -> OpenRuns:
    """Import what opens runs, and torch with it. MissingExtraError where that is not installed."""
    try:
        from wetread.verbs.predict.open_runs import open_runs  # torch: where a run reads
    except ImportError as error:
        if (missing := missing_learn(error)) is not None:
            raise missing from error
        raise
    return open_runs


def _with_prevalence(ensemble: Ensemble, task: Task, stated: Mapping[str, float]) -> Ensemble:
    """Scale an ensemble's probabilities, and its threshold with them, to a stated prevalence."""
    scalings, point = state_prevalence(ensemble.scalings, stated), ensemble.point
    if point is not None:
        point = shift_point(point, scalings, task.headline)
    return replace(ensemble, scalings=scalings, point=point)


def predict_index(
    archive: Index,
    ensemble: Ensemble,
    out: Path,
    *,
    sample: Path | None = None,
    workers: Workers | None = None,
    report: Report = silent,
    scroll: int = 0,
    page: str = PAGE,
    clear_patients: bool = False,
    verify: bool = False,
    other_names: frozenset[str] = frozenset(),
    started: float | None = None,
    objects: ObjectOptions | None = None,
) -> Prediction:
    """Read every study of an index with an ensemble. page: the name of the page of readings.

    What wetread wrote to out before, by its list, goes before the first output
    (archive/files/written.py: a kill leaves old readings or new ones). Raises ValueError where out
    holds files of others; other_names: names in out that the caller answers for. started: when the
    first file was opened, by perf_counter; None: now.
    """
    started = perf_counter() if started is None else started
    task = task_of(ensemble)
    refuse_foreign_files(out, own_names(task) | other_names)
    archive = archive if clear_patients else archive.pseudonymized(user_key())
    read = read_images(
        select_images(archive, task),
        ensemble,
        out,
        workers=workers,
        report=report,
        verify=verify,
    )
    read = replace(read, placements=place_read(read))
    with rewriting(out):
        own = workers if isinstance(workers, int) else None
        options = WriteOptions(sample, scroll, page, own, objects)
        written = write_prediction(out, read, options, report)
    counts, seconds = _counts(read, written), perf_counter() - started
    return Prediction(out, written.readings, task.headline, counts, page, seconds)


def own_names(task: Task) -> frozenset[str]:
    """Name what is managed elsewhere in a folder of readings: index, stores, features."""
    tables = (
        f"index{ending}" for ending in (".parquet", ".rejects.parquet", ".duplicates.parquet")
    )
    return frozenset((*task.crops.stores, *tables, "index.journal", FEATURES))


def _counts(read: ReadArchive, written: Written) -> dict[str, int]:
    """Count studies and files; what is rare is named only where there is any."""
    reasons = [reject.reason for reject in written.rejects]
    counts = {
        "studies": len(written.readings),
        "images": len(read.store),
        "refused": sum(reason not in ("not_dicom", LOCALIZER) for reason in reasons),
        "no_dicom": reasons.count("not_dicom"),
    }
    rare = {
        "unread": sum(one.state == "unread" for one in written.readings),  # studies
        "localizers": read.selection.localizers.height,
        "outside_what_was_learned": sum(one.placement.inside is False for one in written.readings),
        "made_consistent": sum(bool(one.broken) for one in written.readings),
        "images_of_other_modalities": read.selection.others,
        "filled_in_submission": len(written.filled),  # of which there is no answer
        "without_objects": 0 if written.objects is None else written.objects.refused,  # studies
    }
    if written.objects is not None:
        counts["objects"] = written.objects.objects
    return counts | {name: number for name, number in rare.items() if number}
