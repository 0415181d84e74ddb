"""tasks/embolism/submission_scores.py: a submission of exams and images against a truth file's
labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from wetread.archive.plural import plural
from wetread.archive.types import BoolArray, Float64Array
from wetread.evaluation.baselines import constant_prior
from wetread.evaluation.evaluate import ALL, LabeledRows, evaluate
from wetread.evaluation.intervals import DRAWS, draw_patients, drawn_ratio, percentile_interval
from wetread.evaluation.score import Score, Scores, finite_or_none
from wetread.evaluation.submission import SubmissionScores, mark_incomplete, patients_of
from wetread.labels.exams import ExamIndex, Exams, exam_index, with_studies
from wetread.labels.finding import Finding, finding_names
from wetread.labels.table import LABEL_SCHEMA, LabelError, LabelTable
from wetread.tasks.embolism.exams import as_scored, exams_of
from wetread.tasks.embolism.findings import EXAM_FINDINGS, EXAM_NAMES, IMAGE_FINDING, NOT_POSITIVE
from wetread.tasks.embolism.metric import best_constants, constant_exams, exam_losses
from wetread.tasks.embolism.rules import RULES

LEVEL_AND_ID = {name: LABEL_SCHEMA[name] for name in ("level", "id")}


@dataclass(frozen=True, eq=False)
class Compared:
    """Truth and probabilities of the same N exams with M images.

    known:    labels, NaN where unknown or undefined.
    given:    probabilities, NaN where the submission has none.
    lost_study, lost_image: (N, 9) and (M,) bool: labels that count and were not answered.
    index:    which exams and images these are.
    patients: of each exam; the exam's own name where none are given.
    split, rng, draws: as evaluate() takes them.
    """

    known: Exams
    given: Exams
    lost_study: BoolArray
    lost_image: BoolArray
    index: ExamIndex
    patients: tuple[str, ...]
    split: str
    rng: np.random.Generator
    draws: int


def score_exam_submission(
    truth: LabelTable,
    submission: LabelTable,
    findings: Sequence[Finding],
    split: str,
    rng: np.random.Generator,
    patients: Mapping[str, str] | None = None,
    index: ExamIndex | None = None,
) -> SubmissionScores:
    """Score the official log loss and the rest, over the labels that truth knows.

    `weighted_log_loss` is the competition's figure, in which an RV/LV label that is undefined
    counts as "no"; `exam_log_loss` and `image_log_loss` are its two parts, each over its own
    weights. Beside each its prior: the best constants for this very truth, a floor that no prior
    from elsewhere can better. The scores of RV/LV by itself are over positive exams alone.
    `inconsistent_exams` counts the exams that break a rule; which they break stands in `broken`.

    A finding with missing probabilities gets no score, and then what is taken over all findings
    gets none either: leaving out the hard ones would flatter. What is too many is listed and
    passed over.

    findings: those scored one by one, of the nine and the image's.
    patients: patient of each study, or of each image, for the intervals; None: no intervals, and
              patients count 0.
    index:    which image is of which exam; None: as the truth file says.
    Raises LabelError where a patient is not given, or the images of an exam are of two.
    """
    index = with_studies(exam_index(truth.exams) if index is None else index, _studies(truth))
    known, given = exams_of(truth, index), exams_of(submission, index)
    lost_study = ~np.isnan(as_scored(known).study) & np.isnan(given.study)
    lost_image = ~np.isnan(known.image) & np.isnan(given.image)
    compared = Compared(
        known, given, lost_study, lost_image, index,
        _patients_of_exams(index, patients), split, rng, DRAWS if patients else 0,
    )  # fmt: skip
    broken = _broken(compared)
    scores = [
        *_official(compared),
        (_inconsistent(compared, len(broken)), None),
        *_by_finding(compared, finding_names(findings)),
    ]
    missing = [
        *(f"{index.studies[row]}_{EXAM_NAMES[column]}" for row, column in np.argwhere(lost_study)),
        *index.frame["image"].gather(np.flatnonzero(lost_image)),
    ]
    return SubmissionScores(
        Scores(mark_incomplete(score, lost, patients is not None) for score, lost in scores),
        tuple(missing),
        _too_many(truth, submission, index),
        broken,
    )


def _official(compared: Compared) -> list[tuple[Score, str | None]]:
    """Score the competition's figure and its two parts, each with its prior after it; and say in
    words what is missing of them."""
    truth = _answered(as_scored(compared.known), compared.given)
    ours = exam_losses(truth, compared.given)
    prior = exam_losses(truth, constant_exams(truth, *best_constants(truth)))
    in_study, in_image = _count_missing(compared.lost_study), _count_missing(compared.lost_image)
    whole = _count_missing(np.append(compared.lost_study, compared.lost_image))
    if np.isnan(compared.known.image).all():
        whole = "truth labels no image"
    rows, times = draw_patients(compared.patients, compared.draws, compared.rng)
    return [
        (_score(compared, metric, level, part, drawn_ratio(*part, rows, times)), lost)
        for metric, level, part, lost in (
            ("weighted_log_loss", "all", (ours.loss, ours.weight), whole),
            ("weighted_log_loss_prior", "all", (prior.loss, prior.weight), whole),
            ("exam_log_loss", "study", (ours.study_loss, ours.study_weight), in_study),
            ("exam_log_loss_prior", "study", (prior.study_loss, prior.study_weight), in_study),
            ("image_log_loss", "image", (ours.image_loss, ours.image_weight), in_image),
            ("image_log_loss_prior", "image", (prior.image_loss, prior.image_weight), in_image),
        )
    ]


def _score(
    compared: Compared,
    metric: str,
    level: str,
    part: tuple[Float64Array, Float64Array],
    drawn: Float64Array,
) -> Score:
    """Score sum(over) / sum(under) of the exams, part (over, under), (N,) each, with the interval
    of the draws' own (draws,)."""
    over, under = part
    counted = under > 0
    value = float(over.sum() / under.sum()) if counted.any() else float("nan")
    patients = len({compared.patients[exam] for exam in np.flatnonzero(counted)})
    interval = percentile_interval(drawn) if patients > 1 else None
    low, high = interval or (None, None)
    if not counted.any():
        reason: str | None = f"no known label that weighs among {len(counted)} exams"
    else:
        reason = None if interval else "no interval: too few patients"
    return Score(
        metric, ALL, level, compared.split, finite_or_none(value), low, high,
        patients, _positives(compared.known), reason,
    )  # fmt: skip


