"""tests/phantoms/radiograph/test_archive.py: films, labels and truth agree; no header leaks."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pydicom
import pytest

from wetread.labels.rle import encode
from wetread.phantoms.chest.chest import draw_chest
from wetread.phantoms.dicom.archive import PhantomTruth
from wetread.phantoms.radiograph.archive import PATIENTS, mask_parts, write_radiograph_archive
from wetread.phantoms.radiograph.dicom import draw_film_encoding, identify_film
from wetread.phantoms.radiograph.exposure import draw_beam
from wetread.phantoms.radiograph.mimics import draw_radiograph_mimics
from wetread.phantoms.radiograph.study import POSITIVE_SHARE

FILMS = 30


def silent(done: int, total: int) -> None:
    assert 0 <= done <= total


def write(out: Path, studies: int, workers: int = 1) -> PhantomTruth:
    return write_radiograph_archive(out, studies, 7, size=64, workers=workers, progress=silent)


def content(out: Path) -> dict[str, bytes]:
    return {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}


def drawn(texts: list[str], rows: int, columns: int) -> np.ndarray:
    """The competition's own way to read its rows, pixel by pixel."""
    flat = np.zeros(rows * columns, bool)
    for text in texts:
        if text == "-1":
            continue
        numbers, at = [int(v) for v in text.split()], 0
        for gap, length in zip(numbers[::2], numbers[1::2], strict=True):
            at += gap
            flat[at : at + length] = True
            at += length
    return flat.reshape(columns, rows).T


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> tuple[Path, PhantomTruth]:
    out = tmp_path_factory.mktemp("films")
    return out, write(out, FILMS)


@pytest.fixture
def headers(archive) -> dict[str, pydicom.Dataset]:
    return {p.stem: pydicom.dcmread(p) for p in archive[1].images.rglob("*.dcm")}


def test_seed_decides_every_byte_whatever_the_number_of_workers(tmp_path):
    write(tmp_path / "one", 4, workers=1)
    write(tmp_path / "two", 4, workers=2)
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_an_interrupted_archive_goes_on_and_ends_the_same(tmp_path):
    class Killed(Exception):
        pass

    def kill(done: int, total: int) -> None:
        if done == 2:
            raise Killed

    with pytest.raises(Killed):
        write_radiograph_archive(tmp_path / "cut", 5, 7, size=64, progress=kill)
    kept = {p: p.stat().st_mtime_ns for p in (tmp_path / "cut").rglob("*.dcm")}
    write(tmp_path / "cut", 5)
    write(tmp_path / "left", 5)
    assert content(tmp_path / "cut") == content(tmp_path / "left")
    assert len(kept) == 2
    assert all(p.stat().st_mtime_ns == t for p, t in kept.items())


def test_another_archive_in_the_same_folder_is_refused(tmp_path):
    write(tmp_path, 2)
    with pytest.raises(ValueError, match="seed 7 there, 8 asked"):
        write_radiograph_archive(tmp_path, 2, 8, size=64, progress=silent)


def test_every_film_lies_in_its_study_and_series_and_reads_back(archive, headers):
    _, truth = archive
    assert set(headers) == set(truth.rows["image"])
    for row in truth.rows.iter_rows(named=True):
        data = headers[row["image"]]
        path = truth.images / row["study"] / row["series"] / f"{row['image']}.dcm"
        assert Path(data.filename) == path
        assert data.SOPInstanceUID == data.file_meta.MediaStorageSOPInstanceUID == row["image"]
        assert (data.StudyInstanceUID, data.SeriesInstanceUID) == (row["study"], row["series"])
        assert data.PatientSex == row["sex"]
        assert (data.ViewPosition, data.SeriesDescription) == (row["view"], f"view: {row['view']}")
        assert data.BitsStored == row["bits"]
        assert data.PhotometricInterpretation == f"MONOCHROME{2 - row['inverted']}"
        pixels = data.pixel_array
        assert pixels.shape == (64, 64)
        assert pixels.max() < 2 ** row["bits"]
        assert data.file_meta.TransferSyntaxUID.is_compressed == (row["bits"] == 8)


