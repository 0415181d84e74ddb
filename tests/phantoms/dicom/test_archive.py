"""tests/phantoms/dicom/test_archive.py: an archive is whole, resumed, and decided by its seed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from wetread.phantoms.dicom.archive import (
    ArchiveKind,
    ArchiveSettings,
    PhantomImage,
    PhantomTruth,
    StudyRequest,
    patient_numbers,
    write_archive,
)
from wetread.phantoms.head.archive import REPEAT_SHARE
from wetread.phantoms.random_streams import Stream


def test_about_a_tenth_of_the_studies_belong_to_a_patient_with_an_earlier_study():
    numbers = patient_numbers(0, 3000, REPEAT_SHARE)
    assert 0.07 < 1 - len(set(numbers)) / 3000 < 0.13
    assert patient_numbers(0, 100, REPEAT_SHARE) == numbers[:100]


SCHEMA: dict[str, pl.DataType] = {
    "image": pl.String(),
    "study_number": pl.Int64(),
    "patient": pl.Int64(),
    "draw": pl.Float64(),
}


def make_images(request: StudyRequest) -> Iterator[PhantomImage]:
    """Two images a study, whose content is a draw of their streams."""
    body = request.body_generator().random()
    rng = request.study_generator()
    for number in range(2):
        draw = round(body + rng.random(), 6)
        name = f"{request.number}-{number}"
        row = {
            "image": name,
            "study_number": request.number,
            "patient": request.patient,
            "draw": draw,
        }
        yield PhantomImage(row, f"{name} {draw}".encode())


def make_tables(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    return {"labels.csv": rows.select("image", label=pl.col("draw") > 1)}


TOY = ArchiveKind(
    images="files",
    labels="labels.csv",
    image_file="{study_number}/{image}.bin",
    schema=SCHEMA,
    make_images=make_images,
    make_tables=make_tables,
    repeat_share=0.5,
)


def write(out: Path, studies: int = 5, seed: int = 1, workers: int = 1) -> PhantomTruth:
    settings = ArchiveSettings(seed, 1.0, 64)
    return write_archive(
        out, TOY, studies, settings, workers=workers, progress=lambda done, total: None
    )


def content(out: Path) -> dict[str, bytes]:
    return {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}


def test_an_archive_holds_its_images_truth_labels_and_settings(tmp_path: Path):
    truth = write(tmp_path)
    assert truth.rows["image"].to_list() == [f"{s}-{i}" for s in range(5) for i in range(2)]
    assert (truth.images, truth.labels) == (tmp_path / "files", tmp_path / "labels.csv")
    images = {f"files/{s}/{s}-{i}.bin" for s in range(5) for i in range(2)}
    assert set(content(tmp_path)) == images | {"truth.csv", "labels.csv", "phantom.json"}
    assert json.loads((tmp_path / "phantom.json").read_text()) == {
        **{"seed": 1, "difficulty": 1.0, "size": 64, "positives": None},
        "studies": 5,
    }
    assert pl.read_csv(tmp_path / "truth.csv", schema=SCHEMA).equals(truth.rows)


def test_a_lost_image_is_made_again_and_nothing_else(tmp_path: Path):
    write(tmp_path / "whole")
    write(tmp_path / "cut", studies=3)
    (tmp_path / "cut" / "files" / "1" / "1-0.bin").unlink()
    kept = tmp_path / "cut" / "files" / "2" / "2-0.bin"
    before = kept.stat().st_mtime_ns
    write(tmp_path / "cut")
    assert content(tmp_path / "cut") == content(tmp_path / "whole")
    assert kept.stat().st_mtime_ns == before


def test_a_cut_table_of_truth_is_not_believed(tmp_path: Path):
    write(tmp_path / "whole")
    write(tmp_path / "cut")
    table = tmp_path / "cut" / "truth.csv"
    table.write_bytes(table.read_bytes()[:-20] + b"\xff,x,y,z,1,2\n")
    write(tmp_path / "cut")
    assert content(tmp_path / "cut") == content(tmp_path / "whole")


@pytest.mark.parametrize(("studies", "seed", "text"), [(2, 2, "seed 1 there"), (1, 1, "studies 2")])
def test_a_folder_of_another_archive_is_refused(tmp_path: Path, studies: int, seed: int, text: str):
    write(tmp_path, studies=2)
    with pytest.raises(ValueError, match=text):
        write(tmp_path, studies=studies, seed=seed)


def test_studies_of_one_patient_share_a_body_and_differ_in_all_else():
    settings = ArchiveSettings(3, 1.0, 64)
    one, two = StudyRequest(4, 2, settings), StudyRequest(5, 2, settings)
    assert one.body_generator().random() == two.body_generator().random()
    assert one.study_generator().random() != two.study_generator().random()
    draws = {one.study_generator(stream).random() for stream in (Stream.STUDY, Stream.ACQUISITION)}
    assert len(draws) == 2