def _positives(known: Exams) -> int:
    """Count the exams known to be neither negative nor indeterminate."""
    return int((known.study[:, list(NOT_POSITIVE)] < 0.5).all(axis=1).sum())


def _by_finding(compared: Compared, names: Sequence[str]) -> list[tuple[Score, str | None]]:
    """Score each finding, and say in words what is missing of it."""
    known, given = compared.known, compared.given
    of_image = tuple(compared.patients[exam] for exam in known.exam_of_image)
    left = _answered(known, given)
    scores: list[tuple[Score, str | None]] = []
    for level, findings, truth, probability, patients, lost in (
        ("study", EXAM_FINDINGS, left.study, given.study, compared.patients, compared.lost_study),
        ("image", (IMAGE_FINDING,), left.image[:, None], given.image[:, None], of_image,
         compared.lost_image[:, None]),
    ):  # fmt: skip
        missing = {
            finding.name: _count_missing(lost[:, column])
            for column, finding in enumerate(findings)
            if finding.name in names
        }
        scores += [
            (score, missing[score.finding])
            for score in evaluate(
                LabeledRows(truth, findings, patients, level, compared.split),
                probability,
                compared.rng,
                prior=constant_prior(truth),
                draws=compared.draws,
            )
            if score.finding in missing  # not "all": a mean without q is no figure of this task
        ]  # fmt: skip
    return scores


def _broken(compared: Compared) -> dict[str, tuple[str, ...]]:
    """Find by study the rules it breaks, of the exams that the submission has whole."""
    given = compared.given
    whole = _whole(given)
    filled = replace(given, study=np.nan_to_num(given.study), image=np.nan_to_num(given.image))
    rules = RULES.broken_rules(filled) & whole[:, None]
    return {
        compared.index.studies[exam]: RULES.names(rules[exam])
        for exam in np.flatnonzero(rules.any(axis=1))
    }


def _inconsistent(compared: Compared, broken: int) -> Score:
    """Report how many exams break a rule; no value where some are not whole."""
    parted = int((~_whole(compared.given)).sum())
    value = None if parted else float(broken)
    reason = (
        f"{plural(parted, 'exam')} {'is' if parted == 1 else 'are'} not whole"
        if parted
        else "no interval: it is a count"
    )
    return Score(
        "inconsistent_exams", ALL, "study", compared.split, value, None, None,
        len(set(compared.patients)), _positives(compared.known), reason,
    )  # fmt: skip


def _whole(given: Exams) -> BoolArray:
    """Mark the exams (N,) of which the submission has all nine labels and all images, and any: of
    an exam whose images nobody named it is not known which rules it is to obey."""
    lacking = np.isnan(given.study).any(axis=1) | (given.sum_images(np.isnan(given.image)) > 0)
    lacking |= given.sizes == 0
    return ~lacking


def _answered(truth: Exams, given: Exams) -> Exams:
    """Set truth to unknown where there is no probability."""
    return replace(
        truth,
        study=np.where(np.isnan(given.study), np.nan, truth.study),
        image=np.where(np.isnan(given.image), np.nan, truth.image),
    )


def _count_missing(lost: BoolArray) -> str | None:
    return f"{lost.sum()} probabilities are missing" if lost.any() else None


def _studies(truth: LabelTable) -> list[str]:
    listed = truth.frame.filter(pl.col("level") == "study")
    return listed["id"].unique(maintain_order=True).to_list()


def _too_many(truth: LabelTable, submission: LabelTable, index: ExamIndex) -> tuple[str, ...]:
    """List the submission's ids that are no exam's and no image's here."""
    studies = pl.DataFrame({"level": "study", "id": index.studies}, schema=LEVEL_AND_ID)
    images = index.frame.select(pl.lit("image").alias("level"), pl.col("image").alias("id"))
    strange = submission.frame.join(
        pl.concat([studies, images, truth.frame.select("level", "id")]),
        on=["level", "id"],
        how="anti",
        maintain_order="left",
    )
    return tuple(
        f"{name}_{finding}" if level == "study" else name
        for level, name, finding in strange.select("level", "id", "finding").iter_rows()
    )


def _patients_of_exams(index: ExamIndex, patients: Mapping[str, str] | None) -> tuple[str, ...]:
    """Find each exam's patient: as given for the study, or else for its images."""
    if patients is None or all(study in patients for study in index.studies):
        return tuple(patients_of(index.studies, patients))
    images = np.array(patients_of(index.frame["image"].to_list(), patients), dtype=object)
    owners: list[str] = []
    for study, start, end in zip(index.studies, index.starts, index.starts[1:], strict=False):
        of_exam = set(images[start:end])
        if len(of_exam) > 1:
            raise LabelError(
                f"the images of exam {study!r} are given to {len(of_exam)} patients. An exam is "
                "of one; correct the table of patients."
            )
        owners += of_exam or patients_of([study], patients)
    return tuple(owners)
