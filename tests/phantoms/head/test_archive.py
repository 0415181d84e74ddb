"""tests/phantoms/head/test_archive.py: files, labels and truth agree; no header leaks."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path

import numpy as np
import polars as pl
import pydicom
import pytest

from wetread.labels.rle import decode
from wetread.phantoms.dicom.archive import PhantomTruth
from wetread.phantoms.head.archive import LABELS, MASKS, label_matrix, write_head_archive

STUDIES = 14


def silent(done: int, total: int) -> None:
    assert 0 <= done <= total


def write(out: Path, studies: int = 4, workers: int = 1, size: int = 64) -> PhantomTruth:
    return write_head_archive(out, studies, 7, size=size, workers=workers, progress=silent)


def content(out: Path) -> dict[str, bytes]:
    return {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}


def read(path: Path) -> pydicom.Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the identifiers are no legal UIDs, as in the real files
        data = pydicom.dcmread(path)
        for element in data:
            assert element.tag is not None
        return data


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> tuple[Path, PhantomTruth]:
    out = tmp_path_factory.mktemp("phantoms")
    return out, write(out, STUDIES)


def test_seed_decides_every_byte_whatever_the_number_of_workers(tmp_path):
    write(tmp_path / "one", 4, workers=1)
    write(tmp_path / "two", 4, workers=2)
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_an_interrupted_archive_goes_on_and_ends_the_same(tmp_path, archive):
    class Killed(Exception):
        pass

    def kill(done: int, total: int) -> None:
        if done == 2:
            raise Killed

    with pytest.raises(Killed):
        write_head_archive(tmp_path / "cut", 4, 7, size=64, progress=kill)
    kept = {p: p.stat().st_mtime_ns for p in (tmp_path / "cut").rglob("*.dcm")}
    write(tmp_path / "cut", 4)
    whole = write(tmp_path / "left", 4)
    assert content(tmp_path / "cut") == content(tmp_path / "left")
    assert len(kept) > 0
    unchanged = [p for p, t in kept.items() if p.stat().st_mtime_ns == t]
    assert len(unchanged) >= whole.rows.filter(pl.col("study_number") < 2).height


def test_a_finished_archive_is_not_written_again_and_may_grow(tmp_path):
    write(tmp_path, 2)
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.dcm")}
    grown = write(tmp_path, 3)
    assert all(p.stat().st_mtime_ns == t for p, t in before.items())
    assert grown.rows["study_number"].n_unique() == 3


def test_an_archive_killed_before_its_labels_gets_them_and_nothing_else_changes(tmp_path):
    truth = write(tmp_path, 2)
    before = content(tmp_path)
    truth.labels.unlink()
    write(tmp_path, 2)
    assert content(tmp_path) == before


def test_another_archive_in_the_same_folder_is_refused(tmp_path):
    write(tmp_path, 2)
    with pytest.raises(ValueError, match="seed 7 there, 8 asked"):
        write_head_archive(tmp_path, 2, 8, size=64, progress=silent)


def test_labels_are_the_competitions_long_form_and_agree_with_the_truth(archive):
    out, truth = archive
    with open(out / "stage_2_train.csv", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["ID", "Label"]
    assert len(rows) == 1 + 6 * truth.rows.height
    labels = {name: int(value) for name, value in rows[1:]}
    assert len(labels) == 6 * truth.rows.height
    matrix = label_matrix(truth.rows)
    for row, image in enumerate(truth.rows["image"]):
        assert [labels[f"{image}_{name}"] for name in LABELS] == matrix[row].tolist()
    assert [r[0].rsplit("_", 1)[1] for r in rows[1:7]] == list(LABELS)


def test_masks_cover_the_areas_of_the_truth_and_blood_is_denser_than_what_lies_around(archive):
    out, truth = archive
    bled = dict.fromkeys(MASKS.values(), 0)
    brighter = 0
    for file, name in MASKS.items():
        runs = dict(pl.read_csv(out / file, schema_overrides=[pl.String, pl.String]).iter_rows())
        assert set(runs) == set(truth.rows["image"])
        for row in truth.rows.iter_rows(named=True):
            mask = decode(runs[row["image"]], (64, 64))
            if not mask.any():
                assert row[f"{name}_mm2"] == 0
                continue
            data = read(out / "stage_2_train" / f"{row['image']}.dcm")
            spacing = float(data.PixelSpacing[0])
            assert mask.sum() * spacing**2 == pytest.approx(row[f"{name}_mm2"], rel=1e-4)
            hu = data.pixel_array.astype(float) * data.RescaleSlope + data.RescaleIntercept
            bled[name] += 1
            brighter += int(np.median(hu[mask]) > 20)
    assert sum(bled.values()) > 10
    assert brighter > 0.8 * sum(bled.values())


def test_every_image_has_one_file_that_reads_back(archive):
    out, truth = archive
    files = {p.stem: p for p in (out / "stage_2_train").iterdir()}
    assert set(files) == set(truth.rows["image"])
    assert truth.rows["image"].n_unique() == truth.rows.height
    for row in truth.rows[::9].iter_rows(named=True):
        data = read(files[row["image"]])
        names = (data.SOPInstanceUID, data.StudyInstanceUID, data.SeriesInstanceUID, data.PatientID)
        assert names == (row["image"], row["study"], row["series"], row["patient"])
        assert len(data) == 22
        assert "SOPClassUID" not in data
        assert "InstanceNumber" not in data
        assert "SliceThickness" not in data
        hu = data.pixel_array.astype(float) * data.RescaleSlope + data.RescaleIntercept
        assert hu.shape == (64, 64)
        assert hu.max() <= 3071
        assert data.BitsStored == (16 if data.PixelRepresentation else 12)


def test_positions_step_five_millimeters_along_the_normal(archive):
    out, truth = archive
    drifted = 0
    for series in truth.rows.partition_by("series"):
        data = [read(out / "stage_2_train" / f"{image}.dcm") for image in series["image"]]
        position = np.array([[float(v) for v in d.ImagePositionPatient] for d in data])
        axes = np.array([float(v) for v in data[0].ImageOrientationPatient]).reshape(2, 3)
        step = np.diff(position, axis=0)
        along = step @ np.cross(axes[0], axes[1])
        assert np.allclose(along, 5.0, atol=1e-3)
        drifted += int(np.abs(step @ axes[1]).max() > 0.05)
    assert 0 < drifted < truth.rows["series"].n_unique()


def test_files_of_one_form_have_one_size(archive):
    out, truth = archive
    sizes: dict[tuple[object, ...], set[int]] = {}
    for image in truth.rows["image"]:
        path = out / "stage_2_train" / f"{image}.dcm"
        data = read(path)
        sizes.setdefault((data.BitsStored, data.is_implicit_VR), set()).add(path.stat().st_size)
    assert len(sizes) >= 2
    assert all(len(found) == 1 for found in sizes.values())
