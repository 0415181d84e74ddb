"""tasks/own/mask_submission.py: a submission of run-length masks, as a task's file describes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from wetread.archive.files.atomic import write_csv
from wetread.evaluation.mask_submission import score_mask_submission
from wetread.evaluation.submission import SubmissionScores
from wetread.labels.cell_values import CellValues
from wetread.labels.finding import Finding
from wetread.labels.label_form import LabelForm, read_labels
from wetread.labels.marks import Marks
from wetread.labels.rle import (
    EMPTY,
    FORMS,
    RleError,
    find_rle_form,
    read_edges,
    read_numbers,
)
from wetread.labels.table import LabelError, LabelTable
from wetread.labels.text_table import read_text_table
from wetread.outputs.submission import SubmissionContent
from wetread.tasks.own.submission import files_as, require_columns
from wetread.tasks.task import SubmissionForm

# Forms that can be written of a mask without its image's shape.
WRITTEN = tuple(name for name, form in FORMS.items() if form.by_columns and name != "coco")
_ANY_SIZE = 2**40  # pixels: more than an image has


@dataclass(frozen=True)
class OwnMaskSubmission:
    """How masks of one finding are written: a row an image.

    id, value: the columns of ids and of texts. runs_form: one of WRITTEN. empty: the text of a mask
    without a pixel.
    """

    finding: str
    id: str = "ImageId"
    value: str = "EncodedPixels"
    runs_form: str = "relative"
    empty: str = EMPTY

    @property
    def form(self) -> SubmissionForm:
        """Return what reads, writes, scores and checks it."""
        return SubmissionForm(self.read, self.write, self.score, self.check_sample, of_masks=True)

    def read(self, path: Path, findings: Sequence[Finding]) -> LabelTable:
        """Read a submission: the masks of images."""
        form = LabelForm(
            layout="marks",
            id=self.id,
            id_of="image",
            words={self.finding: (self.finding,)},
            cells=CellValues(blank=0.0),
            value=self.value,
            marks=Marks(self.runs_form, (self.value,)),
            drawn=(self.finding,),
        )
        return read_labels(path, form, [one for one in findings if one.name == self.finding])

    def write(self, path: Path, content: SubmissionContent) -> Sequence[str]:
        """Write a submission, sorted by id or in the order of a sample; return the images that got
        an empty mask because none was drawn."""
        texts = {image: self._text(runs) for image, runs in content.masks.items()}
        if content.sample is None:
            ids = sorted({*content.ids, *content.expected})
        else:
            ids = (
                read_text_table(content.sample).frame[self.id].unique(maintain_order=True).to_list()
            )
        table = pl.DataFrame(
            {self.id: ids, self.value: [texts.get(one, self.empty) for one in ids]},
            schema={self.id: pl.String(), self.value: pl.String()},
        )
        write_csv(path, table)
        return [one for one in ids if one not in texts]

    def _text(self, relative: str) -> str:
        """Write a mask of the form "relative" in the form of the submission."""
        if relative == EMPTY:
            return self.empty
        edges = FORMS["relative"].to_edges(read_numbers(relative), _ANY_SIZE)
        numbers = find_rle_form(self.runs_form).to_numbers(edges, _ANY_SIZE)
        return " ".join(map(str, numbers.tolist()))

    def score(
        self,
        truth: LabelTable,
        submission: LabelTable,
        findings: Sequence[Finding],
        split: str,
        rng: np.random.Generator,
        patients: Mapping[str, str] | None = None,
    ) -> SubmissionScores:
        """Score a submission by the mean Dice of images over masks that truth knows."""
        truth = files_as(truth, "image")
        strange = truth.masks.filter(~pl.col("form").is_in(WRITTEN))["form"].unique().to_list()
        if strange:
            raise LabelError(
                f"true masks in the form {strange[0]!r} need the sizes of their images: evaluate "
                "the readings with their archive"
            )
        own, lengths = [Finding(self.finding)], _lengths((truth, submission), self.finding)
        # Overlap and area are those of the pixels counted by columns, whatever a column's length.
        shapes = {image: (length, 1) for image, length in lengths.items()}
        return score_mask_submission(truth, submission, own, split, rng, patients, shapes)

    def check_sample(self, sample: Path, findings: Sequence[Finding]) -> None:
        """Raise LabelError where a sample submission is not in this form."""
        require_columns(sample, (self.id, self.value))


def _lengths(tables: Sequence[LabelTable], finding: str) -> dict[str, int]:
    """Find how many pixels of each image the masks of all tables reach, 1 at least."""
    ends: dict[str, int] = {}
    for table in tables:
        ends |= dict.fromkeys(set(table.frame["id"]) - set(ends), 1)
        rows = table.masks.filter(pl.col("finding") == finding)
        for image, form, texts in rows.select("id", "form", "runs").iter_rows():
            try:
                edges = [read_edges(text, _ANY_SIZE, find_rle_form(form)) for text in texts]
            except RleError as problem:
                raise LabelError(f"the mask of image {image!r}: {problem}") from problem
            longest = max((int(one.max(initial=1)) for one in edges), default=1)
            ends[image] = max(ends.get(image, 1), longest)
    return ends
