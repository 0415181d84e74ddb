"""tests/verbs/segment/test_segment.py: `segment` over files: masks in the volumes' own space,
nothing lost,
resumed, no patient."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from wetread.archive.index.index import build_index
from wetread.outputs.nifti import write_nifti
from wetread.phantoms.head.archive import write_head_archive
from wetread.study.series import series_slices
from wetread.study.volume import Volume, volume_from_rows
from wetread.verbs.segment.segment import SegmentResult, segment

nibabel = pytest.importorskip("nibabel", reason="nibabel is not installed")
pytest.importorskip("skimage", reason="scikit-image is not installed")
trimesh = pytest.importorskip("trimesh", reason="trimesh is not installed")


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two head studies at 96 pixels, as DICOM files."""
    out = tmp_path_factory.mktemp("heads")
    return write_head_archive(out, 2, 8, size=96, progress=lambda done, total: None).images


@pytest.fixture(scope="module")
def volumes(heads: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Volume]:
    """The phantoms as volumes, by SeriesInstanceUID."""
    out = tmp_path_factory.mktemp("index") / "index.parquet"
    images = build_index([heads], out, workers=1, progress=lambda done, total: None).images
    return {rows["SeriesInstanceUID"][0]: volume_from_rows(rows) for rows in series_slices(images)}


@pytest.fixture(scope="module")
def one_head(heads: Path, volumes: dict[str, Volume]) -> list[Path]:
    """The files of one of them."""
    return [heads / f"{uid}.dcm" for uid in next(iter(volumes.values())).sources]


@pytest.fixture(scope="module")
def brains(heads: Path, tmp_path_factory: pytest.TempPathFactory) -> SegmentResult:
    """The brains of both, with a surface and a page."""
    out = tmp_path_factory.mktemp("brains")
    return segment("brain", [heads], out, meshes=["stl"], page=True, workers=1)


def test_each_series_has_its_brain_and_nothing_is_refused(brains, volumes) -> None:
    assert {entry["series_uid"] for entry in brains.series} == set(volumes)
    assert brains.refused == 0
    for entry in brains.series:
        (mask,) = entry["masks"]
        assert mask["name"] == "brain"
        assert 900 < mask["volume_ml"] < 2200
        row0, row1, column0, column1 = entry["boxes"]["head"][2:]
        assert row1 - row0 == column1 - column0 > 0


def test_the_mask_overlays_the_hu_of_its_volume(brains, volumes, tmp_path: Path) -> None:
    for entry in brains.series:
        volume, (mask,) = volumes[entry["series_uid"]], entry["masks"]
        write_nifti(tmp_path / "hu.nii.gz", volume.hu, volume.affine)
        hu, drawn = nibabel.load(tmp_path / "hu.nii.gz"), nibabel.load(mask["files"]["nifti"])
        assert drawn.shape == hu.shape
        assert drawn.affine == pytest.approx(hu.affine)
        inside = np.load(mask["files"]["npy"])
        assert inside.dtype == bool
        assert np.array_equal(np.asarray(drawn.dataobj).transpose(2, 1, 0) > 0, inside)
        found = np.asarray(hu.dataobj)[np.asarray(drawn.dataobj) > 0]
        assert -10 < np.median(found) < 60


def test_volume_and_box_are_those_of_the_mask_and_the_surface_agrees(brains, volumes) -> None:
    for entry in brains.series:
        (mask,) = entry["masks"]
        inside = np.load(mask["files"]["npy"])
        affine = np.array(entry["affine_lps"])
        ml = inside.sum() * abs(np.linalg.det(affine[:3, :3])) / 1000
        assert mask["volume_ml"] == pytest.approx(ml, rel=1e-4)
        placed = np.argwhere(inside) @ affine[:3, :3].T + affine[:3, 3]
        low, high = np.array(mask["box_mm"])
        assert (placed >= low - 0.01).all()
        assert (placed <= high + 0.01).all()
        surface = trimesh.load(mask["files"]["stl"], force="mesh")
        assert surface.volume / 1000 == pytest.approx(ml, rel=0.03)
        assert surface.center_mass == pytest.approx(placed.mean(axis=0), abs=1.5)


def test_what_is_on_disk_is_told_and_shows_no_patient(brains, heads: Path) -> None:
    truth = pl.read_csv(heads.parent / "truth.csv")
    for entry in brains.series:
        folder = Path(entry["files"]["picture"]).parent
        told = json.loads((folder / "segment.json").read_text())
        assert told["masks"][0]["files"]["nifti"] == "brain.nii.gz"  # the folder may move
        names = {"files", "masks"}
        assert {key: told[key] for key in told.keys() - names} == {
            key: entry[key] for key in entry.keys() - names
        }
        assert folder.parts[-3:-1] == (entry["study_uid"], entry["series_uid"])
        assert {one.name for one in folder.iterdir()} == {
            *("segment.json", "picture.png", "page.html"),
            *("brain.npy", "brain.nii.gz", "brain.stl"),
        }
        page = (folder / "page.html").read_text()
        assert "brain<b>" in page
        words = (folder / "segment.json").read_text() + page
        assert not any(patient in words for patient in truth["patient"].unique())


