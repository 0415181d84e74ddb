"""outputs/objects/presentation.py: the key slices of a reading as a Grayscale Softcopy Presentation
State (PS3.3 A.33.1): the window, the probabilities as text, the outline of what was drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from highdicom import pr
from pydicom import Dataset

from wetread.archive.types import BoolArray
from wetread.outputs.objects.study import (
    ObjectStudy,
    device_attributes,
    finish,
    series_attributes,
)
from wetread.prediction.reading import USE

LAYER = "WETREAD"
LEAST_CORNERS = 3  # of an outline
MOST_CORNERS = 400  # of one outline; of longer ones every n-th is kept


@dataclass(frozen=True, eq=False)
class KeySlice:
    """A slice as it is presented.

    image:  its name in study.images. lines: text, one a line.
    masks:  what was drawn in it, (rows, columns) bool each.
    """

    image: str
    lines: tuple[str, ...]
    masks: tuple[BoolArray, ...] = ()


def make_presentation(
    study: ObjectStudy, slices: Sequence[KeySlice], window: tuple[float, float] | None
) -> bytes:
    """Make the presentation state of the key slices, as the bytes of a file.

    window: center and width in the unit of the images' modality transform, HU of CT; None: as the
    images ask for.
    """
    headers = [study.images[one.image] for one in slices]
    annotations = [_annotate(one, study.images[one.image]) for one in slices]
    made = pr.GrayscaleSoftcopyPresentationState(
        referenced_images=headers,
        content_label="WETREAD",
        content_description=USE,
        graphic_annotations=annotations,
        graphic_layers=[pr.GraphicLayer(LAYER, 1, f"{study.author.model}. {USE}")],
        voi_lut_transformations=None
        if window is None
        else [pr.SoftcopyVOILUTTransformation(window_center=window[0], window_width=window[1])],
        concept_name=None,
        **series_attributes(
            study, "presentation", repr([(one.image, one.lines) for one in slices])
        ),
        **device_attributes(study),
    )
    made.Laterality = ""  # type 2C: it may be empty, and is not ours to say
    return finish(made, study, "presentation")


def _annotate(one: KeySlice, header: Dataset) -> pr.GraphicAnnotation:
    text = pr.TextObject(
        text_value="\r\n".join([*one.lines, USE]),
        units="DISPLAY",
        bounding_box=(0.02, 0.02, 0.6, 0.3),
        text_justification="LEFT",
    )
    graphics = [
        pr.GraphicObject(graphic_type="POLYLINE", graphic_data=outline, units="PIXEL")
        for mask in one.masks
        for outline in outlines(mask)
    ]
    return pr.GraphicAnnotation(
        referenced_images=[header],
        graphic_layer=pr.GraphicLayer(LAYER, 1),
        graphic_objects=graphics or None,
        text_objects=[text],
    )


def outlines(mask: BoolArray) -> Iterator[np.ndarray]:
    """Yield the closed outlines of a mask (rows, columns) bool: (n, 2) of column and row, pixels
    counted from the corner of the first one (PS3.3 C.10.5.1.2)."""
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    for contour in found:
        corners = contour[:, 0].astype(np.float64) + 0.5
        if len(corners) >= LEAST_CORNERS:
            corners = corners[:: -(-len(corners) // MOST_CORNERS)]
            yield np.vstack([corners, corners[:1]])
