"""inputs/volume_masks.py: mask files become masks in a volume's own space."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from wetread.archive.types import BoolArray, Float64Array
from wetread.outputs.mask_array import read_nifti, read_npy
from wetread.study.geometry import affine_ijk_ras
from wetread.study.volume import Volume

SUFFIXES = (".nii.gz", ".nii", ".npy")
MOST_LABELS = 16  # more values in one file are no labels
_SAME_VOXEL = 0.1  # of a voxel: how far a mask's grid may lie off the volume's


def read_masks(path: Path, volume: Volume) -> Mapping[str, BoolArray]:
    """Read the masks of one file, name to (Z, Y, X) bool: one a label where it holds several.

    path: .npy of the volume's shape, or NIfTI whose grid is the volume's, its axes in any order
    and direction. A volume without an affine takes a NIfTI file of its shape as it lies.
    ValueError names the file and what does not fit.
    """
    name = next((path.name[: -len(end)] for end in SUFFIXES if path.name.endswith(end)), None)
    if name is None:
        raise ValueError(f"{path}: a mask is a file of {', '.join(SUFFIXES)}")
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist; `masks` takes a NIfTI or an NPY file")
    labels: np.ndarray = (
        read_npy(path, volume.hu.shape) if path.suffix == ".npy" else _nifti(path, volume)
    )
    if labels.shape != volume.hu.shape:
        raise ValueError(
            f"{path}: {_by(labels.shape)} voxels (slices, rows, columns), the series has "
            f"{_by(volume.hu.shape)}; make the mask of this series"
        )
    return _each_label(path, name, labels)


def _each_label(path: Path, name: str, labels: np.ndarray) -> dict[str, np.ndarray]:
    values = np.unique(labels)
    if not np.array_equal(values, np.rint(values)) or len(values) > MOST_LABELS + 1:
        raise ValueError(
            f"{path}: {len(values)} different values from {values[0]:g} to {values[-1]:g}; a mask "
            f"holds 0 outside and whole numbers inside, {MOST_LABELS} at most"
        )
    inside = [value for value in values if value]
    if len(inside) <= 1:
        return {name: labels != 0}
    return {f"{name} {int(value)}": labels == value for value in inside}


def _nifti(path: Path, volume: Volume) -> np.ndarray:
    """(Z, Y, X) on the volume's grid."""
    return read_nifti_on_grid(path, volume.hu.shape, volume.affine)


def read_nifti_on_grid(path: Path, shape: tuple[int, ...], affine: Float64Array) -> np.ndarray:
    """Read a NIfTI file as voxels (Z, Y, X) of a grid: its shape, and its affine (4, 4) to LPS mm,
    or NaN where it has none: the file is then taken as it lies. ValueError names the file and what
    does not fit."""
    found, own = read_nifti(path, shape)
    return turn_to_grid(path, found, own, affine)


def turn_to_grid(
    path: Path, found: np.ndarray, own: Float64Array, affine: Float64Array
) -> np.ndarray:
    """Turn a file's array (i, j, k) and affine (4, 4) to RAS mm to voxels (Z, Y, X) of a grid with
    that affine to LPS mm, as read_nifti_on_grid does."""
    if np.isfinite(affine).all():
        found = _on_grid(path, found, own, affine_ijk_ras(affine))
    voxels: np.ndarray = found.transpose(2, 1, 0)
    return voxels


def _on_grid(path: Path, found: np.ndarray, own: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The mask's array (i, j, k) turned to the wanted grid; its voxels must lie on that one's.

    own, wanted: (4, 4) index (i, j, k, 1) to RAS mm.
    """
    transform = np.linalg.inv(wanted) @ own  # from the mask's indices to the volume's
    turn = np.rint(transform[:3, :3]).astype(int)
    if not np.array_equal(turn @ turn.T, np.eye(3)):
        raise ValueError(f"{path}: its axes are not the series'; resample it to the series' grid")
    axes = [int(np.flatnonzero(turn[axis])[0]) for axis in range(3)]
    turned = found.transpose(axes)
    corners = np.array([(i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)]).T
    corners = corners * (np.array(found.shape)[:, None] - 1)
    meant = corners[axes]
    for axis in range(3):
        if turn[axis, axes[axis]] < 0:
            turned = np.flip(turned, axis)
            meant[axis] = turned.shape[axis] - 1 - meant[axis]
    off = float(np.abs(transform[:3, :3] @ corners + transform[:3, 3:] - meant).max())
    if off > _SAME_VOXEL:
        raise ValueError(
            f"{path}: its voxels lie up to {off:.1f} voxels beside the series'; resample it to the "
            f"series' grid"
        )
    return turned


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
