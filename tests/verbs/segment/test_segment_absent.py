"""tests/verbs/segment/test_segment_absent.py: an organ that is not there is refused by name."""

import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest

from wetread.phantoms.head.archive import write_head_archive
from wetread.verbs.segment.segment import SegmentResult, segment


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One phantom head at 96 pixels."""
    out = tmp_path_factory.mktemp("head")
    return write_head_archive(out, 1, 8, size=96, progress=lambda done, total: None).images


def refused(organ: str, src: Path, out: Path, method: str | None = None) -> tuple[str, str]:
    """Reason and detail of the one reject of a source that holds one series."""
    found: SegmentResult = segment(organ, [src], out, method=method, workers=1)
    assert found.series == ()
    assert not list(out.rglob("*.npy"))
    (reject,) = [one for one in found.rejects if one.reason != "not_dicom"]
    return reject.reason, reject.detail


@pytest.mark.parametrize(
    ("organ", "method", "words"),
    [
        ("lungs", "ball", "no lungs: lung in 0 of 24 slices"),
        ("lungs", "kmeans", "no lungs: lung in 0 of 24 slices"),
        ("airway", "trachea", "no airway: a head, without lung in any slice"),
    ],
)
def test_the_sinuses_of_a_head_are_neither_lungs_nor_an_airway(
    head: Path, tmp_path: Path, organ: str, method: str, words: str
) -> None:
    reason, detail = refused(organ, head, tmp_path, method=method)
    assert (reason, words in detail) == ("wrong_anatomy", True), detail


@pytest.mark.parametrize("organ", ["bone", "body", "brain"])
def test_nothing_is_found_in_air(head: Path, tmp_path: Path, organ: str) -> None:
    src = tmp_path / "air"
    src.mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the identifiers are no legal UIDs, as in the real files
        for path in sorted(head.iterdir()):
            data = pydicom.dcmread(path)
            air = np.full_like(data.pixel_array, -1000 - int(data.RescaleIntercept))
            data.PixelData = air.tobytes()
            data.save_as(src / path.name)
    reason, detail = refused(organ, src, tmp_path / "out")
    assert (reason, f"no {organ}: " in detail) == ("wrong_anatomy", True), detail


@pytest.mark.parametrize("organ", ["lungs", "airway"])
def test_the_sinuses_of_a_real_head_are_neither(
    real_data: Path, tmp_path: Path, organ: str
) -> None:
    src = real_data / "hemorrhage_series" / "99fc6d2b76.zip"
    reason, detail = refused(organ, src, tmp_path)
    assert (reason, f"no {organ}: " in detail) == ("wrong_anatomy", True), detail


def test_a_real_chest_has_no_brain(real_data: Path, tmp_path: Path) -> None:
    reason, detail = refused("brain", real_data / "embolism_ct", tmp_path)
    assert (reason, "no brain: " in detail) == ("wrong_anatomy", True), detail
