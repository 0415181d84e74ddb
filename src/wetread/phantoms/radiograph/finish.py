"""phantoms/radiograph/finish.py: what is put on a film after the beam: shutters and letters."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from wetread.archive.types import BoolArray, Float32Array
from wetread.phantoms.radiograph.exposure import Beam

FREE = 0.3  # of films: nothing is cut off


@dataclass(frozen=True, eq=False)
class Fields:
    """Where on a film, (H, W) bool: the trunk, air in the pleural space, the pleural spaces."""

    body: BoolArray
    mask: BoolArray
    lungs: BoolArray


def shut(rng: np.random.Generator, gray: Float32Array, fields: Fields) -> Fields:
    """Lay the shutters' shade over the margins of gray (H, H), in place: black, in some white.

    The open field is a rectangle, in most films a little turned. Returns what it leaves of the
    fields; where it would hide half of a pneumothorax, the film stays open.
    """
    if rng.random() < FREE:
        return fields
    size = gray.shape[0]
    wide = 0.07 if rng.random() < 0.2 else 0.02
    top, bottom, left, right = np.minimum(rng.gamma(1.1, wide, 4) * (rng.random(4) < 0.6), 0.2)
    turn = np.radians(rng.normal(0, 2.5) if rng.random() < 0.4 else 0.0)
    shade = float(rng.choice((0.0, 0.03, 0.97), p=(0.65, 0.28, 0.07)))
    low, high = (left - 0.5, top - 0.5), (0.5 - right, 0.5 - bottom)
    corners = np.array([low, (high[0], low[1]), high, (low[0], high[1])])
    c, s = np.cos(turn), np.sin(turn)
    placed = (corners @ np.array([[c, s], [-s, c]]) + 0.5) * size
    field = np.zeros(gray.shape, np.uint8)
    cv2.fillConvexPoly(field, np.rint(placed * 16).astype(np.int32), 255, cv2.LINE_AA, 4)
    shown = field > 127
    if 2 * (fields.mask & shown).sum() < fields.mask.sum():
        return fields
    open_field = field * np.float32(1 / 255)
    gray += (shade - gray) * (1 - open_field)
    if rng.random() < 0.1:
        rim = cv2.absdiff(cv2.dilate(field, np.ones((3, 3), np.uint8)), field)
        gray += (float(rng.uniform(0.5, 1)) - gray) * (rim * np.float32(1 / 255))
    return Fields(fields.body, fields.mask & shown, fields.lungs & shown)


def write_letters(rng: np.random.Generator, gray: Float32Array, beam: Beam) -> None:
    """Write what technicians put on films onto gray (H, H), in place: side, position, an arrow."""
    size = beam.size
    texts = ["L" if rng.random() < 0.8 else "R"]
    texts += [str(rng.choice(("JM", "26", "DMD", "S1", "ERECT")))] * int(rng.random() < 0.3)
    if beam.view == "AP":
        texts += [t for t in ("AP", "PORTABLE") if rng.random() < 0.6]
        texts += ["SUPINE" if beam.supine else "UPRIGHT"] * int(rng.random() < 0.35)
    for text in texts:
        scale = float(rng.uniform(0.3, 0.6) if len(text) == 1 else rng.uniform(0.2, 0.34))
        scale *= size / 256
        column = rng.uniform(0.01, 0.12) if text == "R" else rng.uniform(0.8, 0.94)
        if text not in "LR":
            column = rng.choice((rng.uniform(0.01, 0.15), rng.uniform(0.72, 0.85)))
        row = rng.uniform(0.04, 0.3) if rng.random() < 0.85 else rng.uniform(0.3, 0.95)
        place = (int(column * size), int(row * size))
        bright, thick = float(rng.uniform(0.75, 1)), max(1, round(size / 300))
        letters = np.zeros(gray.shape, np.uint8)
        font = cv2.FONT_HERSHEY_SIMPLEX if rng.random() < 0.6 else cv2.FONT_HERSHEY_DUPLEX
        cv2.putText(letters, text, place, font, scale, 255, thick, cv2.LINE_AA)
        if beam.view == "AP" and text in "LR" and rng.random() < 0.3:
            foot = (place[0], place[1] + size // 12)
            cv2.arrowedLine(letters, foot, (foot[0], foot[1] - size // 20), 255, thick, cv2.LINE_AA)
        gray += (bright - gray) * (letters * np.float32(1 / 255))
