"""outputs/mesh.py: a mask becomes a surface in mm, LPS, and a file of it: STL, PLY, OBJ."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from scipy import ndimage

from wetread.anatomy.mask import Mask
from wetread.outputs.extra import of_pictures
from wetread.outputs.whole import write_whole
from wetread.study.geometry import unit_axes
from wetread.study.place import Place

FORMS = ("stl", "ply", "obj")
FINEST_MM = 1.0  # pixels of a slice are joined to squares of about this side
SOFTENED = 0.6  # slices, SD of the Gaussian along the normal: what takes the steps off thick ones


@dataclass(frozen=True, eq=False)
class Surface:
    """A closed surface of triangles.

    points: (N, 3) float32 LPS mm; faces: (M, 3) int32, seen from outside they turn to the left.
    """

    points: np.ndarray
    faces: np.ndarray


def surface_of(mask: Mask, finest_mm: float = FINEST_MM) -> Surface:
    """The surface half way between inside and outside, every slice at its own place.

    Pixels are joined to squares of about finest_mm, whose covered share makes the surface smooth;
    across slices the mask is softened by 0.6 of a slice, which takes nothing off its volume where
    it is thicker than that. A mask that ends with the volume is closed there. Empty: no triangle.
    """
    box = mask.box
    if box is None:
        return Surface(np.empty((0, 3), np.float32), np.empty((0, 3), np.int32))
    share, low, step = _shares(mask, box, finest_mm)
    marching = of_pictures("skimage.measure").marching_cubes
    points, faces, _, _ = marching(share, 0.5)
    points -= 1  # the frame of zeros
    index = np.stack(
        [
            box[0] + points[:, 0],
            low[0] + (points[:, 1] + 0.5) * step[0] - 0.5,
            low[1] + (points[:, 2] + 0.5) * step[1] - 0.5,
        ],
        axis=1,
    )
    faces = faces.astype(np.int32)
    along = mask.place.positions_mm
    if along[-1] < along[0]:
        faces = faces[:, ::-1]
    return Surface(placed(mask.place, index).astype(np.float32), np.ascontiguousarray(faces))


def placed(place: Place, index: np.ndarray) -> np.ndarray:
    """(N, 3) LPS mm of (N, 3) slices, rows, columns, broken numbers too, beyond the ends as well:
    between slices the place is between theirs, so no affine is needed."""
    row, column, _ = unit_axes(place.orientation)
    origins = place.origins_mm
    below = np.clip(np.floor(index[:, 0]).astype(np.int64), 0, max(len(origins) - 2, 0))
    above = np.minimum(below + 1, len(origins) - 1)
    share = (index[:, 0] - below)[:, None]
    origin = origins[below] + share * (origins[above] - origins[below])
    down, across = (index[:, 1:] * place.spacing_mm).T
    found: np.ndarray = origin + down[:, None] * column + across[:, None] * row
    return found


def _shares(
    mask: Mask, box: tuple[int, int, int, int, int, int], finest_mm: float
) -> tuple[np.ndarray, tuple[int, int], tuple[int, int]]:
    """(covered share of each block in a frame of zeros, first row and column, pixels a block)."""
    step = tuple(max(1, round(finest_mm / spacing)) for spacing in mask.place.spacing_mm)
    low = (box[2], box[4])
    size = (-(-(box[3] - box[2]) // step[0]), -(-(box[5] - box[4]) // step[1]))  # blocks
    share = np.zeros((box[1] - box[0] + 2, size[0] + 2, size[1] + 2), np.float32)
    for k in range(box[0], box[1]):
        cut = mask.inside[k, box[2] : box[3], box[4] : box[5]]
        whole = np.zeros((size[0] * step[0], size[1] * step[1]), np.float32)
        whole[: cut.shape[0], : cut.shape[1]] = cut
        share[k - box[0] + 1, 1:-1, 1:-1] = cv2.resize(
            whole, (size[1], size[0]), interpolation=cv2.INTER_AREA
        )
    share = ndimage.gaussian_filter1d(share, SOFTENED, axis=0, mode="constant")
    return share, low, (step[0], step[1])


def write_mesh(path: Path, surface: Surface) -> None:
    """Write path (.stl, .ply, .obj), mm, LPS."""
    form = path.suffix.lstrip(".").lower()
    if form not in FORMS:
        raise ValueError(f"{path.name}: no mesh form {form!r}; there are: {', '.join(FORMS)}")
    mesh = of_pictures("trimesh").Trimesh(surface.points, surface.faces, process=False)
    content = mesh.export(file_type=form)
    write_whole(path, content.encode() if isinstance(content, str) else content)
