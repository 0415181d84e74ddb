"""study/traits.py: what headers say of a study's series, in few numbers and words: its kind of
picture, its geometry. Two archives are compared by them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from wetread.archive.types import Float64Array
from wetread.study.geometry import unit_axes
from wetread.study.header_content import SECONDARY_CAPTURE
from wetread.study.series import placed_rows, positions_mm


@dataclass(frozen=True)
class Trait:
    """A number of a series, and how far from a range it still counts as inside.

    words:  its name and unit in a sentence.
    factor: by which the range is widened, up and down; margin: what is then added at both ends.
    """

    words: str
    unit: str
    factor: float = 1.0
    margin: float = 0.0


# Networks see slices at their own size, so that pixels may differ more than what they show.
NUMBERS: Mapping[str, Trait] = {
    "slices": Trait("slices", "", factor=1.5),
    "pixel_mm": Trait("pixel spacing", "mm", factor=2.0),
    "thickness_mm": Trait("slice thickness", "mm", factor=1.5),
    "distance_mm": Trait("distance of slices", "mm", factor=1.5),
    "lean_degrees": Trait("angle of the slices to the body's axis", "degrees", margin=5.0),
    "turn_degrees": Trait("turn of the pictures in their plane", "degrees", margin=5.0),
    "height_mm": Trait("height of what the network is shown", "mm", factor=1.25),
    "width_mm": Trait("width of what the network is shown", "mm", factor=1.25),
}
WORDS: Mapping[str, str] = {
    "modality": "Modality",
    "body_part": "BodyPartExamined",
    "view": "ViewPosition",
}


@dataclass(frozen=True)
class Traits:
    """Traits of one series. numbers: by the names of NUMBERS; words: by those of WORDS; what the
    headers do not say is absent."""

    numbers: Mapping[str, float] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)


def series_traits(
    rows: pl.DataFrame, boxes: Sequence[Sequence[int]], part_of: Callable[[str], str]
) -> Traits:
    """Read the traits of the rows of one series, in order of position.

    boxes: (row0, row1, column0, column1) in source pixels, of what networks are shown of slices.
    part_of: text of BodyPartExamined -> part of the body; "" where it names none.
    """
    # A capture's spacing is often that of the picture before it was made smaller.
    captured = (rows["SOPClassUID"] == SECONDARY_CAPTURE).fill_null(False)
    sized = rows.filter(~captured)
    numbers: dict[str, float | None] = {
        "slices": float(rows.height),
        "pixel_mm": _median(sized["row_spacing_mm"]),
        "thickness_mm": _median(rows["SliceThickness"]),
        "distance_mm": _distance_mm(rows),
        **_angles(rows),
        **_sides_mm(sized, boxes),
    }
    words = {
        "modality": _commonest(rows["Modality"]),
        "body_part": part_of(_commonest(rows["BodyPartExamined"])),
        "view": _commonest(rows["ViewPosition"]),
    }
    return Traits(
        {
            name: value
            for name, value in numbers.items()
            if value is not None and np.isfinite(value)
        },
        {name: value for name, value in words.items() if value},
    )


def _median(values: pl.Series) -> float | None:
    found = values.drop_nulls().to_numpy()
    return float(np.median(found)) if len(found) else None


def _commonest(values: pl.Series) -> str:
    """Return the commonest text in upper case, of equals the first by letters; "" without any."""
    found = values.drop_nulls().str.strip_chars().str.to_uppercase()
    return str(found.mode().sort()[0]) if len(found) else ""


def _distance_mm(rows: pl.DataFrame) -> float | None:
    """Measure the median distance of slices along the normal; None of fewer than two places."""
    places = positions_mm(rows)
    steps = np.abs(np.diff(places[np.isfinite(places)]))
    return float(np.median(steps)) if len(steps) else None


def _angles(rows: pl.DataFrame) -> dict[str, float]:
    """Measure how far slices lean from lying across the body, and how far their pictures are turned
    in their plane from rows that run right to left, degrees; none without an orientation."""
    if not len(placed := placed_rows(rows)):
        return {}
    axes = [unit_axes(np.asarray(rows["orientation"][int(k)], np.float64)) for k in placed]
    lean = [_degrees(abs(normal[2])) for _, _, normal in axes]
    turn = [_degrees(float(row[0])) for row, _, _ in axes]
    return {"lean_degrees": float(np.median(lean)), "turn_degrees": float(np.median(turn))}


def _degrees(cosine: float) -> float:
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def _sides_mm(rows: pl.DataFrame, boxes: Sequence[Sequence[int]]) -> dict[str, float]:
    """Measure the median sides of the boxes, mm; none without boxes or spacings."""
    down, across = _median(rows["row_spacing_mm"]), _median(rows["column_spacing_mm"])
    if not len(boxes) or down is None or across is None:
        return {}
    box: Float64Array = np.median(np.asarray(boxes, np.float64), axis=0)
    return {"height_mm": (box[1] - box[0]) * down, "width_mm": (box[3] - box[2]) * across}
