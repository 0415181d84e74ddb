"""tests/cli/test_nothing_lost.py: lost files are counted and said; nothing made is a failure."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pydicom
import pytest

from wetread.phantoms.dicom.archive import PhantomTruth

Wetread = Callable[..., subprocess.CompletedProcess[str]]
SMALL = (
    "--epochs",
    1,
    "--set",
    "size=32",
    "--set",
    "runtime.threads=1",
    "--set",
    "runtime.device=cpu",
)


@pytest.fixture
def files(phantoms: PhantomTruth, tmp_path: Path) -> list[Path]:
    """An archive of the test's own: all of the phantoms."""
    shutil.copytree(phantoms.images, tmp_path / "a")
    return sorted((tmp_path / "a").glob("*.dcm"))


def indexed(here: Wetread, files: list[Path]) -> Path:
    index = files[0].parent.parent / "i.parquet"
    assert here("index", files[0].parent, "-o", index, "--workers", 1).returncode == 0
    return index


def brighter(path: Path) -> None:
    status, dataset = path.stat(), pydicom.dcmread(path)
    dataset.PixelData = (dataset.pixel_array + 40).astype(dataset.pixel_array.dtype).tobytes()
    dataset.save_as(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_files_cut_or_gone_since_indexing_are_counted_by_train_which_then_ends_with_3(
    here: Wetread, phantoms: PhantomTruth, files: list[Path], tmp_path: Path
) -> None:
    index = indexed(here, files)
    files[0].unlink()
    for path in files[1:3]:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    words = ("train", "hemorrhage", "--data", index, "--labels", phantoms.labels)
    done = here(*words, "-o", tmp_path / "run", "--workers", 1, *SMALL)
    assert (done.returncode, done.stderr) == (3, "")
    total = len(files)
    assert f"{total} images = {total - 3} read + 3 that cannot be read" in done.stdout
    assert "3 of them labelled" in done.stdout
    assert f"{total - 3} images: {total - 3} labelled, 0 without label; 0 labels" in done.stdout
    rejects = pl.read_parquet(tmp_path / "run" / "store" / "rejects.parquet")
    assert rejects["reason"].sort().to_list() == ["io_error", *["truncated_pixels"] * 2]


def test_pixels_replaced_under_the_same_uids_are_never_scored_with_the_old_weights(
    here: Wetread, phantoms: PhantomTruth, files: list[Path], tmp_path: Path
) -> None:
    archive = ("--data", files[0].parent, "--labels", phantoms.labels)
    words = ("train", "hemorrhage", *archive, "--workers", 1, *SMALL, "-o")
    assert here(*words, tmp_path / "run").returncode == 0
    scores = (tmp_path / "run" / "scores.json").read_bytes()
    brighter(files[4])
    again = here(*words, tmp_path / "run")
    assert again.returncode == 2
    assert "the slices' pixels are others, under the same ids" in again.stderr
    assert "another folder" in again.stderr
    assert (tmp_path / "run" / "scores.json").read_bytes() == scores


def test_where_every_file_is_gone_train_names_the_files_and_not_the_labels(
    here: Wetread, phantoms: PhantomTruth, files: list[Path], tmp_path: Path
) -> None:
    index = indexed(here, files)
    for path in files:
        path.unlink()
    words = ("train", "hemorrhage", "--data", index, "--labels", phantoms.labels)
    done = here(*words, "-o", tmp_path / "run", "--workers", 1, *SMALL)
    assert done.returncode == 1
    assert f"the {len(files)} images that have a label cannot be read" in done.stderr
    assert "label file" not in done.stderr


def test_a_submission_without_any_probability_is_a_failure(
    here: Wetread, phantoms: PhantomTruth, tmp_path: Path
) -> None:
    empty, full = tmp_path / "empty.csv", tmp_path / "full.csv"
    table = pl.read_csv(phantoms.labels, columns=["ID", "Label"])
    table.with_columns(Label=pl.lit(0.5)).write_csv(full)
    table.with_columns(ID=pl.col("ID").str.replace("ID_", "ID_x")).with_columns(
        Label=pl.lit(0.5)
    ).write_csv(empty)
    words = ("score", "hemorrhage", "--truth", phantoms.labels, "--submission")
    assert here(*words, full).returncode == 0
    done = here(*words, empty, "--json")
    assert done.returncode == 1
    assert len(json.loads(done.stdout)["missing"]) == table.height


@pytest.mark.parametrize(
    "words", [["export", "png"], ["export", "nifti"], ["segment", "brain"]], ids=" ".join
)
def test_nothing_exported_or_segmented_is_a_failure(
    here: Wetread, words: list[str], tmp_path: Path
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "notes.txt").write_text("no image")
    done = here(*words, tmp_path / "a", "-o", tmp_path / "out", "--workers", 1)
    assert done.returncode == 1


def test_a_store_of_nothing_is_a_failure(here: Wetread, files: list[Path], tmp_path: Path) -> None:
    index = indexed(here, files[:1])
    for path in files:
        path.unlink()
    done = here("pack", index, "-o", tmp_path / "store", "--workers", 1)
    assert done.returncode == 1
    assert f"0 slices, {len(files)} rejects" in done.stdout
