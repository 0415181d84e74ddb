"""verbs/explore/opened.py: an archive as it is explored: its table, and who is whose patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from wetread.archive.identity.pseudonym import is_placeholder
from wetread.archive.index.index import Index
from wetread.inputs.patients import asks_for_study, patients_by_image
from wetread.study.patients import meaningless_ids
from wetread.survey.objects import collected, count_objects, images_of

AS_STUDY = "each study is taken for a patient, as asked for"
# Columns of the index that labels, patients and pictures need: not all of them fit for millions.
NEEDED = (
    "path", "member", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "PatientID",
    "Modality", "ViewPosition", "Rows", "Columns", "NumberOfFrames", "row_spacing_mm",
    "column_spacing_mm", "position_mm", "orientation", "InstanceNumber",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class OpenedArchive:
    """An index that is explored.

    given: a file of image and patient, "study", or None for the headers.
    """

    index: Index
    given: str | None

    @property
    def table(self) -> pl.LazyFrame:
        """The table of the index, read when asked."""
        return self.index.table

    @cached_property
    def counts(self) -> pl.DataFrame:
        """The numbers of count_objects."""
        return count_objects(self.table)

    @cached_property
    def unknown_patients(self) -> str | None:
        """Why nobody tells who is whose patient; None where headers do, or a file."""
        if self.given is not None:
            return AS_STUDY if asks_for_study(self.given) else None
        numbers = self.counts.row(0, named=True)
        known = collected(images_of(self.table).select(pl.col("PatientID").count())).item()
        reason = meaningless_ids(
            images=numbers["images"],
            known=known,
            patients=numbers["patients"],
            studies=numbers["studies"],
        )
        if reason is not None or not numbers["images"]:
            return reason
        names = collected(images_of(self.table).select("PatientID").unique())["PatientID"]
        if all(name is None or is_placeholder(name) for name in names):
            return "no image has a PatientID that names anybody"
        return None

    @cached_property
    def patients(self) -> int | None:
        """How many patients there are, by the file or else the headers; None where neither says."""
        if self.unknown_patients is not None:
            return None
        return self.studies["patient"].drop_nulls().n_unique()

    @cached_property
    def studies(self) -> pl.DataFrame:
        """Which study is of which patient, each pair once: StudyInstanceUID, patient."""
        columns = ("StudyInstanceUID", "patient")
        if self.given is not None:
            return self.read(("SOPInstanceUID", "StudyInstanceUID")).select(columns).unique()
        pairs = collected(images_of(self.table).select("StudyInstanceUID", "PatientID").unique())
        return self._with_patients(pairs).select(columns)

    @cached_property
    def images(self) -> pl.DataFrame:
        """The columns NEEDED of the images, with `patient`."""
        return self.read(NEEDED)

    def read(self, columns: Sequence[str]) -> pl.DataFrame:
        """Read columns of the images, with `patient`: by the file, or else the header; null where
        nobody is named, and where the headers' ids say nothing."""
        rows = collected(images_of(self.table).select(columns))
        if self.unknown_patients is not None:
            return rows.with_columns(patient=pl.lit(None, pl.String))
        if self.given is not None:
            named = patients_by_image(rows, self.given)
            patient = pl.col("SOPInstanceUID").replace_strict(
                named, default=None, return_dtype=pl.String
            )
            return rows.with_columns(patient=patient)
        return self._with_patients(rows)

    def _with_patients(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Add `patient`, by the header; null where nobody is named."""
        names = rows["PatientID"].unique().drop_nulls()
        nobody = [name for name in names if is_placeholder(name)]
        known = ~pl.col("PatientID").is_in(nobody)
        return rows.with_columns(patient=pl.when(known).then("PatientID"))
