"""inputs/truth_masks.py: a NIfTI mask of a whole series as labels of its images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from wetread.archive.types import BoolArray, Float64Array
from wetread.inputs.volume_masks import turn_to_grid
from wetread.labels.csv_file import split_spec
from wetread.labels.finding import Finding
from wetread.labels.rle import encode
from wetread.labels.table import LABEL_SCHEMA, MASK_SCHEMA, LabelError, LabelTable, label_table
from wetread.outputs.mask_array import read_nifti
from wetread.study.placement import stack_placement
from wetread.study.series import series_slices
from wetread.tasks import Task

ENDINGS = (".nii", ".nii.gz")


def is_mask_file(given: Path) -> bool:
    """Whether a label file is a NIfTI mask: FILE.nii.gz, or FILE.nii.gz:FINDING."""
    return split_spec(given)[0].name.lower().endswith(ENDINGS)


def require_mask_files(given: Sequence[Path]) -> None:
    """FileNotFoundError where a mask file is not there; what it holds is read beside an archive."""
    for path, _ in map(split_spec, given):
        if not path.is_file():
            raise FileNotFoundError(f"{path}: no such file; give the mask's own path")


@dataclass(frozen=True, eq=False)
class SeriesGrid:
    """Where the voxels of a series lie.

    ids:    SOPInstanceUIDs in order of position. shape: slices, rows and columns.
    affine: (4, 4) of index (z, y, x, 1) to LPS mm; NaN where no one holds.
    """

    ids: tuple[str, ...]
    shape: tuple[int, int, int]
    affine: Float64Array


def read_truth_mask(given: Path, task: Task, images: pl.DataFrame | None) -> LabelTable:
    """Read one NIfTI mask as read_truth_masks does."""
    (table,) = read_truth_masks([given], task, images)
    return table


def read_truth_masks(
    given: Sequence[Path], task: Task, images: pl.DataFrame | None
) -> list[LabelTable]:
    """Read NIfTI masks, each as labels and masks of the images of the one series whose grid it has:
    an image is positive where any voxel of its slice is not 0.

    given: FILE.nii.gz, or FILE.nii.gz:FINDING where the task has several that can be drawn.
    images: rows of the archive's index. Raises LabelError where there is none, where no series or
    more than one has that grid, or where the finding is not sure.
    """
    files = [split_spec(one) for one in given]
    findings = [mask_finding(path, word, task) for path, word in files]
    if images is None and files:
        path = files[0][0]
        raise LabelError(f"{path}: a mask lies on the grid of a series; give its index with `data`")
    grids = [] if images is None or not files else _grids(images, task)
    return [
        _labels(*_fitting(path, grids), finding)
        for (path, _), finding in zip(files, findings, strict=True)
    ]


def _grids(images: pl.DataFrame, task: Task) -> list[SeriesGrid]:
    """Find the grids of the series of a task's modalities."""
    own = images.filter(pl.col("Modality").is_in(list(task.modalities)))
    grids = []
    for rows in series_slices(own):
        sides = rows.select("Rows", "Columns").row(0)
        ids = tuple(rows["SOPInstanceUID"].to_list())
        grids.append(SeriesGrid(ids, (rows.height, *sides), stack_placement(rows).affine))
    return grids


def _fitting(path: Path, grids: Sequence[SeriesGrid]) -> tuple[tuple[str, ...], BoolArray]:
    """Read the images of the one series whose grid a mask has, and the mask (Z, Y, X) bool on it;
    LabelError where no series or more than one has it."""

    @cache
    def read(shape: tuple[int, ...]) -> tuple[np.ndarray, Float64Array] | ValueError:
        """Read the file once for all series of a shape: array, affine; why it does not fit."""
        try:
            return read_nifti(path, shape)
        except ValueError as problem:
            return problem

    fits, reasons = [], list[str]()
    for grid in grids:
        found = read(grid.shape)
        if isinstance(found, ValueError):
            reasons.append(str(found))
            continue
        try:
            voxels = turn_to_grid(path, *found, grid.affine)
        except ValueError as problem:
            reasons.append(str(problem))
            continue
        if voxels.shape == grid.shape:
            fits.append((grid.ids, voxels))
        else:
            reasons.append(f"{path}: {voxels.shape} voxels, the series has {grid.shape}")
    if len(fits) != 1:
        reason = f" ({reasons[0]})" if reasons and not fits else ""
        raise LabelError(
            f"{path}: {len(fits) or 'no'} series of the archive "
            f"{'have' if len(fits) > 1 else 'has'} its grid{reason}; give the mask of one series"
        )
    ((ids, voxels),) = fits
    return ids, voxels != 0


def mask_finding(path: Path, word: str | None, task: Task) -> Finding:
    """Return the finding that a mask is of: the one named, or the only one that the task draws.
    LabelError where it is not sure."""
    images = {one.name: one for one in task.at("image")}
    spec = task.spec
    drawn = getattr(spec, "drawn", ()) or [
        one for encoder in getattr(spec, "encoders", ()) for one in encoder.drawn
    ]
    names = [one.name for one in drawn if one.name in images]
    if word is None and len(names) == 1:
        return images[names[0]]
    if word in images:
        return images[word]
    listed = ", ".join(names or images)
    if word is not None:
        raise LabelError(
            f"{path}: {word} is no finding that masks are truth of; these are {listed}"
        )
    raise LabelError(
        f"{path}: of which finding is this mask? Write {path.name}:FINDING, one of {listed}"
    )


def _labels(ids: Sequence[str], voxels: BoolArray, finding: Finding) -> LabelTable:
    positive: BoolArray = np.any(voxels, axis=(1, 2))
    frame = label_table(
        pl.DataFrame(
            [
                (finding.level, name, finding.name, float(any_))
                for name, any_ in zip(ids, positive, strict=True)
            ],
            schema=LABEL_SCHEMA,
            orient="row",
        )
    )
    masks = pl.DataFrame(
        [
            (ids[z], finding.name, "relative", [encode(voxels[z])])
            for z in np.flatnonzero(positive).tolist()
        ],
        schema=MASK_SCHEMA,
        orient="row",
    )
    return LabelTable(frame.frame, frame.conflicts, frame.duplicates, masks=masks)
