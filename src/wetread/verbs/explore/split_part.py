"""verbs/explore/split_part.py: persons on both sides: of a split, and of two archives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from wetread.archive.files.json_file import read_json
from wetread.archive.identity.pseudonym import is_pseudonym, pseudonym
from wetread.archive.identity.user_key import user_key
from wetread.archive.plural import plural
from wetread.labels.table import LabelError
from wetread.labels.text_table import read_text_table
from wetread.pages.survey_page import PageTable
from wetread.survey.charts import bar_chart
from wetread.survey.patients import (
    count_parts,
    patients_in_parts,
    shared_ids,
    studies_a_patient,
    with_part,
)
from wetread.survey.warning import SurveyWarning, first_examples
from wetread.verbs.explore.opened import OpenedArchive
from wetread.verbs.explore.part import Part

PLAN = "a plan of folds (folds.json of a run: an object with 'assignment')"
SPLIT = "Patients and splits"
SHARED = {  # by the warning: what is shared, in the singular
    "patient_in_two_sources": "patient",
    "study_in_two_sources": "study",
    "image_in_two_sources": "image",
}


@dataclass(frozen=True, eq=False)
class Split:
    """A split: its file, and the part of each patient, study, series or image by its id."""

    file: Path
    parts: Mapping[str, str]


def patients_part(opened: OpenedArchive, split: Split | None) -> Part:
    """Survey patients: how many studies each has, and where a split is given, that nobody is in
    two of its parts. LabelError where it names nothing here."""
    if opened.unknown_patients is not None:
        why = {"patients in two parts": opened.unknown_patients}
        return Part(SPLIT, not_looked=why)
    counts = studies_a_patient(opened.studies)
    charts = [partial(bar_chart, counts, "studies", "patients", "Studies a patient has")]
    tables = [PageTable("studies_a_patient", "Studies a patient has", counts, folded=True)]
    if split is None:
        why = {"patients in two parts": "no split was given"}
        return Part(SPLIT, charts=tuple(charts), tables=tuple(tables), not_looked=why)
    images, parts = opened.images, split.parts
    if any(map(is_pseudonym, parts)):
        images = _with_pseudonyms(images)
    named = with_part(images, parts)["part"].count()
    if named == 0:
        raise LabelError(
            f"{split.file}: none of its {len(parts)} ids is a patient, study, series or image "
            "here; give the split of this archive, under this user's key where it has pseudonyms"
        )
    torn = patients_in_parts(images, parts)
    tables += [
        PageTable("parts", "The parts of the split", count_parts(images, parts)),
        PageTable("patients_in_parts", "Patients in several parts", torn),
    ]
    warnings = []
    if torn.height:
        known = images["patient"].drop_nulls().n_unique()
        detail = f"{plural(torn.height, 'patient')} of {known} in several "
        examples = first_examples(torn["examples"].explode())
        warnings.append(
            SurveyWarning(
                "patient_in_two_parts", f"{detail}parts of {split.file.name}", torn.height, examples
            )
        )
    left = images.height - named
    return Part(
        SPLIT,
        note=f"The split leaves out {plural(left, 'image')}." if left else "",
        charts=tuple(charts),
        tables=tuple(tables),
        warnings=tuple(warnings),
        looked_for=("patient_in_two_parts",),
    )


def read_split(file: Path) -> Split:
    """Read the part of each patient, study or image: folds.json of a run, or a table whose first
    column has the ids and whose last the parts. LabelError where it is neither, or an id is in two
    parts."""
    if file.suffix.lower() == ".json":
        assignment = read_json(file, PLAN, {"assignment": dict})["assignment"]
        return Split(file, {str(one): str(part) for one, part in assignment.items()})
    frame = read_text_table(file).frame
    if frame.width < 2:
        raise LabelError(f"{file}: a split has two columns, an id and its part")
    pairs = frame.select(id=pl.nth(0), part=pl.nth(-1)).drop_nulls().unique(maintain_order=True)
    twice = pairs.filter(pl.col("id").is_duplicated())
    if twice.height:
        raise LabelError(
            f"{file}: {twice['id'].n_unique()} ids of column {frame.columns[0]!r} are in several "
            f"parts of column {frame.columns[-1]!r}; an id is in one"
        )
    return Split(file, dict(pairs.iter_rows()))


def sources_part(opened: OpenedArchive, other: OpenedArchive) -> Part:
    """Compare two archives: the same patients, studies and images in both."""
    unknown = opened.unknown_patients or other.unknown_patients
    images, others = opened.images, other.images
    patients = pl.concat([images["patient"], others["patient"]]).unique().drop_nulls()
    if any(map(is_pseudonym, patients)):  # of one or both: compared as such
        images, others = _with_pseudonyms(images), _with_pseudonyms(others)
    found = shared_ids(images, others)
    warnings, tables = [], []
    for name, rows in found.items():
        if not rows.height:
            continue
        noun = SHARED[name]
        detail = f"{plural(rows.height, noun)} in both archives"
        warnings.append(SurveyWarning(name, detail, rows.height, first_examples(rows[:, -2])))
        tables.append(PageTable(name, detail.capitalize(), rows))
    looked = tuple(name for name in found if unknown is None or name != "patient_in_two_sources")
    return Part(
        "Two archives",
        tables=tuple(tables),
        warnings=tuple(warnings),
        looked_for=looked,
        not_looked={} if unknown is None else {"patients in both archives": unknown},
    )


def _with_pseudonyms(images: pl.DataFrame) -> pl.DataFrame:
    """Return images with the pseudonyms of their patients, under the user's key."""
    key, patients = user_key(), images["patient"]
    names = {one: pseudonym(one, key) for one in patients.unique().drop_nulls()}
    hidden = patients.replace_strict(names, default=None, return_dtype=pl.String)
    return images.with_columns(patient=hidden)
