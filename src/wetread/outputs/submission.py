"""outputs/submission.py: the long form `ID,Label`, ID = `<image>_<finding>`, complete."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from wetread.archive.files.atomic import write_csv
from wetread.labels.finding import Finding, finding_names
from wetread.labels.table import EXAM_SCHEMA
from wetread.labels.text_table import read_text_table

ID, LABEL = "ID", "Label"


@dataclass(frozen=True, eq=False)
class SubmissionContent:
    """Content of a competition's file.

    ids:         N images.
    probability: (N, F) of the findings, NaN where there is none.
    prior:       (F,) for images without a probability.
    masks:       image to the text of its mask (labels/rle.py), where masks are drawn.
    sample:      the sample submission, for its rows and their order.
    expected:    images that must be there, read or not.
    exams:       EXAM_SCHEMA, of ids and expected; studies: study to (S,) probabilities of the
                 task's findings of studies; study_prior: (S,). For files that hold studies, too.
    """

    ids: Sequence[str]
    probability: np.ndarray
    findings: Sequence[str]
    prior: np.ndarray
    masks: Mapping[str, str]
    sample: Path | None
    expected: Sequence[str]
    exams: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=EXAM_SCHEMA))
    studies: Mapping[str, np.ndarray] = field(default_factory=dict)
    study_prior: np.ndarray = field(default_factory=lambda: np.empty(0))


def submit_probabilities(path: Path, what: SubmissionContent) -> tuple[str, ...]:
    """The long form; the IDs that got the prior."""
    return write_submission(
        path, what.ids, what.probability, what.findings, what.prior, what.sample, what.expected
    )


def write_submission(
    path: Path,
    ids: Sequence[str],
    probabilities: np.ndarray,
    findings: Sequence[str],
    prior: np.ndarray,
    sample: Path | None = None,
    expected: Sequence[str] = (),
) -> tuple[str, ...]:
    """Write the file; return the IDs that got the prior because no probability was given.

    ids (N) images and probabilities (N, F), NaN where there is none; prior (F,).
    sample: a file in the same form; its rows, in its order, are written, no other.
    Without one: ids and `expected` (images that must be there, read or not) sorted by image,
    findings in their order.
    """
    probabilities = np.asarray(probabilities, dtype=np.float64)
    _check(ids, probabilities, findings, prior)
    given = pl.DataFrame(
        {
            "image": np.repeat(np.asarray(ids, dtype=object), len(findings)).tolist(),
            "finding": list(findings) * len(ids),
            LABEL: probabilities.ravel(),
        },
        schema={"image": pl.String(), "finding": pl.String(), LABEL: pl.Float64()},
    ).select(pl.concat_str("image", "finding", separator="_").alias(ID), LABEL)
    wanted = (
        _sample_rows(sample, findings)
        if sample is not None
        else _sorted_rows([*ids, *expected], findings)
    )
    means = {name: float(share) for name, share in zip(findings, prior, strict=True)}
    rows = wanted.join(
        given.with_columns(pl.col(LABEL).fill_nan(None)), on=ID, how="left", maintain_order="left"
    )
    filled = rows.filter(pl.col(LABEL).is_null())[ID].to_list()
    prior_of_row = pl.col("finding").replace_strict(means, return_dtype=pl.Float64)
    write_csv(path, rows.select(ID, pl.col(LABEL).fill_null(prior_of_row)))
    return tuple(filled)


def check_sample(sample: Path, findings: Sequence[Finding]) -> None:
    """Raise ValueError where a sample submission is not in this form. findings: of images."""
    _sample_rows(sample, finding_names(findings))


def _sorted_rows(images: Sequence[str], findings: Sequence[str]) -> pl.DataFrame:
    distinct = pl.DataFrame({"image": list(images)}, schema={"image": pl.String()})
    names = pl.DataFrame({"finding": list(findings)}, schema={"finding": pl.String()})
    return (
        distinct.unique()
        .sort("image")
        .join(names, how="cross", maintain_order="left_right")
        .select(pl.concat_str("image", "finding", separator="_").alias(ID), "finding")
    )


def _sample_rows(sample: Path, findings: Sequence[str]) -> pl.DataFrame:
    rows = read_text_table(sample).frame
    if ID not in rows.columns:
        raise ValueError(
            f"{sample}: no column {ID!r}; the header has {', '.join(map(repr, rows.columns))}. "
            "Give the competition's sample submission."
        )
    rows = rows.select(ID, finding=pl.col(ID).str.split("_").list.last()).with_row_index("line", 2)
    strange = rows.filter(~pl.col("finding").is_in(list(findings)).fill_null(False))
    if not strange.is_empty():
        raise ValueError(
            f"{sample}: line {strange['line'][0]}: {strange[ID][0]!r} does not end in an "
            f"underscore and one of {', '.join(findings)}. Give the sample submission of this task."
        )
    twice = rows.filter(pl.col(ID).is_duplicated())
    if not twice.is_empty():
        raise ValueError(
            f"{sample}: line {twice['line'][0]}: {twice[ID][0]!r} stands there more than once. "
            "Remove the repeated lines."
        )
    return rows.select(ID, "finding")


def _check(
    ids: Sequence[str], probabilities: np.ndarray, findings: Sequence[str], prior: np.ndarray
) -> None:
    if probabilities.shape != (len(ids), len(findings)) or len(prior) != len(findings):
        raise ValueError(
            f"probabilities are {probabilities.shape} and the prior {np.shape(prior)}; {len(ids)} "
            f"images and {len(findings)} findings ask for {(len(ids), len(findings))}."
        )
    if len(set(ids)) != len(ids):
        twice = next(name for name in ids if list(ids).count(name) > 1)
        raise ValueError(f"image {twice!r} is given twice; give every image once.")
    if not np.all(np.isfinite(prior)):
        raise ValueError(
            "the prior has a finding without a number; give the training share of each."
        )
    outside = (probabilities < 0) | (probabilities > 1)
    if outside.any():
        row, column = np.argwhere(outside)[0]
        raise ValueError(
            f"image {ids[row]!r}, {findings[column]}: {probabilities[row, column]!r} is no "
            "probability; give the network's sigmoid, not its logit."
        )