def test_the_elements_are_those_of_the_competition(archive, headers, real_data):
    path = next(iter(sorted((real_data / "pneumothorax" / "images").glob("*.dcm"))), None)
    if path is None:
        pytest.skip("no radiographs among the real files")
    real = pydicom.dcmread(path)
    ours = next(d for d in headers.values() if d.BitsStored == 8)
    assert [(e.tag, e.VR) for e in real] == [(e.tag, e.VR) for e in ours]
    same = ["StudyDate", "StudyTime", "Modality", "ConversionType", "BodyPartExamined"]
    same += ["SOPClassUID", "SpecificCharacterSet", "LossyImageCompression", "InstanceNumber"]
    assert [real[name].value for name in same] == [ours[name].value for name in same]


def test_the_headers_patient_is_new_in_every_file_and_the_tables_is_not(archive, headers):
    _, truth = archive
    ids = [str(d.PatientID) for d in headers.values()]
    assert len(set(ids)) == FILMS
    with open(truth.labels.with_name(PATIENTS), newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["image", "patient", "has_pneumothorax"]
    assert {r["image"] for r in rows} == set(headers)
    assert len({r["patient"] for r in rows}) < FILMS
    persons = truth.rows.group_by("patient").agg(pl.col("sex", "age").n_unique())
    assert persons["sex"].max() == persons["age"].max() == 1


def test_label_rows_draw_the_masks_of_the_truth(archive):
    _, truth = archive
    with open(truth.labels, newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["ImageId", "EncodedPixels"]
    texts: dict[str, list[str]] = {}
    for image, text in rows[1:]:
        texts.setdefault(image, []).append(text)
    for row in truth.rows.iter_rows(named=True):
        assert drawn(texts[row["image"]], 64, 64).sum() == row["air_pixels"]
        assert (row["air_pixels"] > 0) == bool(row["has_pneumothorax"])
        assert (texts[row["image"]] == ["-1"]) == (row["kind"] == "none")
    assert 0 < truth.rows["has_pneumothorax"].sum() < FILMS


def test_runs_of_parts_draw_the_mask_they_came_from():
    rng = np.random.default_rng(0)
    for _ in range(20):
        mask = cv2.resize(rng.random((6, 5)), (40, 48)) > 0.6
        parts = mask_parts(mask)
        assert [int(p.sum()) for p in parts] == sorted((int(p.sum()) for p in parts), reverse=True)
        assert np.array_equal(drawn([encode(p) for p in parts], 48, 40), mask)
    assert mask_parts(np.zeros((4, 4), bool)) == []


def auc(value: np.ndarray, truth: np.ndarray) -> float:
    order = np.argsort(np.argsort(value + 1e-9 * np.random.default_rng(0).random(len(value)))) + 1
    positive = int(truth.sum())
    above = order[truth].sum() - positive * (positive + 1) / 2
    return float(above / (positive * (len(value) - positive)))


def test_nothing_drawn_before_the_air_tells_whether_there_is_any():
    """The draws of make_chest_study in their order, and the header's fields after them."""
    fields: dict[str, list[float]] = {}
    truth = []
    for number in range(3000):
        rng = np.random.default_rng([5, number])
        anatomy = np.random.default_rng([6, number])
        chest = draw_chest(anatomy, bool(anatomy.random() < 0.5), int(anatomy.integers(5, 75)))
        beam = draw_beam(rng, 270, 64)
        mimics = draw_radiograph_mimics(rng, chest, beam.view == "AP", 1.0)
        truth.append(rng.random() < POSITIVE_SHARE)
        form, names = draw_film_encoding(rng), identify_film(5, number)
        row = {
            "view": beam.view == "AP",
            "supine": beam.supine,
            "sex": chest.female,
            "age": chest.age,
            "tube": mimics.tube,
            "folds": len(mimics.folds),
            "raw": form.raw,
            "inverted": form.inverted,
            "quality": form.quality,
            "spacing": float(form.spacing),
            "image": int(names.image[5:]) % 10**36,
            "study": int(names.study[5:]) % 10**36,
            "patient": int(names.patient[:8], 16),
        }
        for name, value in row.items():
            fields.setdefault(name, []).append(float(value))
    # 13 fields at once: 3 standard errors of an AUC of 0.5 (about 0.011) and a little
    for name, values in fields.items():
        assert auc(np.array(values), np.array(truth)) == pytest.approx(0.5, abs=0.04), name
