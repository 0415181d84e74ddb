"""survey/patients.py: who is where: a patient in several studies, parts or archives.

In: rows of Indexes with a column `patient`, whose values are compared and never put out. Out:
frames of counts, and of the UIDs of studies.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from wetread.survey.objects import Table, collected, distinct, hashed, images_of

OWNERS = ("patient", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
SOURCES = {  # what two archives may share, the widest first, and the warning of it
    "patient": "patient_in_two_sources",
    "StudyInstanceUID": "study_in_two_sources",
    "SOPInstanceUID": "image_in_two_sources",
}


def studies_a_patient(images: Table) -> pl.DataFrame:
    """Count patients by their number of studies: studies, patients."""
    known = images.lazy().filter(pl.col("patient").is_not_null())
    pairs = known.select(patient=hashed("patient"), study=hashed("StudyInstanceUID"))
    studies = pairs.group_by("patient").agg(studies=distinct("study"))
    counts = studies.group_by("studies").agg(patients=pl.len())
    return collected(counts).sort("studies")


def studies_of_two_patients(table: Table) -> pl.DataFrame:
    """Find studies whose headers name several patients: study, patients (how many), images."""
    known = images_of(table).filter(pl.col("PatientID").is_not_null())
    found = (
        known.group_by(study="StudyInstanceUID")
        .agg(patients=pl.col("PatientID").hash().n_unique(), images=pl.len())
        .filter(pl.col("study").is_not_null() & (pl.col("patients") > 1))
    )
    return collected(found).sort("study")


def patients_in_parts(images: pl.DataFrame, parts: Mapping[str, str]) -> pl.DataFrame:
    """Find patients with images in several parts of a split, a row each: parts (joined names),
    studies, images, examples (the UID of a study of each part).

    images: rows of an index with a column `patient`. parts: the part of a patient, study, series or
    image by its id.
    """
    known = with_part(images, parts).drop_nulls(["patient", "part"])
    first = known.group_by("patient", "part", maintain_order=True).agg(
        study=pl.col("StudyInstanceUID").drop_nulls().first()
    )
    examples = first.group_by("patient", maintain_order=True).agg(examples="study")
    return (
        known.group_by("patient", maintain_order=True)
        .agg(
            names=pl.col("part").unique().sort(),
            studies=distinct("StudyInstanceUID"),
            images=pl.len(),
        )
        .filter(pl.col("names").list.len() > 1)
        .join(examples, on="patient", maintain_order="left")
        .select(pl.col("names").list.join(", ").alias("parts"), "studies", "images", "examples")
    )


def with_part(images: pl.DataFrame, parts: Mapping[str, str]) -> pl.DataFrame:
    """Add the column `part`: that of the image, its series, study or patient, the first that the
    split names; null where it names none."""
    found = [
        pl.col(column).replace_strict(parts, default=None, return_dtype=pl.String)
        for column in reversed(OWNERS)
    ]
    return images.with_columns(part=pl.coalesce(found))


def count_parts(images: pl.DataFrame, parts: Mapping[str, str]) -> pl.DataFrame:
    """Count what the parts of a split hold: part (null: of images that it does not name), patients,
    studies, images. images: rows of an index with a column `patient`."""
    return (
        with_part(images, parts)
        .group_by("part")
        .agg(
            patients=distinct("patient"),
            studies=distinct("StudyInstanceUID"),
            images=pl.len(),
        )
        .sort("part", nulls_last=True)
    )


def shared_ids(images: pl.DataFrame, others: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Find the patients, studies and images in both of two archives, by warning: a row each, with
    `study` (the UID of one that is concerned), of images SOPInstanceUID, and `images`.

    images, others: rows of their indexes with a column `patient`, null where it is not known.
    """
    found = {}
    for column, name in SOURCES.items():
        there = others.select(column).drop_nulls().unique()
        shared = images.drop_nulls(column).join(there, on=column, how="semi")
        studies = shared.group_by(column, maintain_order=True).agg(
            study=pl.col("StudyInstanceUID").first(), images=pl.len()
        )
        named = [column] if column == "SOPInstanceUID" else []
        found[name] = studies.select("study", *named, "images")
    return found
