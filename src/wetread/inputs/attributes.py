"""inputs/attributes.py: headers of images become groups to compare: view, sex, age..."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

MOST_GROUPS = 8  # of one attribute; rarer texts are one group
OTHERS = "others"
SEVERAL = "several"  # of a series or study whose images differ
AGES = ((18.0, "0-17"), (40.0, "18-39"), (60.0, "40-59"), (80.0, "60-79"), (np.inf, "80 and over"))
THICKNESSES_MM = (
    (1.5, "up to 1.5 mm"), (3.0, "1.5 to 3 mm"), (5.0, "3 to 5 mm"), (np.inf, "over 5 mm"),
)  # fmt: skip
TILTS_DEGREES = (
    (5.0, "under 5 degrees"),
    (15.0, "5 to 15 degrees"),
    (np.inf, "15 degrees and over"),
)
SEXES = {"F": "F", "M": "M", "O": "O"}

# Name of an attribute and the columns of the index that it is made of.
TEXTS = {"view": "ViewPosition", "manufacturer": "Manufacturer", "kernel": "ConvolutionKernel"}
ATTRIBUTES = ("view", "sex", "age", "manufacturer", "kernel", "thickness", "tilt")


def image_attributes(images: pl.DataFrame) -> pl.DataFrame:
    """Return `image` and ATTRIBUTES, text, a row an image; null where its header does not say.

    images: rows of an index. A band holds its lower end and not its upper one, but for thickness,
    of which it holds the upper. Tilt is the angle between the slice's normal and the table's axis,
    of CT alone.
    """
    texts = {name: common_texts(images[column]) for name, column in TEXTS.items()}
    ct = images["Modality"].to_list()
    angles = [
        tilt_degrees(orientation) if modality == "CT" else None
        for orientation, modality in zip(images["orientation"].to_list(), ct, strict=True)
    ]
    columns: dict[str, Sequence[str | None]] = {
        "image": images["SOPInstanceUID"].to_list(),
        **texts,
        "sex": [SEXES.get((sex or "").strip().upper()) for sex in images["PatientSex"]],
        "age": [band(age, AGES) for age in images["age_years"]],
        "thickness": [
            band(mm, THICKNESSES_MM, upper=True) for mm in images["SliceThickness"]
        ],
        "tilt": [band(angle, TILTS_DEGREES) for angle in angles],
    }  # fmt: skip
    schema = dict.fromkeys(("image", *ATTRIBUTES), pl.String())
    return pl.DataFrame({name: columns[name] for name in schema}, schema=schema)


def band(
    value: float | None, bands: Sequence[tuple[float, str]], *, upper: bool = False
) -> str | None:
    """Return the name of the first band that ends above a value (upper: at it or above); None of
    None."""
    if value is None or not np.isfinite(value):
        return None
    return next(name for end, name in bands if value < end or (upper and value == end))


def common_texts(texts: pl.Series) -> list[str | None]:
    """Return texts without blanks around them, the rarer ones than the MOST_GROUPS commonest as
    OTHERS, and null where there is none."""
    bare = texts.str.strip_chars().replace("", None)
    counts = bare.drop_nulls().value_counts().sort("count", bare.name, descending=[True, False])
    common = set(counts[bare.name].head(MOST_GROUPS))
    return [None if text is None else text if text in common else OTHERS for text in bare]


def tilt_degrees(orientation: Sequence[float] | None) -> float | None:
    """Return the angle in degrees, 0 to 90, between a slice's normal and the table's long axis.

    orientation: ImageOrientationPatient, 6 values; None, or axes that are none, give None.
    """
    if orientation is None or len(orientation) != 6 or not np.isfinite(orientation).all():
        return None
    normal = np.cross(orientation[:3], orientation[3:])
    length = float(np.linalg.norm(normal))
    if length == 0:
        return None
    return float(np.degrees(np.arccos(np.clip(abs(normal[2]) / length, 0.0, 1.0))))


def attributes_of(
    units: Sequence[str], images: pl.DataFrame, unit: str
) -> Mapping[str, Sequence[str | None]]:
    """Return each attribute's groups of some images, series or studies, in their order.

    images: `image`, `series`, `study` and ATTRIBUTES; unit: which of the first three the units are.
    Where the images of a unit differ, its group is SEVERAL.
    """
    known = images.group_by(unit).agg(
        pl.when(pl.col(name).drop_nulls().n_unique() > 1)
        .then(pl.lit(SEVERAL))
        .otherwise(pl.col(name).drop_nulls().first())
        .alias(name)
        for name in ATTRIBUTES
    )
    wanted = pl.DataFrame({unit: list(units)}, schema={unit: pl.String()})
    rows = wanted.join(known, on=unit, how="left", maintain_order="left")
    return {name: rows[name].to_list() for name in ATTRIBUTES}
