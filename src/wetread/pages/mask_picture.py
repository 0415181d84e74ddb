"""pages/mask_picture.py: masks as outlines on slices, and their surfaces in light, as one PNG."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import cv2
import numpy as np

from wetread.anatomy.mask import Mask
from wetread.archive.types import Float64Array, FloatArray, UInt8Array
from wetread.outputs.pictures import BgrColor, outlined, with_letters
from wetread.outputs.sides import letters_along
from wetread.pages.scene_page import ScenePart
from wetread.view.window import Window, apply_window, as_uint8

TILES, COLUMNS, TILE = 24, 6, 192  # slices shown at most, in a row, pixels a side
GROUND = (34, 28, 22)  # blue, green, red
FILLED = 0.9  # of a view's shorter side

# Rows: to the right, up and toward the eye, in LPS.
FRONT = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], np.float64)
LEFT = np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]], np.float64)
ABOVE = np.array([[-1, 0, 0], [0, -1, 0], [0, 0, 1]], np.float64)
_LIGHT = np.array([-0.35, 0.45, 0.85]) / np.linalg.norm([-0.35, 0.45, 0.85])
_SUBPIXEL = 4  # bits


def mask_picture(
    hu: FloatArray,
    masks: Sequence[Mask],
    parts: Sequence[ScenePart],
    window: Window,
    sides: Mapping[str, str] = MappingProxyType({}),
) -> UInt8Array:
    """Return (H, W, 3) uint8, blue first: slices of hu (Z, Y, X) in a window, masks outlined.

    Below them stand the parts from in front, from the patient's left and from above. The only
    text are letters of the patient's sides. sides: edge of the slices to its letters.
    """
    chosen = np.unique(np.linspace(0, len(hu) - 1, min(TILES, len(hu))).round().astype(int))
    colors = [_bgr(part) for part in parts]
    tiles = [
        outlined(
            _square(as_uint8(apply_window(hu[k], window))),
            [
                (_square(mask.inside[k].astype(np.uint8) * 255) >= 128, color)
                for mask, color in zip(masks, colors, strict=True)
            ],
        )
        for k in chosen
    ]
    tiles = [with_letters(tile, sides) for tile in tiles]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % COLUMNS)
    rows = [np.hstack(tiles[i : i + COLUMNS]) for i in range(0, len(tiles), COLUMNS)]
    side = TILE * COLUMNS // 3
    views = [
        with_letters(render_surfaces(parts, axes, side), letters_along(axes[0], -axes[1]))
        for axes in (FRONT, LEFT, ABOVE)
    ]
    return np.vstack([*rows, np.hstack(views)])


def render_surfaces(parts: Sequence[ScenePart], axes: Float64Array, side: int) -> UInt8Array:
    """Return (side, side, 3) uint8, blue first: the parts along axes (3, 3), near before far.

    There is no perspective; parts that let light through are drawn over the rest.
    """
    picture = np.full((side, side, 3), GROUND, np.uint8)
    points = np.concatenate([np.zeros((0, 3)), *(part.surface.points for part in parts)])
    if not len(points):
        return picture
    low, high = points.min(axis=0), points.max(axis=0)
    scale = FILLED * side / max(float(np.linalg.norm(high - low)) * 0.75, 1.0)
    middle = (low + high) / 2
    opaque = [part for part in parts if part.color[3] >= 1]
    _paint(picture, opaque, middle, axes * scale)
    for part in parts:
        if part.color[3] < 1:
            drawn = picture.copy()
            _paint(drawn, [part], middle, axes * scale)
            picture = cv2.addWeighted(drawn, part.color[3], picture, 1 - part.color[3], 0)
    return picture


def _paint(
    picture: UInt8Array, parts: Sequence[ScenePart], middle: Float64Array, axes: Float64Array
) -> None:
    """Draw the parts' triangles, far ones first, so that the near ones lie over them.

    middle: LPS mm of the picture's middle; axes: (3, 3) mm to pixels right, up and near.
    """
    triangles = [((part.surface.points - middle) @ axes.T)[part.surface.faces] for part in parts]
    corners = np.concatenate([np.zeros((0, 3, 3)), *triangles])  # (M, 3 corners, 3)
    colors = np.repeat(
        np.reshape([_bgr(part) for part in parts], (-1, 3)),
        [len(corners_of) for corners_of in triangles],
        axis=0,
    )
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1)
    visible = np.flatnonzero((normals[:, 2] > 0) & (lengths > 0))
    visible = visible[np.argsort(corners[visible, :, 2].mean(axis=1))]
    light = 0.3 + 0.7 * np.clip((normals[visible] / lengths[visible, None]) @ _LIGHT, 0, 1)
    shades = np.clip(light[:, None] * colors[visible], 0, 255).astype(int).tolist()
    flat = corners[visible, :, :2] * (1, -1) + picture.shape[0] / 2
    flat = np.rint(flat * 2**_SUBPIXEL).astype(np.int32)
    for triangle, shade in zip(flat, shades, strict=True):
        cv2.fillConvexPoly(picture, triangle, shade, cv2.LINE_8, _SUBPIXEL)


def _square(picture: UInt8Array) -> UInt8Array:
    """Return (TILE, TILE) uint8 of (H, W), the shape kept, black around it."""
    height, width = picture.shape
    scale = TILE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    resized = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    square = np.zeros((TILE, TILE), np.uint8)
    top, left = (TILE - size[1]) // 2, (TILE - size[0]) // 2
    square[top : top + size[1], left : left + size[0]] = resized
    return square


def _bgr(part: ScenePart) -> BgrColor:
    red, green, blue = (round(255 * share) for share in part.color[:3])
    return blue, green, red
