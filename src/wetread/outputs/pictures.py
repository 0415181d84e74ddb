"""outputs/pictures.py: slices as pictures for people, uint8, without text of a patient."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from wetread.archive.types import BoolArray, Float32Array, FloatArray, UInt8Array
from wetread.view.window import Window, apply_window, as_uint8

GAP = 4  # px between panels
FONT = cv2.FONT_HERSHEY_SIMPLEX
LINE = 18  # px a line of text takes
TEXT_GRAY = 225
TRUTH_COLOR, PREDICTION_COLOR = (
    (90, 220, 90),
    (40, 150, 255),
)  # green and orange, as OpenCV orders them
LETTER_COLOR = (218, 211, 159)  # blue-green, for the patient's sides
BgrColor = tuple[int, int, int]


def panels(hu: FloatArray, windows: Sequence[Window], size: int = 256) -> UInt8Array:
    """Return a slice (H, W), HU, through each window, side by side, as (size, width) uint8.

    The longer side becomes `size`, the shape is kept.
    """
    values = resized(hu, size)
    return side_by_side([as_uint8(apply_window(values, window)) for window in windows])


def resized(values: FloatArray, size: int) -> Float32Array:
    """Return values (H, W) as float32 with `size` for the longer side, the shape kept.

    Area means when they shrink, cubic when they grow, which may leave their range a little.
    """
    height, width = values.shape
    scale = size / max(height, width)
    shape = (max(1, round(width * scale)), max(1, round(height * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    found = cv2.resize(np.ascontiguousarray(values, dtype=np.float32), shape, interpolation=method)
    return np.asarray(found)


def outlined(picture: UInt8Array, masks: Sequence[tuple[BoolArray, BgrColor]]) -> UInt8Array:
    """Return a picture (H, W) uint8 in color, (H, W, 3), with the outline of each mask on it.

    masks: (h, w) bool of the whole picture at any size, and a color (blue, green, red).
    """
    height, width = picture.shape
    drawn = np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))
    for mask, color in masks:
        grid = np.ascontiguousarray(mask, np.uint8)
        resized = cv2.resize(grid * 255, (width, height), interpolation=cv2.INTER_AREA)
        found, _ = cv2.findContours(
            np.uint8(resized >= 128), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
        )
        cv2.drawContours(drawn, found, -1, color, 1, cv2.LINE_AA)
    return drawn


def heated(picture: UInt8Array, heat: FloatArray) -> UInt8Array:
    """Return a picture (H, W) uint8 in color, (H, W, 3), with heat (h, w) in [0, 1] as a glow."""
    height, width = picture.shape
    glow = cv2.resize(np.float32(heat), (width, height), interpolation=cv2.INTER_CUBIC)
    share = 0.55 * np.clip(glow, 0, 1)[:, :, None]
    mixed = (1 - share) * picture[:, :, None] + share * np.array(PREDICTION_COLOR, np.float32)
    return np.asarray(np.rint(mixed), np.uint8)


def side_by_side(pictures: Sequence[UInt8Array]) -> UInt8Array:
    """Return pictures (H, W) or (H, W, 3) uint8, all alike, in a row on black, GAP between."""
    height = max(picture.shape[0] for picture in pictures)
    width = sum(picture.shape[1] for picture in pictures) + GAP * (len(pictures) - 1)
    row = np.zeros((height, width, *pictures[0].shape[2:]), dtype=np.uint8)
    left = 0
    for picture in pictures:
        row[: picture.shape[0], left : left + picture.shape[1]] = picture
        left += picture.shape[1] + GAP
    return row


def montage(pictures: Sequence[UInt8Array], columns: int) -> UInt8Array:
    """Return one picture of pictures (H, W) or (H, W, 3) uint8, all alike, in rows of `columns`."""
    if not pictures or columns < 1:
        raise ValueError(
            f"{len(pictures)} pictures cannot be set in {columns} columns; at least one of each."
        )
    rows = [side_by_side(pictures[i : i + columns]) for i in range(0, len(pictures), columns)]
    turned = side_by_side([row.swapaxes(0, 1) for row in rows])
    return np.ascontiguousarray(turned.swapaxes(0, 1))


def with_text(picture: UInt8Array, lines: Sequence[str]) -> UInt8Array:
    """Return the picture (H, W) or (H, W, 3) uint8 with lines of text on black below it.

    The picture itself is left as it is. A line too long is drawn smaller.
    """
    strip = np.zeros((LINE * len(lines) + 6, *picture.shape[1:]), dtype=np.uint8)
    for number, line in enumerate(lines, start=1):
        scale = 0.42
        width = cv2.getTextSize(line, FONT, scale, 1)[0][0]
        scale *= min(1.0, (picture.shape[1] - 8) / max(1, width))
        cv2.putText(
            strip, line, (4, number * LINE - 3), FONT, scale, (TEXT_GRAY,) * 3, 1, cv2.LINE_AA
        )  # fmt: skip
    return np.concatenate([picture, strip], axis=0)


def with_letters(picture: UInt8Array, letters: Mapping[str, str]) -> UInt8Array:
    """Return a copy of a picture (H, W, 3) uint8 with letters at its edges, left to bottom."""
    drawn = picture.copy()
    height, width = drawn.shape[:2]
    for edge, letter in letters.items():
        (wide, high), _ = cv2.getTextSize(letter, FONT, 0.4, 1)
        x = {"left": 3, "right": width - wide - 3}.get(edge, (width - wide) // 2)
        y = {"top": high + 3, "bottom": height - 4}.get(edge, (height + high) // 2)
        for color, thick in (((0, 0, 0), 3), (LETTER_COLOR, 1)):
            cv2.putText(drawn, letter, (x, y), FONT, 0.4, color, thick, cv2.LINE_AA)
    return drawn


def png_bytes(picture: UInt8Array) -> bytes:
    """Return a picture (H, W) or (H, W, 3), blue first, uint8, as a PNG file."""
    if picture.dtype != np.uint8 or picture.ndim not in (2, 3) or picture.size == 0:
        raise ValueError(
            f"a picture is a filled (H, W) or (H, W, 3) uint8 array, not {picture.shape} "
            f"{picture.dtype}; window HU first."
        )
    done, code = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    if not done:
        raise ValueError(f"OpenCV could not encode a picture of {picture.shape}.")
    return code.tobytes()


def jpeg_bytes(picture: UInt8Array, quality: int = 90) -> bytes:
    """Return a picture (H, W) or (H, W, 3), blue first, uint8, as a JPEG file.

    A quarter of its PNG: for the eye, not for measuring.
    """
    done, code = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"OpenCV could not encode a picture of {picture.shape}.")
    return code.tobytes()
