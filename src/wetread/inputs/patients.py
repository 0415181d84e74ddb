"""inputs/patients.py: the stores of a run with the patients that are never parted, and their order.

Patients are dealt in the order of their clear ids, which no key changes; these are read again from
one file of each patient, and kept nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from wetread.archive.containers.sources import Entry
from wetread.archive.identity.pseudonym import is_pseudonym, pseudonym
from wetread.archive.identity.user_key import UserKey
from wetread.archive.index.examine import examine
from wetread.archive.index.index import Index
from wetread.archive.index.schema import MARKS
from wetread.archive.plural import plural
from wetread.labels.patients_csv import read_patients
from wetread.labels.repair import repair_keys
from wetread.store.store import Store
from wetread.study.patients import Identity, find_patients
from wetread.training.about import read_assignment
from wetread.training.folds import FoldPlan

BY_STUDY = "study"  # --patients study
FOLDS = "folds.json"


def assign_patients(
    stores: Sequence[Store],
    archive: Index,
    given: str | Path | None,
    key: UserKey | None,
    run: Path,
) -> tuple[tuple[Store, ...], Identity]:
    """Give stores of the same slices the columns patient (the unit that folds never split) and
    patient_order (its place among all); and find how well the patients are known, as
    assign_slice_patients does."""
    slices, identity = assign_slice_patients(stores[0].slices, archive, given, key, run)
    columns = slices["patient"], slices["patient_order"]
    return tuple(
        replace(store, slices=store.slices.with_columns(*columns)) for store in stores
    ), identity


def assign_slice_patients(
    slices: pl.DataFrame,
    archive: Index,
    given: str | Path | None,
    key: UserKey | None,
    run: Path,
) -> tuple[pl.DataFrame, Identity]:
    """Give slices, rows of a store's table, the columns patient (the unit that folds never split)
    and patient_order (its place among all); and find how well the patients are known.

    given: a file of patients, "study", or None for the headers. run: a folder, whose folds.json has
    the order where patients were dealt before.
    Raises ValueError where an image has no patient in the file, or a study has several.
    """
    clear: Mapping[str, str] = {}
    if given is None:
        patients, identity = find_patients(_of_headers(slices), "the headers' PatientID")
    elif asks_for_study(given):
        nobody = slices.with_columns(patient=pl.lit(None, pl.String))
        patients, identity = find_patients(nobody, f"--patients {BY_STUDY}")
        identity = replace(identity, reason="each study is taken for a patient, as asked for")
    else:
        named = read_patients(given)
        clear = {_shared(patient, key): patient for patient in named.values()}
        named, repaired = _of_studies_too(named, slices)
        assigned = _of_file(slices, named, str(given), key)
        patients, identity = find_patients(assigned, "a file of patients", named=True)
        identity = replace(identity, ids_repaired=repaired)
    units = patients.unique().to_list()
    order = _order_before(run, units)
    if order is None:
        clear = clear or _clear_of_headers(archive.images, units)
        order = sorted(units, key=lambda unit: clear.get(unit, unit))
    place = {unit: number for number, unit in enumerate(order)}
    number = patients.replace_strict(place, return_dtype=pl.Int64).alias("patient_order")
    return slices.with_columns(patients, number), identity


def _of_studies_too(named: Mapping[str, str], slices: pl.DataFrame) -> tuple[dict[str, str], int]:
    """Return the patients of images as a file names them, by the images' own ids or their
    studies'; and how many ids were repaired."""
    images, studies = slices["SOPInstanceUID"].to_list(), slices["StudyInstanceUID"].to_list()
    of_images, repaired = repair_keys(named, images)
    missing = {
        image: study for image, study in zip(images, studies, strict=True) if image not in of_images
    }
    if not missing:
        return of_images, repaired
    of_studies, count = repair_keys(named, [one for one in missing.values() if one])
    found = {image: of_studies[study] for image, study in missing.items() if study in of_studies}
    return {**of_images, **found}, repaired + count


def patients_by_image(images: pl.DataFrame, given: str | Path | None) -> dict[str, str]:
    """Read which patient each image of an index is of, by a file of images or studies; {} where
    given is "study" or None."""
    if given is None or asks_for_study(given):
        return {}
    named, _ = _of_studies_too(read_patients(given), images)
    there = set(images["SOPInstanceUID"].drop_nulls())
    return {image: patient for image, patient in named.items() if image in there}


def asks_for_study(given: str | Path) -> bool:
    """Whether `patients` asks for the study in a patient's place; a file of that name is one."""
    return str(given) == BY_STUDY and not Path(given).is_file()


def describe_folds(plan: FoldPlan, identity: Identity) -> dict[str, Any]:
    """Return the content of folds.json: the plan, with its proof only where patients are known;
    else the parts' counts as `balance`."""
    values = plan.to_dict() | {"identity": identity.unit, "reason": identity.reason}
    if identity.proven:
        return values | {"caution": identity.caution}
    return values | {"proof": None, "balance": plan.proof["parts"]}


def name_by_deal_order(table: pl.DataFrame, run: Path) -> pl.DataFrame:
    """Call a table's patients by the place at which they were dealt, so that intervals, which
    draw patients in the order of their names, are the same under every key."""
    dealt = read_assignment(run)
    places = {patient: f"{place:09d}" for place, patient in enumerate(dealt)}
    return table.with_columns(pl.col("patient").replace(places))


def _of_headers(slices: pl.DataFrame) -> pl.DataFrame:
    """Set the patient to null where the store has the study in a patient's place."""
    no_patient = pl.col("patient") == pl.col("StudyInstanceUID")
    return slices.with_columns(patient=pl.when(~no_patient.fill_null(False)).then("patient"))


def _of_file(
    slices: pl.DataFrame, patients: Mapping[str, str], file: str, key: UserKey | None
) -> pl.DataFrame:
    """Give slices the patients of a file. ValueError where an image is not in it."""
    ids = slices["SOPInstanceUID"]
    strangers = [uid for uid in ids if uid not in patients]
    if strangers:
        raise ValueError(
            f"{file}: {plural(len(strangers), 'image')} without a patient there, the first "
            f"{strangers[0]}; add them, or leave the file out"
        )
    assigned = [_shared(patients[uid], key) for uid in ids]
    return slices.with_columns(pl.Series("patient", assigned, dtype=pl.String))


def _shared(patient: str, key: UserKey | None) -> str:
    return patient if key is None else pseudonym(patient, key)


def _order_before(run: Path, units: Sequence[str]) -> list[str] | None:
    """Read the order in which a run has dealt these patients; None where it has not."""
    file = run / FOLDS
    if not file.is_file():
        return None
    dealt = list(read_assignment(file.parent))
    return dealt if set(dealt) >= set(units) else None


def _clear_of_headers(images: pl.DataFrame, units: Iterable[str]) -> dict[str, str]:
    """Find the ids behind pseudonyms, read from the first image of each; one that cannot be read
    is left out."""
    wanted = [unit for unit in units if is_pseudonym(unit)]
    first = images.filter(pl.col("PatientID").is_in(wanted)).unique("PatientID", keep="first")
    clear = {}
    for patient, *marks in first.select("PatientID", *MARKS).iter_rows():
        found = examine(Entry(*marks), repair=False).get("PatientID")
        if found is not None:
            clear[patient] = found
    return clear