def test_a_second_run_makes_nothing_again_unless_asked_otherwise(
    one_head: list[Path], tmp_path: Path
) -> None:
    first = segment("body", one_head, tmp_path, workers=1)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npy")}
    assert segment("body", one_head, tmp_path, workers=1).series == first.series
    assert {path: path.stat().st_mtime_ns for path in files} == files
    lost = Path(first.series[0]["files"]["picture"]).with_name("segment.json")
    lost.unlink()  # stopped before it was whole
    assert segment("body", one_head, tmp_path, workers=1).series == first.series
    made = [path for path, at in files.items() if path.stat().st_mtime_ns != at]
    assert [path.parent for path in made] == [lost.parent]
    again = segment("body", one_head, tmp_path, page=True, workers=1)
    assert all(Path(entry["files"]["page"]).exists() for entry in again.series)
    without = segment("body", one_head, tmp_path, workers=1)
    assert without.series == first.series
    assert not list(tmp_path.rglob("page.html"))  # what was not asked for is not there


def test_masks_of_a_volume_that_is_gone_go_and_files_of_others_stay(
    heads: Path, volumes: dict[str, Volume], tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, volume in zip((first, second), volumes.values(), strict=True):
        folder.mkdir()
        for uid in volume.sources:
            (folder / f"{uid}.dcm").write_bytes((heads / f"{uid}.dcm").read_bytes())
    out = tmp_path / "out"
    kept, gone = segment("body", [first, second], out, workers=1).series
    if kept["series_uid"] != next(iter(volumes)):
        kept, gone = gone, kept
    folder = Path(gone["files"]["picture"]).parent
    (folder / "notes.txt").write_text("mine")
    other = folder.with_name("bone")
    other.mkdir()
    (other / "segment.json").write_text((folder / "segment.json").read_text())
    segment("body", [first], out, workers=1)  # the other source is not asked for
    assert (folder / "body.npy").exists()
    for file in second.iterdir():
        file.unlink()
    again = segment("body", [first, second], out, workers=1)
    assert [entry["series_uid"] for entry in again.series] == [kept["series_uid"]]
    assert {path.name for path in folder.iterdir()} == {"notes.txt"}
    assert (other / "segment.json").exists()
    assert Path(kept["files"]["picture"]).exists()
    (folder / "notes.txt").unlink()
    for file in first.iterdir():
        file.unlink()
    assert segment("body", [first], out, workers=1).series == ()
    assert not Path(kept["files"]["picture"]).parent.parent.parent.exists()


def test_a_part_of_a_head_and_a_lone_slice_and_a_text_end_as_rows(
    heads: Path, volumes: dict[str, Volume], tmp_path: Path
) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "notes.txt").write_text("no image")
    uids = next(iter(volumes.values())).sources
    for uid in (uids[3], *uids[10:14], uids[16]):  # two gaps
        (folder / f"{uid}.dcm").write_bytes((heads / f"{uid}.dcm").read_bytes())
    lone = list(volumes.values())[1].sources[9]
    (folder / f"{lone}.dcm").write_bytes((heads / f"{lone}.dcm").read_bytes())
    found = segment("body", [folder], tmp_path / "out", workers=1)
    assert found.series == ()
    reasons = sorted(reject.reason for reject in found.rejects)
    assert reasons == ["no_geometry", "no_geometry", "not_dicom"]
    assert any("choose fill or resample" in reject.detail for reject in found.rejects)
    assert found.refused == 2
    kept = segment("body", [folder], tmp_path / "kept", gaps="keep", workers=1)
    (entry,) = kept.series
    assert entry["affine_lps"] is None
    assert set(entry["masks"][0]["files"]) == {"npy"}  # no NIfTI without an affine
    filled = segment("body", [folder], tmp_path / "filled", gaps="fill", workers=1)
    assert filled.series[0]["shape"][0] == 14
    assert Path(filled.series[0]["masks"][0]["files"]["nifti"]).exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"organ": "liver"}, "no organ 'liver'; there are: "),
        ({"organ": "bone", "method": "magic"}, "bone has no method 'magic'"),
        ({"organ": "brain", "closing_mm": 3.0}, "brain by 'skull' has no setting closing_mm"),
        ({"organ": "bone", "meshes": ["vtk"]}, "no mesh form 'vtk'"),
        ({"organ": "bone", "gaps": "jump"}, "gaps 'jump'; there are: refuse"),
    ],
)
def test_what_is_not_known_is_refused_with_what_is(
    words: dict[str, Any], told: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=told):
        segment(source=[tmp_path], out=tmp_path / "out", **words)
    assert not (tmp_path / "out").exists()


def test_settings_reach_the_method_and_are_told(one_head: list[Path], tmp_path: Path) -> None:
    plain = segment("bone", one_head, tmp_path / "plain", workers=1)
    closed = segment("bone", one_head, tmp_path / "closed", closing_mm=8, workers=1)
    for one, other in zip(plain.series, closed.series, strict=True):
        assert other["masks"][0]["volume_ml"] > one["masks"][0]["volume_ml"]
        assert other["provenance"]["settings"] == {"closing_mm": 8}
