"""tests/cli/test_hostile_text.py: no verb hands a terminal what it obeys, nor a table a formula."""

import csv
import os
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

Wetread = Callable[..., subprocess.CompletedProcess[str]]
OBEYED = "\x1b]0;title\x07\x1b[2J"
OBEYED_SIGNS = ("\x1b", "\x07", "\x9b", "\u202e")


def hostile_slice(k: int) -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = (
        "1.2.840.10008.5.1.4.1.1.2",
        f"1.9.{k}{OBEYED}",
    )
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f"=1.7{OBEYED}", f"1.8{OBEYED}"
    dataset.Modality, dataset.PatientID = "CT", "-1"
    dataset.BodyPartExamined, dataset.ConvolutionKernel = f"=X{OBEYED}", f"@K{OBEYED}"
    dataset.SeriesDescription = f"=cmd|' /C calc'!A0{OBEYED}"
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns, dataset.PixelSpacing = 32, 32, [4, 4]
    dataset.ImagePositionPatient, dataset.ImageOrientationPatient = (
        [0, 0, 5 * k],
        [1, 0, 0, 0, 1, 0],
    )
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.PixelRepresentation, dataset.RescaleSlope = 1, 1
    dataset.RescaleIntercept, dataset.RescaleType = -1024, "HU"
    pixels = np.full((32, 32), 24, np.int16)
    pixels[8:24, 8:24] = 1064
    dataset.PixelData = pixels.tobytes()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return dataset


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A CT series of six slices whose texts, UIDs and file names are hostile; one file is cut."""
    source = tmp_path / f"source{OBEYED.replace('/', '')}[1] %41"
    source.mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they are no legal UIDs and codes
        for k in range(6):
            hostile_slice(k).save_as(source / f"{k}\x1b[5m.dcm", enforce_file_format=True)
    whole = (source / "0\x1b[5m.dcm").read_bytes()
    Path(os.fsdecode(os.fsencode(source) + b"/cut\xff\x1b.dcm")).write_bytes(whole[:-50])
    return source


def harmless(done: subprocess.CompletedProcess[str], *codes: int) -> None:
    told = done.stdout + done.stderr
    assert done.returncode in codes, told
    assert not [sign for sign in OBEYED_SIGNS if sign in told], ascii(told)
    assert "Traceback" not in told


def test_escape_codes_of_headers_and_names_stay_out_of_the_terminal_in_every_verb(
    here: Wetread, hostile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "wetread.verbs.export.parallel_map", lambda work, items, workers: map(work, items)
    )
    out = tmp_path / "out[1]\x1b[2J"
    one = ("--workers", 1)
    harmless(here("index", hostile, "-o", out / "i.parquet", "--format", "csv", *one), 3)
    harmless(here("show", hostile, *one), 3)
    harmless(here("show", hostile / "0\x1b[5m.dcm", "--full", "--identifiers"), 0)
    harmless(here("windows", hostile, "-o", out / "w.html", *one), 3)
    harmless(here("montage", hostile, "-o", out / "m.png", *one), 3)
    harmless(here("scroll", hostile, "-o", out / "s.html", *one), 3)
    harmless(here("scroll", hostile, "--series", "x\x1b[2J", "-o", out / "t.html", *one), 2)
    harmless(here("export", "png", hostile, "-o", out / "e", *one), 3)
    harmless(here("pack", "/no\x1b[2J", "-o", out / "p"), 2)
    harmless(here("score", "hemorrhage", "--truth", "/no\x1b[2J", "--submission", "x"), 2)
    harmless(here("predict", hostile, "--run", "/no\x1b[2J", "-o", out / "p"), 2)
    harmless(here("nix\x1b[2J"), 2)
    for table in out.rglob("*.csv"):
        with table.open(newline="", encoding="utf-8") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "@", "-1.7"))], table
        if table.name == "i.csv":
            assert any(cell.startswith("'=X") for cell in cells)
            assert "-1" in cells or "PatientID" not in cells  # ids stay as they are


def test_a_label_cell_of_50_mb_is_not_printed_whole(here: Wetread, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("ID,Label\nID_1_any," + "a" * 50_000_000 + "\n")
    done = here("score", "hemorrhage", "--truth", table, "--submission", table)
    harmless(done, 2)
    assert len(done.stderr) < 2000
    assert "50 MB" in done.stderr
