"""verbs/evaluate/owners.py: the patient of every image, series and study that is scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from wetread.archive.plural import plural
from wetread.inputs.patients import asks_for_study
from wetread.inputs.predictions import Predictions
from wetread.labels.patients_csv import read_patients
from wetread.labels.repair import repair_keys
from wetread.labels.table import LabelError
from wetread.study.patients import Identity, find_patients

Owners = Mapping[str, Mapping[str, str]]  # level to id to patient
UNKNOWN = "no file of patients and no archive say who is whom"


def find_owners(
    predictions: Predictions, places: pl.DataFrame, given: str | Path | None
) -> tuple[Owners, Identity]:
    """Find whose each image, series and study is, and how well that is known.

    places: EXAM_SCHEMA. given: a file of patients (of images, or of studies), "study", or None for
    the headers of the archive, where the predictions have one. Who is not known is taken for one
    patient a study, and where studies are not known, one an image. Raises LabelError where a series
    or study has several patients.
    """
    if given is not None and not asks_for_study(given):
        return _of_file(predictions, places, given)
    if predictions.index is not None:
        of_image, identity = _of_headers(predictions, given)
        return _at_all_levels(of_image, places), identity
    of_image = dict(places.select("image", "study").iter_rows())
    alone = {name: name for level in ("image", "study") for name in _ids(predictions, level)}
    reason = UNKNOWN if given is None else "each study is taken for a patient, as asked for"
    owners = _at_all_levels(alone | of_image, places)
    return {level: alone | dict(named) for level, named in owners.items()}, Identity(
        "study", "the ids themselves", reason
    )


def patients_at(owners: Owners, level: str, ids: Sequence[str]) -> list[str]:
    """Return the patients of ids of a level; LabelError where one has none."""
    missing = [name for name in ids if name not in owners[level]]
    if missing:
        raise LabelError(
            f"{plural(len(missing), level)} without a patient, the first {missing[0]}; add them to "
            "the file of `patients`, or leave it out"
        )
    return [owners[level][name] for name in ids]


def _of_file(
    predictions: Predictions, places: pl.DataFrame, given: str | Path
) -> tuple[Owners, Identity]:
    named = read_patients(given)
    images, studies = _ids(predictions, "image"), _ids(predictions, "study")
    named, repaired = repair_keys(named, [*images, *studies])
    of_image = {image: named[image] for image in {*images, *places["image"]} if image in named}
    owners = _at_all_levels(of_image, places, str(given))
    direct = {study: named[study] for study in studies if study in named}
    owners = {**owners, "study": {**owners["study"], **direct}}
    return owners, Identity("patient", "a file of patients", ids_repaired=repaired)


def _of_headers(
    predictions: Predictions, given: str | Path | None
) -> tuple[dict[str, str], Identity]:
    assert predictions.index is not None  # the caller has asked
    images = predictions.index.images.filter(pl.col("SOPInstanceUID").is_not_null())
    slices = images.select(
        "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", patient=pl.col("PatientID")
    )
    source = "the headers' PatientID"
    if given is not None:
        slices, source = slices.with_columns(patient=pl.lit(None, pl.String)), "each study"
    patients, identity = find_patients(slices, source)
    return dict(zip(slices["SOPInstanceUID"], patients, strict=True)), identity


def _at_all_levels(of_image: Mapping[str, str], places: pl.DataFrame, file: str = "") -> Owners:
    """Carry the patients of images over to their series and studies."""
    owners: dict[str, Mapping[str, str]] = {"image": of_image}
    known = places.with_columns(
        patient=pl.col("image").replace_strict(dict(of_image), default=None, return_dtype=pl.String)
    ).drop_nulls("patient")
    for level in ("series", "study"):
        pairs = known.select(level, "patient").unique(maintain_order=True)
        torn = pairs.filter(pl.col(level).is_duplicated())
        if torn.height:
            raise LabelError(
                f"{file or 'the headers'}: the images of {level} {torn[level][0]} are given to "
                "several patients. One is of one; correct the table"
            )
        owners[level] = dict(pairs.iter_rows())
    return owners


def _ids(predictions: Predictions, level: str) -> list[str]:
    frame = predictions.table.frame
    return frame.filter(pl.col("level") == level)["id"].unique(maintain_order=True).to_list()
