"""tests/phantoms/angiogram/test_archive.py: files, labels and truth agree; no header leaks."""

from __future__ import annotations

import io
import re
import warnings
from pathlib import Path

import numpy as np
import polars as pl
import pydicom
import pytest

from wetread.phantoms.angiogram.archive import FINDINGS, NAMES, write_angiogram_archive
from wetread.phantoms.angiogram.study import VISIBLE_MM2
from wetread.phantoms.dicom.archive import PhantomTruth

STUDIES = 5


COLUMNS = (
    "StudyInstanceUID,SeriesInstanceUID,SOPInstanceUID,pe_present_on_image,negative_exam_for_pe,"
    "qa_motion,qa_contrast,flow_artifact,rv_lv_ratio_gte_1,rv_lv_ratio_lt_1,leftsided_pe,"
    "chronic_pe,true_filling_defect_not_pe,rightsided_pe,acute_and_chronic_pe,central_pe,"
    "indeterminate"
)


def silent(done: int, total: int) -> None:
    assert 0 <= done <= total


def write(out: Path, studies: int, workers: int = 1) -> PhantomTruth:
    return write_angiogram_archive(
        out, studies, 7, size=64, positives=0.6, workers=workers, progress=silent
    )


def content(out: Path) -> dict[str, bytes]:
    return {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> tuple[Path, PhantomTruth]:
    out = tmp_path_factory.mktemp("angiograms")
    return out, write(out, STUDIES)


def read(source: Path | io.BytesIO) -> pydicom.Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the identifiers are no legal UIDs, as in the real files
        data = pydicom.dcmread(source)
        assert all(element.tag is not None for element in data)
        return data


@pytest.fixture(scope="module")
def headers(archive) -> dict[str, pydicom.Dataset]:
    return {p.stem: read(p) for p in archive[1].images.rglob("*.dcm")}


def test_an_interrupted_archive_goes_on_and_ends_the_same_with_any_workers(archive, tmp_path):
    class Killed(Exception):
        pass

    def kill(done: int, total: int) -> None:
        if done == 2:
            raise Killed

    with pytest.raises(Killed):
        write_angiogram_archive(tmp_path, STUDIES, 7, size=64, positives=0.6, progress=kill)
    kept = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.dcm")}
    write(tmp_path, STUDIES, workers=2)
    assert content(tmp_path) == content(archive[0])
    assert len(kept) == 2 * 40
    assert all(p.stat().st_mtime_ns == t for p, t in kept.items())


def test_another_share_of_positives_in_the_same_folder_is_refused(archive):
    with pytest.raises(ValueError, match=r"positives 0\.6 there, None asked"):
        write_angiogram_archive(archive[0], STUDIES, 7, size=64, progress=silent)


def test_labels_have_the_competitions_columns_one_row_an_image_in_no_order(archive):
    _, truth = archive
    assert truth.labels.name == "train.csv"
    assert truth.labels.read_text().splitlines()[0] == COLUMNS
    assert (*NAMES, *FINDINGS) == tuple(COLUMNS.split(","))
    labels = pl.read_csv(truth.labels, schema_overrides=dict.fromkeys(NAMES, pl.String))
    assert set(labels["SOPInstanceUID"]) == set(truth.rows["image"])
    assert labels.height == truth.rows.height == STUDIES * 40
    heights = dict(truth.rows.select("image", "z").rows())
    for rows in labels.partition_by("StudyInstanceUID"):
        z = [heights[image] for image in rows["SOPInstanceUID"]]
        assert abs(np.corrcoef(z, np.arange(rows.height))[0, 1]) < 0.6


def test_exam_labels_follow_from_the_slices(archive):
    _, truth = archive
    for exam in truth.rows.partition_by("study"):
        assert all(exam[name].n_unique() == 1 for name in FINDINGS[1:])
        seen = {
            name: bool((exam[f"{name}_mm2"] >= VISIBLE_MM2).any())
            for name in ("left", "right", "central", "acute", "chronic")
        }
        present = exam["pe_present_on_image"]
        assert present.to_list() == (exam["clot_mm2"] >= VISIBLE_MM2).cast(int).to_list()
        first = exam.row(0, named=True)
        positive = bool(present.sum())
        assert first["leftsided_pe"] == seen["left"]
        assert first["rightsided_pe"] == seen["right"]
        assert first["central_pe"] == seen["central"]
        assert first["chronic_pe"] == (seen["chronic"] and not seen["acute"])
        assert first["acute_and_chronic_pe"] == (seen["chronic"] and seen["acute"])
        assert first["rv_lv_ratio_gte_1"] == (positive and first["rv_lv"] >= 1)
        assert first["rv_lv_ratio_lt_1"] == (positive and first["rv_lv"] < 1)
        assert first["negative_exam_for_pe"] + first["indeterminate"] == (not positive)
    assert truth.rows["pe_present_on_image"].sum() > 0


def test_every_slice_lies_in_its_study_and_series_and_reads_back(archive, headers):
    _, truth = archive
    assert set(headers) == set(truth.rows["image"])
    for row in truth.rows.iter_rows(named=True):
        data = headers[row["image"]]
        path = truth.images / row["study"] / row["series"] / f"{row['image']}.dcm"
        assert Path(data.filename) == path
        names = (data.StudyInstanceUID, data.SeriesInstanceUID, data.SOPInstanceUID)
        assert names == (row["study"], row["series"], row["image"])
        assert all(re.fullmatch("[0-9a-f]{12}", name) for name in names)
        assert float(data.ImagePositionPatient[2]) == pytest.approx(row["position_mm"], abs=1e-4)
        assert not {"PatientID", "PatientName", "StudyDate", "Manufacturer"} & set(data.dir())
    for exam in truth.rows.partition_by("study"):
        numbers = [headers[image].InstanceNumber for image in exam.sort("z")["image"]]
        assert numbers in (list(range(1, 41)), list(range(40, 0, -1)))
        picture = headers[exam["image"][20]]
        hu = picture.pixel_array.astype(float) * picture.RescaleSlope + picture.RescaleIntercept
        inside = hu[24:40, 24:40]
        assert -100 < np.median(inside) < 400


def test_files_of_an_exam_have_one_size(archive):
    _, truth = archive
    for folder in truth.images.iterdir():
        assert len({path.stat().st_size for path in folder.rglob("*.dcm")}) == 1
