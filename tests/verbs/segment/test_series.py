"""tests/verbs/segment/test_series.py: one series becomes masks on disk, or a reject with why."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from wetread.inputs.sources import ct_series, open_source
from wetread.verbs.segment.earlier import ENTRY_NAME
from wetread.verbs.segment.organs import SegmentOptions, validate
from wetread.verbs.segment.series import SegmentJob, segment_series

pytest.importorskip("nibabel", reason="nibabel is not installed")
pytest.importorskip("skimage", reason="scikit-image is not installed")

Write = Callable[..., Path]


def options(**changes: object) -> SegmentOptions:
    start = {"organ": "body", "method": "", "closing_mm": None, "threshold_hu": None}
    words = {**start, "meshes": (), "page": False, "gaps": "refuse", **changes}
    return validate(SegmentOptions(**words))  # type: ignore[arg-type]


def job(folder: Path, out: Path) -> SegmentJob:
    (rows,) = ct_series(open_source(folder, 1))
    return SegmentJob(rows, options(), out, ("digest",))


@pytest.fixture
def body(write_ct: Write) -> Path:
    """Four slices: a square of water in air."""
    folder = write_ct(4)
    import pydicom

    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        stored = np.zeros((20, 24), np.int16)
        stored[4:16, 5:19] = 1024
        dataset.PixelData = stored.tobytes()
        dataset.PixelSpacing = [10, 10]
        dataset.save_as(path)
    return folder


def test_a_mask_is_written_with_its_volume_and_an_entry_that_is_taken_up_again(
    body: Path, tmp_path: Path
) -> None:
    done = segment_series(job(body, tmp_path / "out"))
    (entry,) = done.volumes
    assert done.rejects == ()
    (mask,) = entry["masks"]
    inside = np.load(mask["files"]["npy"])
    assert inside[:, 4:16, 5:19].all()
    assert mask["volume_ml"] == pytest.approx(inside.sum() * 10 * 10 * 5 / 1000)
    path = tmp_path / "out" / "1.7" / "1.8.0" / "body" / ENTRY_NAME
    on_disk = json.loads(path.read_text())
    assert on_disk["masks"][0]["files"]["npy"] == "body.npy"
    before = path.stat().st_mtime_ns
    assert segment_series(job(body, tmp_path / "out")).volumes == done.volumes
    assert path.stat().st_mtime_ns == before


def test_a_series_of_air_is_a_reject_that_says_so(write_ct: Write, tmp_path: Path) -> None:
    folder = write_ct(3, RescaleIntercept=-3000)
    done = segment_series(job(folder, tmp_path / "out"))
    assert done.volumes == ()
    (reject,) = done.rejects
    assert reject.reason == "wrong_anatomy"
    assert "series of 3" in reject.detail


def test_a_gap_is_refused_where_gaps_are_not_allowed(write_ct: Write, tmp_path: Path) -> None:
    folder = write_ct(5)
    sorted(folder.iterdir())[2].unlink()
    done = segment_series(job(folder, tmp_path / "out"))
    assert [reject.reason for reject in done.rejects] == ["no_geometry"]


def test_what_is_not_known_of_an_organ_is_refused_with_what_is() -> None:
    assert options().method == "tissue"
    for changes, text in (
        ({"organ": "soul"}, "no organ 'soul'; there are: airway"),
        ({"method": "guess"}, "no method 'guess'; tissue"),
        ({"closing_mm": 3.0}, "has no setting closing_mm; it has none"),
        ({"meshes": ("svg",)}, "no mesh form 'svg'"),
        ({"gaps": "jump"}, "gaps 'jump'"),
    ):
        with pytest.raises(ValueError, match=text):
            options(**changes)


def test_a_reject_names_the_first_file_of_its_series(body: Path, tmp_path: Path) -> None:
    one = job(body, tmp_path)
    assert one.uids == ("1.7", "1.8.0")
    reject = one.reject("no_geometry", "a gap")
    assert (reject.path, reject.detail) == (one.rows["path"][0], "series of 4: a gap")
    assert isinstance(one.rows, pl.DataFrame)
