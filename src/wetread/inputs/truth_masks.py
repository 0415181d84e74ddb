"""inputs/truth_masks.py: a NIfTI mask of a whole series as labels of its images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from wetread.archive.types import BoolArray
from wetread.inputs.volume_masks import read_nifti_on_grid
from wetread.labels.csv_file import split_spec
from wetread.labels.finding import Finding
from wetread.labels.rle import encode
from wetread.labels.table import LABEL_SCHEMA, MASK_SCHEMA, LabelError, LabelTable, label_table
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


def read_truth_mask(given: Path, task: Task, images: pl.DataFrame | None) -> LabelTable:
    """Read a NIfTI mask as labels and masks of the images of the one series whose grid it has: an
    image is positive where any voxel of its slice is not 0.

    given: FILE.nii.gz, or FILE.nii.gz:FINDING where the task has several that can be drawn.
    images: rows of the archive's index. Raises LabelError where there is none, where no series or
    more than one has that grid, or where the finding is not sure.
    """
    path, word = split_spec(given)
    finding = _finding(path, word, task)
    if images is None:
        raise LabelError(f"{path}: a mask lies on the grid of a series; give its index with `data`")
    own = images.filter(pl.col("Modality").is_in(list(task.modalities)))
    fits, reasons = [], []
    for rows in series_slices(own):
        try:
            fits.append((rows, _voxels(path, rows)))
        except ValueError as problem:
            reasons.append(str(problem))
    if len(fits) != 1:
        reason = f" ({reasons[0]})" if reasons and not fits else ""
        raise LabelError(
            f"{path}: {len(fits) or 'no'} series of the archive "
            f"{'have' if len(fits) > 1 else 'has'} its grid{reason}; give the mask of one series"
        )
    ((rows, voxels),) = fits
    return _labels(rows, voxels, finding)


def _finding(path: Path, word: str | None, task: Task) -> Finding:
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
    raise LabelError(
        f"{path}: of which finding is this mask? Write {path.name}:FINDING, one of "
        f"{', '.join(names or images)}"
    )


def _voxels(path: Path, rows: pl.DataFrame) -> BoolArray:
    """Read the mask (Z, Y, X) bool on the grid of a series' slices, in their order."""
    first = rows.row(0, named=True)
    shape = (rows.height, first["Rows"], first["Columns"])
    inside: BoolArray = read_nifti_on_grid(path, shape, stack_placement(rows).affine) != 0
    if inside.shape != shape:
        raise ValueError(f"{path}: {inside.shape} voxels, the series has {shape}")
    return inside


def _labels(rows: pl.DataFrame, voxels: BoolArray, finding: Finding) -> LabelTable:
    ids = rows["SOPInstanceUID"].to_list()
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
