"""labels/patients_csv.py: which image is of which patient, from a CSV file. No id is printed."""

from pathlib import Path

import polars as pl

from wetread.labels.csv_file import (
    LINE,
    check_ids,
    first_column,
    read_text_columns,
    split_spec,
)
from wetread.labels.table import LabelError

IMAGE_COLUMNS = ("image", "ImageId")
PATIENT_COLUMNS = ("patient", "PatientID")


def read_patients(spec: str | Path) -> dict[str, str]:
    """Read which image is of which patient, both as text as they are written (leading zeros stay;
    blanks around a patient do not count).

    spec: `FILE.csv` with columns image (or ImageId) and patient (or PatientID), or
    `FILE.csv:IMAGE,PATIENT` with the columns' names. LabelError for an empty cell and for an image
    of two patients; the same line twice is one.
    """
    path, image, patient = read_spec(spec)
    rows = read_text_columns(path, (image, patient))
    check_ids(path, rows, image)
    rows = rows.with_columns(pl.col(patient).str.strip_chars())  # PS3.5 6.2: blanks do not count
    check_ids(path, rows, patient)
    pairs = rows.unique(subset=[image, patient], keep="first", maintain_order=True)
    torn = pairs.filter(pl.col(image).is_duplicated()).sort(LINE)
    if not torn.is_empty():
        first = torn.filter(pl.col(image) == torn[image][0])
        raise LabelError(
            f"{path}: lines {first[LINE][0]} and {first[LINE][1]} give {first[image][0]} to two "
            f"patients ({torn[image].n_unique()} such images). An image is of one; correct them."
        )
    return dict(zip(pairs[image], pairs[patient], strict=True))


def read_spec(spec: str | Path) -> tuple[Path, str, str]:
    """Return the file, and the names of its image and patient columns."""
    path, columns = split_spec(spec)
    if columns is None:
        image = first_column(path, IMAGE_COLUMNS, "image")
        return path, image, first_column(path, PATIENT_COLUMNS, "patient")
    names = columns.split(",")
    if len(names) != 2 or not all(names) or names[0] == names[1]:
        raise LabelError(
            f"{path}: {columns!r} names no two columns; write FILE.csv:IMAGE,PATIENT, the columns "
            "of the image's id and of the patient's."
        )
    return path, names[0], names[1]
