"""verbs/segment/series.py: one series in, the files of one organ of its volumes out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import numpy as np
import polars as pl

from wetread.anatomy.mask import Mask
from wetread.archive.executor.isolated_process import still_alive
from wetread.archive.files.atomic import write_whole
from wetread.archive.rejects import Reject, RejectError
from wetread.archive.types import JsonObject
from wetread.archive.version import VERSION
from wetread.outputs.mesh import surface_of, write_mesh
from wetread.outputs.nifti import write_nifti
from wetread.outputs.pictures import png_bytes
from wetread.outputs.sides import edge_letters
from wetread.outputs.uid_names import stack_name
from wetread.pages.mask_picture import mask_picture
from wetread.pages.scene_page import scene_parts, write_scene_page
from wetread.study.split import CAPTURE, STRAY, split_series
from wetread.study.stack import CHOICES, StackError
from wetread.study.unit import TAKEN_AS_HU
from wetread.study.volume import Volume
from wetread.verbs.segment.earlier import ENTRY_NAME, file_names, previous_entry
from wetread.verbs.segment.organs import SegmentOptions

PICTURE, PAGE = "picture.png", "page.html"
NOTE = "research use only, not for diagnosis"


@dataclass(frozen=True, eq=False)
class SegmentJob:
    """One series to segment: its rows of the index, the options, the output folder, and digests of
    its sources."""

    rows: pl.DataFrame
    options: SegmentOptions
    out: Path
    sources: tuple[str, ...]

    @property
    def uids(self) -> tuple[str, str]:
        """(study, series), "" where the header has none."""
        first = self.rows.row(0, named=True)
        return first["StudyInstanceUID"] or "", first["SeriesInstanceUID"] or ""

    def folder(self, number: int, volumes: int, acquisition: str) -> Path:
        """Return the folder of the volume of that number, of so many."""
        row = self.rows.row(0, named=True)
        return self.out / stack_name(row, number, volumes, "", acquisition) / self.options.organ

    def reject(self, reason: str, detail: str, volume: Volume | None = None) -> Reject:
        """Return the series, or one of its volumes, as a reject, by its first file."""
        own = self.rows
        if volume is not None:
            own = own.filter(pl.col("SOPInstanceUID").is_in(volume.sources))
        first = (own if own.height else self.rows).row(0, named=True)
        count = own.height or self.rows.height
        return Reject(first["path"], first["member"], reason, f"series of {count}: {detail}")


@dataclass(frozen=True)
class SegmentedSeries:
    """The result of one series: an entry a volume, and rejects with their reasons."""

    volumes: tuple[JsonObject, ...]
    rejects: tuple[Reject, ...]


def segment_series(job: SegmentJob) -> SegmentedSeries:
    """Segment the volumes of one series; what cannot be segmented is a reject with its reason."""
    try:
        volumes = CHOICES[job.options.gaps](job.rows)
    except StackError as error:
        return SegmentedSeries((), (job.reject("no_geometry", str(error)),))
    except RejectError as error:
        return SegmentedSeries((), (job.reject(error.reason, error.detail),))
    entries: list[JsonObject] = []
    rejects = _left_out(job)
    for number, volume in enumerate(volumes):
        try:
            folder = job.folder(number, len(volumes), volume.acquisition)
            entries.append(_segment_volume(job, folder, volume))
        except RejectError as error:
            rejects.append(job.reject(error.reason, error.detail, volume))
        except StackError as error:
            rejects.append(job.reject("no_geometry", str(error), volume))
        still_alive()
    return SegmentedSeries(tuple(entries), tuple(rejects))


def _left_out(job: SegmentJob) -> list[Reject]:
    """Return the files of a series that are in none of its volumes, each by name."""
    parts = split_series(job.rows)
    strays = parts.strays if job.options.gaps != "split" else parts.strays.clear()
    return [
        Reject(row["path"], row["member"], "wrong_kind", detail)
        for rows, detail in ((parts.captures, CAPTURE), (strays, STRAY))
        for row in rows.iter_rows(named=True)
    ]


def _segment_volume(job: SegmentJob, folder: Path, volume: Volume) -> JsonObject:
    """Return the entry of one volume; its files are on disk, from this run or an earlier one."""
    provenance = _provenance(job.options, volume)
    entry_path = folder / ENTRY_NAME
    if entry_path.exists():
        before, names = previous_entry(entry_path)
        if before.get("provenance") == provenance and _is_whole(before, names, folder):
            if before.get("sources") != [*job.sources]:
                before["sources"] = [*job.sources]
                _write(before, folder)
            return _located(before, folder)
        for name in (ENTRY_NAME, *names):  # no files of other options stay
            (folder / name).unlink(missing_ok=True)
    entry = {**_made(job, folder, volume), "provenance": provenance}
    entry["sources"] = [*job.sources]
    entry["bytes"] = {name: (folder / name).stat().st_size for name in file_names(entry)}
    _write(entry, folder)
    return _located(entry, folder)


def _write(entry: JsonObject, folder: Path) -> None:
    write_whole(folder / ENTRY_NAME, json.dumps(entry, indent=1).encode())


def _is_whole(entry: JsonObject, names: list[str], folder: Path) -> bool:
    """Whether every file of an entry lies there in its length."""
    sizes = entry.get("bytes")
    try:
        found = {name: (folder / name).stat().st_size for name in names}
    except OSError:
        return False
    return bool(names) and len(names) == len(file_names(entry)) and sizes == found


def _made(job: SegmentJob, folder: Path, volume: Volume) -> JsonObject:
    """Write the files of one volume, all but segment.json; return the entry of them."""
    options = job.options
    masks = options.segmenter.find(volume, **options.settings)
    if not any(mask.inside.any() for mask in masks):
        raise RejectError(
            "wrong_anatomy", f"no {options.organ}: nothing in the volume is taken for it"
        )
    still_alive()
    context = options.segmenter.context(volume) if options.page else []
    parts = scene_parts([*masks, *context])
    picture = mask_picture(
        volume.hu, masks, parts[: len(masks)], options.segmenter.window,
        edge_letters(volume.place.orientation),
    )  # fmt: skip
    write_whole(folder / PICTURE, png_bytes(picture))
    if options.page:
        write_scene_page(folder / PAGE, options.organ.capitalize(), parts)
    study, series = job.uids
    return {
        "study_uid": study,
        "series_uid": series,
        "organ": options.organ,
        "acquisition": volume.acquisition,
        "shape": list(volume.hu.shape),
        "spacing_mm": [*map(float, volume.place.spacing_mm)],
        "positions_mm": [round(float(mm), 4) for mm in volume.positions_mm],
        "affine_lps": None if np.isnan(volume.affine).any() else volume.affine.tolist(),
        "masks": [_written(folder, mask, options) for mask in masks],
        "files": {"picture": PICTURE} | ({"page": PAGE} if options.page else {}),
        "boxes": {name: list(box) for name, box in options.segmenter.boxes(volume, masks).items()},
        "issues": [
            {"name": issue.name, "detail": issue.detail, "settled": issue.resolved_by}
            for issue in volume.issues
        ],
    }


def _written(folder: Path, mask: Mask, options: SegmentOptions) -> JsonObject:
    """Write one mask's files; return its part of the entry."""
    files = {"npy": f"{mask.name}.npy"}
    content = BytesIO()
    np.save(content, mask.inside)
    write_whole(folder / files["npy"], content.getvalue())
    affine = mask.place.affine
    if not np.isnan(affine).any():
        files["nifti"] = f"{mask.name}.nii.gz"
        write_nifti(folder / files["nifti"], mask.inside.astype(np.uint8), affine)
    if options.meshes:
        surface = surface_of(mask)
        for form in options.meshes:
            files[form] = f"{mask.name}.{form}"
            write_mesh(folder / files[form], surface)
    box_mm = mask.box_mm
    return {
        "name": mask.name,
        "volume_ml": round(mask.volume_ml, 3),
        "box": None if box_mm is None else list(mask.box),
        "box_mm": None if box_mm is None else np.round(box_mm, 3).tolist(),
        "files": files,
    }


def _located(entry: JsonObject, folder: Path) -> JsonObject:
    """Return the entry with the files' paths for their names, as they are on disk."""

    def paths(part: JsonObject) -> JsonObject:
        return part | {"files": {form: str(folder / name) for form, name in part["files"].items()}}

    return paths(entry) | {"masks": [paths(mask) for mask in entry["masks"]]}


def _provenance(options: SegmentOptions, volume: Volume) -> JsonObject:
    """Return the values, settings and version that the files depend on."""
    return {
        "wetread": VERSION,
        "method": options.method,
        "settings": options.settings,
        "gaps": options.gaps,
        "meshes": list(options.meshes),
        "page": options.page,
        "as_hu": any(issue.name == TAKEN_AS_HU for issue in volume.issues),
        "slices": len(volume.sources),
        "slices_sha256": sha256("\n".join(volume.sources).encode()).hexdigest(),
        "values_sha256": sha256(np.ascontiguousarray(volume.hu).data).hexdigest(),
        "note": NOTE,
    }
