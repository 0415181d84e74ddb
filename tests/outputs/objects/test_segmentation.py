"""tests/outputs/objects/test_segmentation.py: masks as a DICOM Segmentation, read back to the pixel
by highdicom and by dcmqi."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from highdicom import seg
from tests.outputs.objects.object_checks import errors_of

from wetread.outputs.objects.segmentation import make_segmentation
from wetread.outputs.objects.study import ObjectStudy

SEGIMAGE2ITKIMAGE = shutil.which("segimage2itkimage", path=str(Path(sys.executable).parent))
IMAGES = [f"1.2.3.{number}" for number in (1, 2, 3, 4)]


def masks(rng: np.random.Generator, overlap: bool) -> dict[str, dict[str, np.ndarray]]:
    """Two findings in the second and third image, one of them also in the fourth."""
    first = {uid: rng.random((24, 16)) < 0.3 for uid in IMAGES[1:3]}
    second = {uid: rng.random((24, 16)) < 0.3 for uid in IMAGES[1:]}
    if not overlap:
        second = {uid: one & ~first.get(uid, np.zeros_like(one)) for uid, one in second.items()}
    return {"any": first, "subdural": second}


@pytest.mark.parametrize("kind", ["binary", "labelmap"])
def test_highdicom_reads_the_masks_back_to_the_pixel(study: ObjectStudy, kind: str) -> None:
    drawn = masks(np.random.default_rng(3), overlap=kind == "binary")
    content = make_segmentation(study, drawn, kind)
    assert content is not None
    found = seg.segread(BytesIO(content))
    for number, finding in enumerate(drawn, start=1):
        pixels = found.get_pixels_by_source_instance(
            IMAGES, segment_numbers=[number], assert_missing_frames_are_empty=True
        )
        for place, uid in enumerate(IMAGES):
            true = drawn[finding].get(uid, np.zeros((24, 16), bool))
            assert np.array_equal(pixels[place, :, :, 0] > 0, true)


def test_dcmqi_reads_the_masks_back_to_the_voxel(study: ObjectStudy, tmp_path: Path) -> None:
    if SEGIMAGE2ITKIMAGE is None:
        pytest.skip("segimage2itkimage is not installed: pip install dcmqi")
    drawn = masks(np.random.default_rng(4), overlap=False)
    content = make_segmentation(study, drawn, "binary")
    assert content is not None
    (tmp_path / "seg.dcm").write_bytes(content)
    subprocess.run(
        [SEGIMAGE2ITKIMAGE, "--inputDICOM", tmp_path / "seg.dcm", "--outputType", "nrrd",
         "--outputDirectory", tmp_path, "--prefix", "s"],
        check=True, capture_output=True,
    )  # fmt: skip
    import SimpleITK

    for number, finding in enumerate(drawn, start=1):
        image = SimpleITK.ReadImage(str(tmp_path / f"s-{number}.nrrd"))
        voxels, low = SimpleITK.GetArrayFromImage(image), image.GetOrigin()[2]
        total = sum(int(one.sum()) for one in drawn[finding].values())
        assert int((voxels > 0).sum()) == total
        for z, uid in enumerate(IMAGES):
            at = round(z - low / 5.0)
            if uid in drawn[finding]:
                assert np.array_equal(voxels[at] > 0, drawn[finding][uid])


def test_a_segment_is_named_coded_and_made_by_the_algorithm(study: ObjectStudy) -> None:
    content = make_segmentation(study, masks(np.random.default_rng(5), overlap=True), "binary")
    assert content is not None
    found = pydicom.dcmread(BytesIO(content))
    first, second = found.SegmentSequence
    assert (first.SegmentLabel, first.SegmentAlgorithmType) == ("any", "AUTOMATIC")
    assert first.SegmentedPropertyTypeCodeSequence[0].CodeValue == "1386000"
    assert second.SegmentedPropertyTypeCodeSequence[0].CodingSchemeDesignator == "99WETREAD"
    made = first.SegmentationAlgorithmIdentificationSequence[0]
    assert (made.AlgorithmName, made.AlgorithmVersion) == (
        "wetread hemorrhage",
        study.author.version,
    )
    assert study.author.run in json.dumps(found.to_json_dict())


def test_findings_that_overlap_are_no_label_map(study: ObjectStudy) -> None:
    drawn = masks(np.random.default_rng(6), overlap=True)
    with pytest.raises(ValueError, match="pixels in common"):
        make_segmentation(study, drawn, "labelmap")


def test_where_nothing_is_drawn_there_is_no_object(study: ObjectStudy) -> None:
    assert make_segmentation(study, {}, "binary") is None
    empty = {"any": {uid: np.zeros((24, 16), bool) for uid in IMAGES}}
    assert make_segmentation(study, empty, "binary") is None


@pytest.mark.parametrize("kind", ["binary", "labelmap"])
def test_it_is_legal(study: ObjectStudy, kind: str, tmp_path: Path) -> None:
    content = make_segmentation(study, masks(np.random.default_rng(7), overlap=False), kind)
    assert content is not None
    assert errors_of(content, tmp_path) == []
