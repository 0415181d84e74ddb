"""verbs/predict/series_masks.py: masks that were drawn along whole series, written as files in the
series' own space; and what is measured in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from wetread.anatomy.mask import volume_ml
from wetread.archive.files.atomic import write_csv, write_whole
from wetread.archive.types import JsonObject
from wetread.labels.rle import EMPTY, encode
from wetread.outputs.masks import NO_NIBABEL
from wetread.outputs.nifti import write_nifti_masks
from wetread.outputs.optional import MissingExtraError
from wetread.outputs.pictures import png_bytes
from wetread.outputs.uid_names import safe_name
from wetread.prediction.volumes import DrawnVolume
from wetread.store.store import Store
from wetread.study.placement import SlicePlacement, series_placement
from wetread.training.drawings import Drawings
from wetread.training.measures import DrawnStack, MaskMeasure, MeasureError

PHANTOMS = "held-out phantoms"  # in which the error of a number is found
NO_PLACE = "no NIfTI file: the headers give these slices no common place"


@dataclass(frozen=True)
class DrawnStudy:
    """Masks along the series that judges a study, as values for its reading.

    masks:    a finding each: volume, and the files that were written.
    measures: numbers measured in them, each with its error on phantoms.
    files:    NIfTI files of the whole series.
    """

    masks: tuple[JsonObject, ...]
    measures: tuple[JsonObject, ...]
    files: tuple[Path, ...]


@dataclass(frozen=True, eq=False)
class SeriesMaskSource:
    """Inputs of the masks of series besides the volumes that were drawn.

    store:    of the task's first crop. images: rows of the index, which say where slices lie.
    measures: of the task. runs: how each run decides, and its errors.
    """

    store: Store
    images: pl.DataFrame
    measures: Sequence[MaskMeasure]
    runs: Sequence[Drawings]


def write_series_masks(
    folder: Path, volumes: Mapping[str, Sequence[DrawnVolume]], source: SeriesMaskSource
) -> dict[str, DrawnStudy]:
    """Write the masks of each study's series, a finding each, into a folder: NIfTI of the whole
    series, CSV of runs slice by slice, PNG of the slice with the most of it."""
    found = {}
    for study, own in volumes.items():
        if not own:
            continue
        ids = source.store.slices["SOPInstanceUID"].gather(own[0].rows)
        place = series_placement(ids, source.images)
        masks = tuple(_write(folder, source.store, volume, place) for volume in own)
        files = tuple(folder / name for one in masks for name in one["files"] if ".nii" in name)
        found[study] = DrawnStudy(
            masks, measure_volumes(own, place, source.measures, source.runs), files
        )
    return found


def measure_volumes(
    volumes: Sequence[DrawnVolume],
    place: SlicePlacement,
    measures: Sequence[MaskMeasure],
    runs: Sequence[Drawings],
) -> tuple[JsonObject, ...]:
    """Measure the task's numbers in the masks of one series, each with its error; of the mean of
    several runs no error is known."""
    by_finding = {volume.finding: volume for volume in volumes}
    errors = runs[0].errors if len(runs) == 1 else {}
    found: list[JsonObject] = []
    for measure in measures:
        if not all(name in by_finding for name in measure.findings):
            continue
        masks = [by_finding[name].masks() for name in measure.findings]
        value = measure.measure(DrawnStack(masks, place))
        found.append(describe_measured(measure, value, errors.get(measure.name), PHANTOMS))
    return tuple(found)


def describe_measured(
    measure: MaskMeasure, value: float, error: MeasureError | None, error_in: str
) -> JsonObject:
    """Describe a measured number as plain values for a reading; error: where one is known, found in
    the studies that error_in names."""
    return {
        "name": measure.name,
        "unit": measure.unit,
        "value": float(value) if np.isfinite(value) else None,
        "bias": None if error is None else error.bias,
        "limits_of_agreement": None if error is None else list(error.limits),
        "error_studies": 0 if error is None else error.studies,
        "error_in": None if error is None else error_in,
    }


def _write(folder: Path, store: Store, volume: DrawnVolume, place: SlicePlacement) -> JsonObject:
    """Write one finding's files; its volume in ml, where the slices have a place."""
    slices = store.slices
    study, series = slices.select("StudyInstanceUID", "SeriesInstanceUID").row(int(volume.rows[0]))
    ids = slices["SOPInstanceUID"].gather(volume.rows).to_list()
    of_series = slices.filter(pl.col("SeriesInstanceUID") == series)["StudyInstanceUID"]
    name = series if of_series.n_unique() == 1 else f"{study}_{series}"
    stem = safe_name(f"{name}_{volume.finding}")
    pixels, runs, most, largest = list[int](), list[str](), 0, None
    for z, mask in enumerate(volume.masks()):
        pixels.append(int(np.count_nonzero(mask)))
        runs.append(encode(mask) if pixels[-1] else EMPTY)
        if largest is None or pixels[-1] > pixels[most]:  # of equal ones the first
            most, largest = z, mask
    write_csv(folder / f"{stem}.csv", pl.DataFrame({"ImageId": ids, "EncodedPixels": runs}))
    files, notes = [f"{stem}.csv"], []
    if largest is not None and pixels[most]:
        write_whole(
            folder / f"{stem}.png", png_bytes(np.where(largest, np.uint8(255), np.uint8(0)))
        )
        files.append(f"{stem}.png")
    if note := _write_nifti(folder / f"{stem}.nii.gz", volume, place):
        notes.append(note)
    else:
        files.append(f"{stem}.nii.gz")
    ml = volume_ml(pixels, place)
    return {
        "finding": volume.finding,
        "series_uid": series,
        "slices": int(np.count_nonzero(pixels)),
        "largest_in": ids[most] if pixels[most] else None,
        "volume_ml": ml if np.isfinite(ml) else None,
        "thresholds": [volume.thresholds.low, volume.thresholds.high],
        "files": files,
        "notes": notes,
    }


def _write_nifti(path: Path, volume: DrawnVolume, place: SlicePlacement) -> str:
    """Write the whole series' mask; why it was not written, or nothing."""
    if not np.isfinite(place.affine).all():
        return NO_PLACE
    shape = (len(volume.rows), *volume.shape)
    try:
        write_nifti_masks(path, volume.masks(), shape, place.affine)
    except MissingExtraError:
        return NO_NIBABEL
    return ""
