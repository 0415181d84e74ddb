"""tests/outputs/objects/test_presentation.py: key slices as a presentation state: window, text and
outlines."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pydicom
from tests.outputs.objects.object_checks import errors_of

from wetread.outputs.objects.presentation import KeySlice, make_presentation, outlines
from wetread.outputs.objects.study import ObjectStudy

MASK = np.zeros((24, 16), bool)
MASK[5:12, 3:9] = True
SLICES = [
    KeySlice("1.2.3.4", ("any 0.35", "subdural 0.06"), (MASK,)),
    KeySlice("1.2.3.3", ("any 0.25",)),
]


def test_each_key_slice_has_its_text_and_the_outline_of_what_was_drawn(study: ObjectStudy) -> None:
    found = pydicom.dcmread(BytesIO(make_presentation(study, SLICES, (40.0, 80.0))))
    first, second = found.GraphicAnnotationSequence
    assert first.ReferencedImageSequence[0].ReferencedSOPInstanceUID == "1.2.3.4"
    assert first.TextObjectSequence[0].UnformattedTextValue == "\r\n".join(
        ["any 0.35", "subdural 0.06", "Research use only, not for diagnosis"]
    )
    assert [one.GraphicType for one in first.GraphicObjectSequence] == ["POLYLINE"]
    assert "GraphicObjectSequence" not in second
    window = found.SoftcopyVOILUTSequence[0]
    assert (window.WindowCenter, window.WindowWidth) == (40, 80)


def test_an_outline_filled_is_the_mask_again() -> None:
    rng = np.random.default_rng(0)
    mask = cv2.dilate((rng.random((60, 50)) < 0.02).astype(np.uint8), np.ones((5, 5))) > 0
    canvas = np.zeros(mask.shape, np.uint8)
    for outline in outlines(mask):
        assert np.array_equal(outline[0], outline[-1])  # closed
        cv2.fillPoly(canvas, [np.floor(outline).astype(np.int32)], 1)
    holes = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3)))
    assert np.array_equal((canvas > 0) | mask, canvas > 0)
    assert int(((canvas > 0) & (holes == 0)).sum()) < 0.02 * mask.sum()


def test_a_slice_without_a_window_of_ours_asks_for_its_own(study: ObjectStudy) -> None:
    found = pydicom.dcmread(BytesIO(make_presentation(study, SLICES, None)))
    assert "SoftcopyVOILUTSequence" not in found


def test_it_is_legal(study: ObjectStudy, tmp_path: Path) -> None:
    assert errors_of(make_presentation(study, SLICES, (40.0, 80.0)), tmp_path) == []
