"""tasks/own/submission.py: a submission in the form that a task's file describes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from wetread.archive.files.atomic import write_csv
from wetread.archive.types import Float64Array
from wetread.evaluation.submission import SubmissionScores, score_submission
from wetread.evaluation.task_metric import TaskMetric, least_cost_answers
from wetread.labels.csv_file import read_header
from wetread.labels.finding import Finding, finding_names
from wetread.labels.label_form import LabelForm, read_labels
from wetread.labels.table import LabelError, LabelTable
from wetread.labels.text_table import read_text_table
from wetread.outputs.submission import SubmissionContent
from wetread.tasks.task import SubmissionForm

By = Literal["image", "series", "study"]
Layout = Literal["long", "wide"]
COLUMN = "finding"


@dataclass(frozen=True)
class OwnSubmission:
    """How a submission is written.

    metric, findings: by what answers are scored: those of least expected cost are written.
    layout: a row an id and finding, its id `ID_WORD`; or wide, a row an id and a column a finding.
    by:     what a row is of. words: finding to what the file calls it.
    id, value: the columns of ids, and of the probabilities of the long form.
    """

    metric: TaskMetric
    findings: tuple[Finding, ...]
    layout: Layout
    by: By
    words: Mapping[str, str]
    id: str = "ID"
    value: str = "Label"
    separator: str = "_"

    @property
    def form(self) -> SubmissionForm:
        """Return what reads, writes, scores and checks it."""
        return SubmissionForm(self.read, self.write, self.score, self.check_sample)

    def read(self, path: Path, findings: Sequence[Finding]) -> LabelTable:
        """Read a submission: probabilities of images, or of studies."""
        layout = "long" if self.layout == "long" else "columns"
        form = LabelForm(
            layout=layout,
            id=self.id,
            id_of=self.by,
            words={one.name: (self.words[one.name],) for one in findings},
            value=self.value if layout == "long" else None,
            separator=self.separator,
        )
        return read_labels(path, form, findings)

    def write(self, path: Path, content: SubmissionContent) -> Sequence[str]:
        """Write a submission, sorted by id or in the order of a sample; return the ids that got
        the shares of training."""
        ids, values = self._answers(content)
        level = "image" if self.by == "image" else "study"
        values = least_cost_answers(self.metric, self.findings, values, level)
        prior = content.prior if self.by == "image" else content.study_prior
        prior = least_cost_answers(self.metric, self.findings, np.array([prior]), level)[0]
        columns = {
            self.words[name]: np.where(np.isnan(values[:, k]), prior[k], values[:, k])
            for k, name in enumerate(content.findings)
        }
        table = pl.DataFrame({self.id: pl.Series(ids, dtype=pl.String), **columns}).sort(self.id)
        lost = {ids[row] for row in np.flatnonzero(np.isnan(values).any(axis=1))}
        if self.layout == "long":
            table = table.unpivot(index=self.id, variable_name=COLUMN, value_name=self.value)
            joined = pl.concat_str(self.id, COLUMN, separator=self.separator).alias(self.id)
            table = table.sort(self.id, maintain_order=True).select(joined, self.value)
        if content.sample is not None:
            table, absent = _as_sample(content.sample, self.id, table, self._priors(content, prior))
            lost |= set(absent)
        write_csv(path, table)
        return sorted(lost)

    def _answers(self, content: SubmissionContent) -> tuple[list[str], Float64Array]:
        """Return ids and probabilities (N, F), NaN where there is no answer."""
        if self.by == "image":
            read = dict(zip(content.ids, content.probability, strict=True))
            ids = list(dict.fromkeys([*content.ids, *content.expected]))
        else:
            pairs = content.exams.select(id=self.by, study="study").unique(maintain_order=True)
            ids = pairs["id"].to_list()
            of_study = dict(zip(ids, pairs["study"], strict=True))
            read = {one: content.studies[s] for one, s in of_study.items() if s in content.studies}
        nothing = np.full(len(content.findings), np.nan)
        values = [read.get(one, nothing) for one in ids]
        return ids, np.asarray(values, np.float64).reshape(len(ids), len(content.findings))

    def _priors(self, content: SubmissionContent, prior: Float64Array) -> dict[str, float]:
        return {self.words[name]: float(prior[k]) for k, name in enumerate(content.findings)}

    def score(
        self,
        truth: LabelTable,
        submission: LabelTable,
        findings: Sequence[Finding],
        split: str,
        rng: np.random.Generator,
        patients: Mapping[str, str] | None = None,
    ) -> SubmissionScores:
        """Score a submission over what truth knows of the same kind of ids."""
        of_level = [replace(one, level=self.by) for one in findings]  # type: ignore[arg-type]
        truth = files_as(truth, self.by)
        return score_submission(truth, submission, of_level, split, rng, patients, self.metric)

    def check_sample(self, sample: Path, findings: Sequence[Finding]) -> None:
        """Raise LabelError where a sample submission is not in this form."""
        words = [self.words[name] for name in finding_names(findings)]
        require_columns(sample, [self.id, *([self.value] if self.layout == "long" else words)])


def files_as(truth: LabelTable, level: str) -> LabelTable:
    """Return labels whose ids are of files as labels of a level."""
    of_level = pl.when(pl.col("level") == "file").then(pl.lit(level)).otherwise("level")
    return truth.with_frame(truth.frame.with_columns(level=of_level))


def require_columns(sample: Path, wanted: Sequence[str]) -> None:
    """Raise LabelError where a sample submission lacks a column."""
    header = read_header(sample)
    lacking = [name for name in wanted if name not in header]
    if lacking:
        raise LabelError(
            f"{sample}: no column {', '.join(map(repr, lacking))}; the header has "
            f"{', '.join(map(repr, header))}. Correct [submission] in the task's file."
        )


def _as_sample(
    sample: Path, id_column: str, table: pl.DataFrame, prior: Mapping[str, float]
) -> tuple[pl.DataFrame, list[str]]:
    """Return the rows of a sample in its order, and the ids there without an answer, which get the
    shares of training."""
    rows = read_text_table(sample).frame.select(id_column)
    joined = rows.join(table, on=id_column, how="left", maintain_order="left")
    values = [name for name in table.columns if name != id_column]
    absent = joined.filter(pl.col(values[0]).is_null())[id_column].to_list()
    if len(values) == 1 and values[0] not in prior:  # long: the share of the finding it ends in
        share = pl.lit(None, pl.Float64)
        for word, value in prior.items():
            share = pl.when(pl.col(id_column).str.ends_with(word)).then(value).otherwise(share)
        return joined.with_columns(pl.col(values[0]).fill_null(share)), absent
    return joined.with_columns(pl.col(name).fill_null(prior[name]) for name in values), absent
