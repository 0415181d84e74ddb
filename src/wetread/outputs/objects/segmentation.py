"""outputs/objects/segmentation.py: masks that were drawn in a series as a DICOM Segmentation
(PS3.3 A.51) of its images."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import highdicom
import numpy as np
from highdicom import seg
from pydicom import Dataset
from pydicom.sr.codedict import codes

from wetread.archive.types import BoolArray
from wetread.labels.code import private_code
from wetread.outputs.objects.author import derive_uid
from wetread.outputs.objects.report import to_concept
from wetread.outputs.objects.study import (
    ObjectStudy,
    device_attributes,
    finish,
    series_attributes,
)
from wetread.prediction.reading import USE


def make_segmentation(
    study: ObjectStudy, masks: Mapping[str, Mapping[str, BoolArray]], kind: str
) -> bytes | None:
    """Make the segmentation of a study, a segment a finding, as the bytes of a file; None where
    every mask is empty.

    masks: finding to image to (rows, columns) bool on the image's own grid; images are named as in
    study.images, and one that is not there has none of it. kind: "binary", which older software
    reads, or "labelmap": one frame an image, and ValueError where two findings have a pixel in
    common.
    """
    images = [
        uid for uid in study.images if any(one.get(uid, _NONE).any() for one in masks.values())
    ]
    if not images:
        return None
    findings = [name for name, one in masks.items() if any(one.get(i, _NONE).any() for i in images)]
    headers = [study.images[uid] for uid in images]
    pixels = _pixels(headers, [[masks[name].get(uid) for uid in images] for name in findings])
    if kind == "labelmap" and (pixels.sum(axis=-1, dtype=np.uint8) > 1).any():
        raise ValueError(
            "two findings have pixels in common, and a label map has one a pixel; choose `binary`"
        )
    content = hashlib.sha256(pixels.tobytes()).hexdigest()
    made = seg.Segmentation(
        source_images=headers,
        pixel_array=pixels,
        segmentation_type=kind.upper(),
        segment_descriptions=[
            _segment(study, number, name) for number, name in enumerate(findings, 1)
        ],
        content_label="WETREAD",
        content_description=USE,
        **series_attributes(study, "segmentation", f"{kind} {content}"),
        **device_attributes(study),
    )
    return finish(made, study, "segmentation")


_NONE = np.zeros((0, 0), np.bool_)


def _pixels(headers: Sequence[Dataset], masks: Sequence[Sequence[BoolArray | None]]) -> np.ndarray:
    """Stack the masks of S findings in N images: (N, rows, columns, S) uint8."""
    shape = int(headers[0].Rows), int(headers[0].Columns)
    pixels = np.zeros((len(headers), *shape, len(masks)), np.uint8)
    for segment, of_images in enumerate(masks):
        for place, mask in enumerate(of_images):
            if mask is not None:
                pixels[place, :, :, segment] = mask
    return pixels


def _segment(study: ObjectStudy, number: int, finding: str) -> seg.SegmentDescription:
    author, code = study.author, study.codes.get(finding, private_code(finding))
    abnormal = codes.SCT.MorphologicallyAbnormalStructure
    return seg.SegmentDescription(
        segment_number=number,
        segment_label=finding,
        segmented_property_category=codes.SCT.AnatomicalStructure if code.is_anatomy else abnormal,
        segmented_property_type=to_concept(code),
        algorithm_type="AUTOMATIC",
        algorithm_identification=highdicom.AlgorithmIdentificationSequence(
            name=author.model,
            version=author.version,
            family=codes.DCM.ArtificialIntelligence,
            parameters={"run": author.run, "use": USE},
        ),
        tracking_uid=derive_uid("segment", study.uid, author.run, finding),
        tracking_id=finding,
    )
