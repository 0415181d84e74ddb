"""study/patients.py: which slices are of one patient, and how well that is known."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

import polars as pl

from wetread.archive.identity.pseudonym import is_placeholder
from wetread.archive.plural import plural

PatientUnit = Literal["patient", "study", "mixed"]
RARE = 20  # where fewer than one patient in so many has two studies, ids may be new in each
MANY = 10  # studies, of which half with one id are more than one patient has


@dataclass(frozen=True)
class Identity:
    """How the patients of a set of images are known.

    unit:    "patient"; "study", where no patient is known; "mixed", where of some images none is.
    source:  where the ids come from: "the headers' PatientID", ...
    reason:  why there is no proof that no patient is in two parts; None where there is one.
    caution: what speaks against the ids although they are taken as they are.
    images_without_patient: whose study stands for their patient.
    ids_repaired: ids of a file of patients that were an image's but for a blank, path or ending.
    """

    unit: PatientUnit
    source: str
    reason: str | None = None
    caution: str | None = None
    images_without_patient: int = 0
    ids_repaired: int = 0

    @property
    def proven(self) -> bool:
        """Whether it can be proven that no patient is in two parts."""
        return self.unit == "patient"

    def to_dict(self) -> dict[str, object]:
        """Return plain values, for JSON."""
        return asdict(self)


def find_patients(
    slices: pl.DataFrame, source: str, *, named: bool = False
) -> tuple[pl.Series, Identity]:
    """Find the patient of every slice (N,), never null, and how well it is known.

    slices: SOPInstanceUID, SeriesInstanceUID, StudyInstanceUID and patient (null: not known).
    named:  the patients were given on purpose: one id for all, or one a file, is taken as it is.
    Raises ValueError where the images of one study are of several patients.
    """
    rows = slices.select(
        study=pl.coalesce("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"),
        patient=pl.when(~_is_placeholder(slices["patient"])).then("patient"),
    )
    known = rows["patient"].drop_nulls()
    reason = None
    if not named:
        reason = meaningless_ids(
            images=rows.height,
            known=known.len(),
            patients=known.n_unique(),
            studies=rows["study"].n_unique(),
        )
    if reason is not None:
        rows = rows.with_columns(patient=pl.lit(None, pl.String))
    _refuse_torn_studies(rows)
    of_study = pl.col("patient").drop_nulls().first().over("study")  # one, or none
    rows = rows.with_columns(patient=pl.col("patient").fill_null(of_study))
    lost = rows["patient"].null_count()
    unit = rows.select(pl.coalesce("patient", "study"))["patient"].alias("patient")
    if lost == rows.height and lost:
        reason = reason or f"no image has a patient in {source}{_placeholder(slices)}"
        return unit, Identity("study", source, reason, images_without_patient=lost)
    if lost:
        reason = f"{lost} of {rows.height} images have no patient in {source}{_placeholder(slices)}"
        return unit, Identity("mixed", source, reason, images_without_patient=lost)
    return unit, Identity("patient", source, caution=None if named else _caution(rows))


def _is_placeholder(patients: pl.Series) -> pl.Series:
    """Whether each of (N,) ids names nobody."""
    different = patients.unique().drop_nulls()
    nobody = [patient for patient in different if is_placeholder(patient)]
    return patients.is_null() | patients.is_in(nobody)


def _placeholder(slices: pl.DataFrame) -> str:
    """Quote the commonest placeholder; "" where there is none."""
    patients = slices["patient"].drop_nulls()
    words = patients.filter(_is_placeholder(patients))
    return f" (but {words.mode().sort()[0]!r})" if len(words) else ""


def meaningless_ids(*, images: int, known: int, patients: int, studies: int) -> str | None:
    """Explain why the ids of headers do not identify patients, from the numbers of images, of those
    whose patient is known, of patients and of studies; None where they may."""
    if patients == 1 and studies > 1 and known == images:
        return f"all {studies} studies have one and the same PatientID"
    if known > 1 and patients == known:
        return "every image has a PatientID of its own"
    return None


def _caution(rows: pl.DataFrame) -> str | None:
    """Explain why PatientIDs may not identify patients; None where nothing speaks against it."""
    studies: list[int] = rows.unique().group_by("patient").len()["len"].to_list()
    several = sum(count > 1 for count in studies)
    if len(studies) > 1 and sum(studies) >= MANY and 2 * max(studies) >= sum(studies):
        return f"one PatientID stands for {max(studies)} of the {sum(studies)} studies"
    if several * RARE < len(studies):
        return (
            f"{several or 'none'} of {len(studies)} patients {'has' if several < 2 else 'have'} "
            "more than one study, as where ids are new in each study"
        )
    return None


def _refuse_torn_studies(rows: pl.DataFrame) -> None:
    """Raise ValueError where one study's images are of several patients."""
    patients = rows.group_by("study", maintain_order=True).agg(
        pl.col("patient").drop_nulls().n_unique()
    )
    torn = patients.filter(pl.col("patient") > 1)["study"].to_list()
    if torn:
        subject = f"{plural(len(torn), 'study')} {'is' if len(torn) == 1 else 'are'}"
        raise ValueError(
            f"{subject} of several patients each, the first {torn[0]}: they would be learned and "
            "scored at once. Say which image is of which patient with `patients=FILE`, or take "
            "each study for a patient: `patients=study`"
        )
