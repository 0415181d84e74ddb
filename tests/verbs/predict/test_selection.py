"""tests/verbs/predict/test_selection.py: what is no head, or of another modality, is unread."""

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pydicom
import pytest

from wetread.cli.learn import _prediction_code
from wetread.cli.prediction_text import prediction_lines
from wetread.phantoms.dicom.archive import PhantomTruth
from wetread.verbs.predict.predict import Prediction, predict
from wetread.verbs.train.train import TrainResult

FINDINGS = 6
SLICES = 9


def chest(hu: np.ndarray) -> np.ndarray:
    """A trunk of 300 x 220 mm with a spine and two lungs, on 64 pixels of 6 mm."""
    y, x = (np.mgrid[:64, :64] - 31.5) * 6.0
    trunk = np.where((y / 110) ** 2 + (x / 150) ** 2 <= 1, 40.0, -1000.0)
    for middle in (-70, 70):
        trunk[(y / 70) ** 2 + ((x - middle) / 50) ** 2 <= 1] = -850
    trunk[((y - 85) / 15) ** 2 + (x / 20) ** 2 <= 1] = 500
    return trunk


def rewritten(
    slices: list[Path], out: Path, study: str, draw: Callable[..., np.ndarray] | None, **tags: Any
) -> list[str]:
    """Files of another study with the slices' places: their pixels drawn anew, tags set; ids."""
    names = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the identifiers are no legal UIDs, as in the real files
        for number, path in enumerate(slices):
            data = pydicom.dcmread(path)
            if draw is not None:
                hu = draw(data.pixel_array)
                stored = (hu - float(data.RescaleIntercept)) / float(data.RescaleSlope)
                data.PixelData = stored.round().astype(data.pixel_array.dtype).tobytes()
                data.PixelSpacing = [6.0, 6.0]
            data.StudyInstanceUID, data.SeriesInstanceUID = study, f"{study}_series"
            data.SOPInstanceUID = f"ID_{study}{number:03d}"
            for name, value in tags.items():
                setattr(data, name, value)
            data.save_as(out / f"{data.SOPInstanceUID}.dcm")
            names.append(str(data.SOPInstanceUID))
    return names


@pytest.fixture(scope="module")
def archive(
    phantoms: PhantomTruth, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, list[str]]]:
    """A head with a localizer beside it, a chest, a localizer alone, an MR; and their images."""
    folder = tmp_path_factory.mktemp("mixed")
    own = phantoms.rows.filter(pl.col("study_number") == 0)["image"].to_list()
    files = [phantoms.images / f"{image}.dcm" for image in own]
    localizer = {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}
    names = {
        "head": rewritten(files, folder, "head", None),
        "beside": rewritten(
            files[:1], folder, "headscout", None, StudyInstanceUID="head", **localizer
        ),
        "chest": rewritten(files[:SLICES], folder, "chest", chest),
        "scout": rewritten(files[:1], folder, "scout", None, **localizer),
        "mr": rewritten(files[:2], folder, "mr", None, Modality="MR"),
    }
    return folder, names


@pytest.fixture(scope="module")
def read(
    archive: tuple[Path, dict[str, list[str]]],
    one_split: TrainResult,
    tmp_path_factory: pytest.TempPathFactory,
) -> Prediction:
    return predict([archive[0]], [one_split.run], tmp_path_factory.mktemp("out"), workers=1)


def test_a_chest_a_localizer_and_an_mr_are_unread_each_with_its_reason(read: Prediction) -> None:
    states = {one.study_uid: (one.state, one.reason) for one in read.readings}
    assert states == {
        "head": ("read", None),
        "chest": ("unread", "wrong_anatomy"),
        "scout": ("unread", "localizer"),
        "mr": ("unread", "other_modality"),
    }
    told = {one.study_uid: one for one in read.readings}
    assert (told["chest"].study, told["chest"].slices) == ({}, ())
    assert "no head: brain within bone in 0 of 9 slices" in str(told["chest"].detail)
    assert told["mr"].detail == "images of Modality 2 MR; CT is read"
    worklist = pl.read_csv(read.out / "worklist.csv")
    assert worklist["state"].to_list() == ["read", "unread", "unread", "unread"]
    assert worklist["any"].is_null().to_list() == [False, True, True, True]
    of_file = json.loads((read.out / "readings" / "chest.json").read_text())
    assert (of_file["state"], of_file["reason"]) == ("unread", "wrong_anatomy")


def test_the_submission_gives_what_was_not_read_the_prior_and_counts_it(
    read: Prediction, archive: tuple[Path, dict[str, list[str]]], one_split: TrainResult
) -> None:
    names = archive[1]
    shares = json.loads((one_split.run / "about.json").read_text())["prior"]
    rows = dict(pl.read_csv(read.out / "submission.csv").rows())
    unread = [*names["chest"], *names["scout"], *names["beside"]]
    assert {name.rpartition("_")[0] for name in rows} == {*names["head"], *unread}
    for image in unread:
        assert {finding: rows[f"{image}_{finding}"] for finding in shares} == shares
    assert read.counts["filled_in_submission"] == FINDINGS * len(unread)
    assert (read.counts["studies"], read.counts["unread"]) == (4, 3)
    assert (read.counts["refused"], read.counts["localizers"]) == (SLICES, 2)


def test_the_last_line_counts_read_and_unread_and_the_exit_code_is_3(read: Prediction) -> None:
    lines = prediction_lines(read)
    counts, _, cautions = lines[-1].partition("; ")
    assert counts.endswith(": 1 study read, 3 unread")
    assert cautions == "learned from phantoms alone, never scored on patients"
    assert sum(line.startswith("unread  ") for line in lines) == 3
    assert _prediction_code(read) == 3


@pytest.mark.parametrize(
    ("kept", "code"), [("mr", 3), ("scout", 3), ("head", 0)]
)  # "head" takes its localizer along
def test_where_studies_were_there_and_none_was_read_the_exit_code_is_3(
    archive: tuple[Path, dict[str, list[str]]],
    one_split: TrainResult,
    tmp_path: Path,
    kept: str,
    code: int,
) -> None:
    folder, names = archive
    src = tmp_path / "src"
    src.mkdir()
    for name in [*names[kept], *(names["beside"] if kept == "head" else [])]:
        (src / f"{name}.dcm").write_bytes((folder / f"{name}.dcm").read_bytes())
    found = predict([src], [one_split.run], tmp_path / "out", workers=1)
    assert _prediction_code(found) == code


def test_an_archive_without_a_study_ends_with_1(one_split: TrainResult, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "note.txt").write_text("no DICOM")
    found = predict([tmp_path / "src"], [one_split.run], tmp_path / "out", workers=1)
    assert _prediction_code(found) == 1
