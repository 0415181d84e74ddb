"""tasks/embolism/submission.py: probabilities of exams and images in the competition's form."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from wetread.archive.files.atomic import write_csv
from wetread.archive.types import Float64Array
from wetread.labels.exams import ExamIndex, Exams, exam_index, require_probabilities
from wetread.labels.finding import Finding
from wetread.labels.text_table import read_text_table
from wetread.outputs.submission import SubmissionContent
from wetread.prediction.consistency import make_consistent
from wetread.tasks.embolism.consistency import COSTS
from wetread.tasks.embolism.findings import EXAM_NAMES, IMAGE_FINDING, RATIOS
from wetread.tasks.embolism.label_csv import ID, LABEL, STUDY_LABEL


def submit_exams(path: Path, content: SubmissionContent) -> tuple[str, ...]:
    """Write the competition's file of exams and images; return the ids that got the prior."""
    index = exam_index(content.exams)
    images = dict(zip(content.ids, content.probability[:, 0].tolist(), strict=True))
    nothing = np.full(len(EXAM_NAMES), np.nan)
    probability = Exams(
        np.array(
            [content.studies.get(study, nothing)[: len(EXAM_NAMES)] for study in index.studies]
        ).reshape(-1, len(EXAM_NAMES)),
        np.array([images.get(uid, np.nan) for uid in index.frame["image"]], np.float64),
        index.starts,
    )
    return write_exam_submission(path, index, probability, _prior_exam(content), content.sample)


def _prior_exam(content: SubmissionContent) -> tuple[Float64Array, float]:
    """Make the answer for an exam of which nothing could be read, (9,), and for an image: shares of
    training, as an exam that obeys the rules. RV/LV is known in positive exams alone, so its share
    is taken times theirs; an image above 0.5 would contradict exams that were read."""
    study = content.study_prior[: len(EXAM_NAMES)].copy()
    study[list(RATIOS)] *= content.study_prior[len(EXAM_NAMES)]
    image = min(float(content.prior[0]), 0.5)
    # Without images the cheapest exam that obeys is one without an embolus.
    consistent = make_consistent(Exams(study[None], np.empty(0), np.array([0, 0])), COSTS)
    return consistent.study[0], image


def write_exam_submission(
    path: Path,
    index: ExamIndex,
    probability: Exams,
    prior: tuple[Float64Array, float],
    sample: Path | None = None,
) -> tuple[str, ...]:
    """Write the file `id,label`; return the ids that got the prior in place of a probability.

    Its rows: for each of the nine labels, in the order of EXAM_FINDINGS, `<study>_<label>` of every
    study in the index's order; then every image in its order: 9 N + M in all.

    probability: of the index's exams, NaN where there is none. Every digit is written: a value just
            above 0.5 is above it when it is read again.
    prior:  (9,) of an exam's labels, and one of every image.
    sample: a file in the same form; its rows, in its order, are written, no other.
    Raises ValueError where something is no probability, or the sample is of another form.
    """
    study, image = (np.asarray(part, dtype=np.float64) for part in prior)
    require_probabilities(Exams(study[None], image[None], np.array([0, 1])))
    require_probabilities(
        Exams(
            np.nan_to_num(probability.study), np.nan_to_num(probability.image), probability.starts
        )
    )
    given = _rows(index, probability)
    wanted = given.select(ID) if sample is None else _sample_ids(sample)
    rows = wanted.join(given, on=ID, how="left", maintain_order="left")
    mean = dict(zip(EXAM_NAMES, study.tolist(), strict=True)) | {IMAGE_FINDING.name: float(image)}
    finding = pl.col(ID).str.extract_groups(STUDY_LABEL).struct.field("finding")
    prior_of_row = finding.fill_null(IMAGE_FINDING.name).replace_strict(
        mean, return_dtype=pl.Float64
    )
    write_csv(path, rows.with_columns(pl.col(LABEL).fill_null(prior_of_row)))
    return tuple(rows.filter(pl.col(LABEL).is_null())[ID])


def _rows(index: ExamIndex, probability: Exams) -> pl.DataFrame:
    """List (id, label), null where there is no probability, in the file's order."""
    if len(index.studies) != len(probability) or not np.array_equal(
        index.starts, probability.starts
    ):
        raise ValueError(
            f"the index has {len(index.studies)} exams with {index.frame.height} images, the "
            f"probabilities are of {len(probability)} with {len(probability.image)}; give both of "
            "the same exams."
        )
    studies = pl.Series(index.studies, dtype=pl.String())
    ids = [*(studies + f"_{name}" for name in EXAM_NAMES), index.frame["image"]]
    rows = pl.DataFrame(
        {ID: pl.concat(ids), LABEL: np.append(probability.study.T.ravel(), probability.image)}
    )
    return rows.with_columns(pl.col(LABEL).fill_nan(None))


def check_exam_sample(sample: Path, findings: Sequence[Finding]) -> None:
    """Raise ValueError where a sample submission is not in this form, whose ids say what they
    are of."""
    _sample_ids(sample)


def _sample_ids(sample: Path) -> pl.DataFrame:
    rows = read_text_table(sample).frame
    if ID not in rows.columns:
        raise ValueError(
            f"{sample}: no column {ID!r}; the header has {', '.join(map(repr, rows.columns))}. "
            "Give the competition's sample submission."
        )
    ids = rows.select(ID).with_row_index("line", 2)
    wrong = ids.filter(pl.col(ID).is_null() | (pl.col(ID) == "") | pl.col(ID).is_duplicated())
    if not wrong.is_empty():
        raise ValueError(
            f"{sample}: line {wrong['line'][0]}: {wrong[ID][0]!r} stands there more than once, or "
            f"is no id ({wrong.height} such lines). Remove those lines."
        )
    return ids.select(ID)
