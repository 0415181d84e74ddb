"""verbs/calibrate/calibrate.py: a run fitted to a new site by a few labeled studies of it.

The new run's folder holds all that the run's does, as hard links where the disk has them, and

    calibration.json      the run's scaling with the new one behind it
    predictions.parquet   the run's predictions for patients it never saw, scaled so
    scores.json, page.html
    calibrated-on/        index and store of the studies that were given
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from wetread.archive.files.atomic import write_whole
from wetread.archive.files.lock import exclusive_output
from wetread.archive.files.paths import as_paths
from wetread.archive.files.table_file import write_table
from wetread.archive.identity.user_key import user_key
from wetread.archive.plural import plural
from wetread.archive.types import StrPath, StrPaths
from wetread.inputs.archive import open_archive, require_sources
from wetread.inputs.label_file import read_label_file
from wetread.inputs.patients import asks_for_study, assign_patients
from wetread.inputs.progress import Report, silent
from wetread.labels.finding import finding_names
from wetread.labels.patients_csv import read_patients
from wetread.labels.table import merge_labels
from wetread.prediction.ensemble import RunError, read_ensemble
from wetread.store.store import Store, open_store
from wetread.tasks import Task
from wetread.training.calibration import (
    FILE,
    CalibratedOn,
    Calibration,
    LabeledProbabilities,
    digests,
    fit_calibration,
    put_behind,
    read_calibration,
)
from wetread.training.predictions import FILE as PREDICTIONS
from wetread.training.predictions import from_table, read_predictions
from wetread.training.prepare import consistency
from wetread.verbs.calibrate.labeled_answers import labeled_answers, repair_ids
from wetread.verbs.evaluate.evaluate import LEVELS, evaluate
from wetread.verbs.predict.read_archive import pack_selection, read_stores, task_of
from wetread.verbs.predict.selection import select_images

STUDIES = "calibrated-on"  # the folder of index and store of what was given
OWN = (FILE, PREDICTIONS, "scores.json", "page.html", STUDIES)  # not taken from the run


@dataclass(frozen=True)
class FindingChange:
    """Effect of a calibration on one finding at one level, on the very studies that chose it.

    mean_before, mean_after: probability; share: of positives among the labeled.
    """

    level: str
    finding: str
    kind: str
    patients: int
    positives: int
    slope: float
    bias: float
    mean_before: float
    mean_after: float
    share: float


@dataclass(frozen=True)
class CalibrationResult:
    """Where the calibrated run lies, on how much it was calibrated, and what that changed.

    images, studies, patients: that have a label; of a study, or of a slice of it.
    ids_repaired: ids of label files that were an image's but for a blank, a path or an ending.
    """

    run: Path
    images: int
    studies: int
    patients: int
    changes: tuple[FindingChange, ...]
    ids_repaired: int = 0

    def to_dict(self) -> dict[str, object]:
        """Return the result as plain values, for JSON; what is not known is null."""
        rows = [
            {
                name: None if isinstance(value, float) and not np.isfinite(value) else value
                for name, value in vars(change).items()
            }
            for change in self.changes
        ]
        return {
            "run": str(self.run),
            "images": self.images,
            "studies": self.studies,
            "patients": self.patients,
            "ids_repaired": self.ids_repaired,
            "changes": rows,
        }


@exclusive_output()
def calibrate(
    run: StrPath,
    source: StrPaths,
    out: StrPath,
    *,
    labels: StrPaths,
    columns: Mapping[str, str] | None = None,
    patients: StrPath | None = None,
    workers: int | None = None,
    report: Report = silent,
    repair: bool = True,
    as_hu: bool = False,
    clear_patients: bool = False,
    verify: bool = False,
) -> CalibrationResult:
    """Fit a run's probabilities to a new site on a few labeled studies of it.

    run: the folder that `train` wrote; it stays as it is.
    source: folders, zips, tars or files of the new site, one or several; or one index (.parquet).
    out: the folder of the calibrated run, a whole run by itself.
    labels: files in the competition's form, or `FILE.csv:COLUMN`. columns: as for `train`.
    patients: a CSV of image and patient, or "study", in place of the headers' PatientID.
    repair, as_hu, verify, clear_patients, workers: as for `predict`.

    Slope and bias of every finding's logits are fitted where at least five patients have it and
    five have it not, else as evaluation/platt.py says; the order of probabilities stays. What is
    read of these studies later carries the caution `calibrated_on_this_study`: the calibrated run
    is no more to be scored on them. Raises ValueError where no study has a label, where a study is
    one that the run learned from or was scored on, and where `out` is the run itself or another.
    """
    run, out, sources = Path(run), Path(out), as_paths(source)
    _check_folders(run, out)
    require_sources(sources)
    ensemble = read_ensemble([run])
    task = task_of(ensemble)
    table = merge_labels([read_label_file(path, task, columns) for path in as_paths(labels)])
    patients_file = None if patients is None else os.fspath(patients)
    if patients_file is not None and not asks_for_study(patients_file):
        read_patients(patients_file)
    key, folder = None if clear_patients else user_key(), out / STUDIES
    archive = open_archive(
        sources, folder, workers=workers, report=report, repair=repair, as_hu=as_hu, key=key
    )
    # What the headers refuse is refused before any pixel is read, what patients do before a
    # network reads.
    selection = select_images(archive, task)
    _refuse_studies_of(run, selection.slices)
    table, repaired = repair_ids(table, task, selection.slices, patients_file)
    stores = pack_selection(
        selection, ensemble, folder, workers=workers, report=report, verify=verify
    )
    (store,), who = assign_patients(stores[:1], archive, patients_file, key, folder)
    read = read_stores(stores, selection, ensemble, folder, report=report)
    answers = labeled_answers(read, store, table)
    fitted = fit_calibration(answers.levels, _describe(run, store, answers.levels))
    _write_calibrated(run, out, fitted, task)
    (on,) = fitted.on
    return CalibrationResult(
        out, on.images, len(answers.studies), on.patients, _changes(answers.levels, fitted),
        repaired + who.ids_repaired,
    )  # fmt: skip


def _write_calibrated(run: Path, out: Path, fitted: Calibration, task: Task) -> None:
    """Write the calibrated run: the files of the run, both scalings, and its own predictions and
    their scores anew."""
    _link_run(run, out)
    whole = put_behind(read_calibration(run), fitted)
    text = json.dumps(whole.to_dict(), indent=1, allow_nan=False)
    write_whole(out / FILE, f"{text}\n".encode())
    if (run / PREDICTIONS).is_file():
        write_table(scale_predictions(run / PREDICTIONS, fitted, task), out / PREDICTIONS)
        evaluate(out)


def scale_predictions(path: Path, calibration: Calibration, task: Task) -> pl.DataFrame:
    """Scale the predictions of a run (training/predictions.py) by a further calibration, and make
    them consistent again."""
    table = read_predictions(path, {level: task.at(level) for level in LEVELS})
    found = [from_table(table, level, task.at(level)) for level in LEVELS]
    scaled = [
        replace(
            one,
            probability=calibration.apply(one.level, finding_names(one.findings), one.probability),
        )
        for one in found
        if one is not None
    ]
    for one in consistency(task.spec)(scaled):
        values = pl.Series(one.probability.ravel())
        places = np.flatnonzero((table["level"] == one.level).to_numpy())
        table = table.with_columns(table["probability"].scatter(places, values))
    return table


def _check_folders(run: Path, out: Path) -> None:
    """Raise ValueError where the calibrated run would lie over a run."""
    if out.exists() and out.resolve() == run.resolve():
        raise ValueError(f"{out} is the run itself, which stays as it is; give another folder")
    if (out / "about.json").exists() and not (out / STUDIES).is_dir():
        raise ValueError(f"{out} holds another run; give another folder")


def _refuse_studies_of(run: Path, slices: pl.DataFrame) -> None:
    """Raise ValueError where a study is one that the run learned from or was scored on."""
    if not (run / "store").is_dir():
        return
    known = set(open_store(run / "store").slices["StudyInstanceUID"].drop_nulls())
    shared = known & set(slices["StudyInstanceUID"].drop_nulls())
    if shared:
        raise RunError(
            f"{plural(len(shared), 'study')} of `source`, the first {min(shared)}, "
            f"{'is' if len(shared) == 1 else 'are'} in {run} already, which learned from such or "
            "was scored on them; give studies that it does not know"
        )


def _describe(run: Path, store: Store, levels: Sequence[LabeledProbabilities]) -> CalibratedOn:
    """Describe what a run is calibrated on; the digests are of all studies of these patients, for
    what has no label of its own is of a patient that had a share in it."""
    images, studies = levels
    labeled = ~np.isnan(images.truth).all(axis=1)
    rows = store.slices.filter(pl.Series(labeled, dtype=pl.Boolean))
    known = ~np.isnan(studies.truth).all(axis=1)
    patients = {
        name
        for level, which in ((images, labeled), (studies, known))
        for name, inside in zip(level.patients, np.atleast_1d(which), strict=True)
        if inside
    }
    of_studies = store.slices.filter(pl.col("patient").is_in(list(patients)))
    return CalibratedOn(
        f"labeled studies of another site, given to wetread calibrate for the run {run.name}",
        rows.height,
        len(patients),
        digests(of_studies["StudyInstanceUID"].drop_nulls()),
    )


def _link_run(run: Path, out: Path) -> None:
    """Bring a run's files into a folder, but for those of OWN: as hard links, else as copies."""
    for file in sorted(path for path in run.rglob("*") if path.is_file()):
        name = file.relative_to(run)
        if name.parts[0] in OWN:
            continue
        target = out / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        try:
            os.link(file, target)
        except OSError:  # another disk, or one without hard links
            shutil.copy2(file, target)


def _changes(
    levels: Sequence[LabeledProbabilities], calibration: Calibration
) -> tuple[FindingChange, ...]:
    """List what the calibration does to each finding of each level."""
    changes = []
    for level in levels:
        after = calibration.apply(level.level, level.findings, level.probability)
        for column, name in enumerate(level.findings):
            known = ~np.isnan(level.truth[:, column])
            one = calibration.fitted[level.level][name]
            means = [
                float(values[known, column].mean()) if known.any() else float("nan")
                for values in (level.probability, after)
            ]
            changes.append(
                FindingChange(
                    level.level, name, one.kind, one.patients, one.positives, one.scaling.slope,
                    one.scaling.bias, means[0], means[1], one.share,
                )
            )  # fmt: skip
    return tuple(changes)
