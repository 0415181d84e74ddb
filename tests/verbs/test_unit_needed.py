"""tests/verbs/test_unit_needed.py: what needs Hounsfield units leaves CT in another unit unread by
name, or takes it so on request."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pydicom
import pytest
from typer.testing import CliRunner

from wetread.archive.rejects import RejectError
from wetread.cli.main import app
from wetread.phantoms.dicom.archive import PhantomTruth
from wetread.verbs.export import export
from wetread.verbs.montage.montage import montage
from wetread.verbs.predict.predict import predict
from wetread.verbs.segment.segment import segment
from wetread.verbs.show import ShownFile, ShownTree, show
from wetread.verbs.train.train import TrainResult
from wetread.verbs.windows import windows

Write = Callable[..., Path]
BONE = np.pad(np.full((10, 12), 2500, np.int16), ((5, 5), (6, 6))).tobytes()
pytestmark = pytest.mark.filterwarnings("ignore:.*UI:UserWarning")


@pytest.fixture
def without_rescale(phantoms: PhantomTruth, tmp_path: Path) -> Path:
    """The first study's files without slope and intercept, and with the values of its HU."""
    folder = tmp_path / "study"
    folder.mkdir()
    files = [(path, pydicom.dcmread(path)) for path in sorted(phantoms.images.rglob("*.dcm"))]
    first = files[0][1].StudyInstanceUID
    for path, dataset in files:
        if dataset.StudyInstanceUID == first:
            hu = dataset.pixel_array.astype("int16") + int(dataset.RescaleIntercept)
            dataset.PixelData, dataset.PixelRepresentation = hu.tobytes(), 1
            dataset.BitsStored, dataset.HighBit = 16, 15
            del dataset.RescaleSlope, dataset.RescaleIntercept
            dataset.save_as(folder / path.name)
    return folder


def test_a_study_without_rescale_is_left_unread_and_read_as_hu_on_request(
    without_rescale: Path, one_split: TrainResult, phantoms: PhantomTruth, tmp_path: Path
) -> None:
    left = predict([without_rescale], [one_split.run], tmp_path / "left", workers=1)
    (reading,) = left.readings
    told = json.loads(next((tmp_path / "left" / "readings").glob("*.json")).read_text())
    assert (told["state"], told["reason"], told["study"]) == ("unread", "no_rescale", {})
    assert {reject.reason for reject in reading.rejects} == {"no_rescale"}
    taken = predict([without_rescale], [one_split.run], tmp_path / "taken", workers=1, as_hu=True)
    (reading,) = taken.readings
    assert "taken_as_hu" in {issue.name for issue in reading.issues}
    right = predict([phantoms.images], [one_split.run], tmp_path / "right", workers=1)
    same = next(one for one in right.readings if one.study_uid == reading.study_uid)
    assert dict(reading.study) == pytest.approx(dict(same.study), abs=1e-6)


def test_predict_of_z_eff_ends_with_3_and_names_it(
    write_ct: Write, one_split: TrainResult, tmp_path: Path
) -> None:
    folder = write_ct(3, RescaleType="Z_EFF")
    words = ["predict", str(folder), "--run", str(one_split.run), "-o", str(tmp_path / "out")]
    done = CliRunner().invoke(app, [*words, "--workers", "1"])
    assert done.exit_code == 3, done.output
    assert "not_hu" in done.output
    assert "RescaleType is Z_EFF" in " ".join(done.output.split())


@pytest.mark.parametrize(
    ("tags", "reason", "said"),
    [
        ({"RescaleType": "Z_EFF"}, "not_hu", "RescaleType is Z_EFF"),
        ({"RescaleType": "US"}, "not_hu", "RescaleType is US"),
        (
            {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "RescaleIntercept": 0},
            "no_rescale", "secondary capture",
        ),
    ],
)  # fmt: skip
def test_segment_refuses_what_is_not_in_hu(
    tags: dict[str, Any], reason: str, said: str, write_ct: Write, tmp_path: Path
) -> None:
    found = segment(
        "bone",
        [write_ct(4, PixelData=BONE, PixelSpacing=[5, 5], **tags)],
        tmp_path / "out",
        workers=1,
    )
    (reject,) = found.rejects
    assert reject.reason == reason
    assert said in reject.detail
    assert "`as_hu`" in reject.detail
    again = segment("bone", [tmp_path / "source"], tmp_path / "out", workers=1, as_hu=True)
    assert [entry["provenance"]["as_hu"] for entry in again.series] == [True]
    assert [one["name"] for one in again.series[0]["issues"]] == ["taken_as_hu"]


@pytest.mark.usefixtures("in_this_process")
def test_windows_of_hu_are_not_laid_over_another_unit(write_ct: Write, tmp_path: Path) -> None:
    folder = write_ct(2, RescaleType="ED")
    refused = export("png", [folder], tmp_path / "brain", window="brain", workers=1)
    assert (refused.files, refused.refused) == (0, 2)
    rejects = pl.read_csv(tmp_path / "brain" / "rejects.csv")
    assert rejects["reason"].unique().to_list() == ["not_hu"]
    taken = export("png", [folder], tmp_path / "taken", window="brain", workers=1, as_hu=True)
    assert (taken.files, taken.refused) == (2, 0)
    plain = export("png", [folder], tmp_path / "plain", workers=1)
    assert (plain.files, plain.refused) == (2, 0)
    manifest = pl.read_csv(tmp_path / "plain" / "manifest.csv")
    assert manifest["unit"].to_list() == ["ED", "ED"]
    assert manifest["issues"].to_list() == ["not_hu", "not_hu"]


def test_show_says_no_unit_and_why(write_ct: Write) -> None:
    folder = write_ct(2, RescaleType="US")
    one = show(folder / "0-000.dcm")
    assert isinstance(one, ShownFile)
    told: dict[str, Any] = one.to_dict()
    assert told["values"]["unit"] is None
    assert told["issues"] == [
        {"name": "not_hu", "detail": "1 of 1 slices: (0028,1054) RescaleType is US"}
    ]
    tree = show(folder, workers=1)
    assert isinstance(tree, ShownTree)
    described: dict[str, Any] = tree.to_dict()
    (series,) = described["series"]
    assert "not_hu" in [issue["name"] for issue in series["issues"]]


def test_show_says_the_rescale_type_as_unit(write_ct: Write) -> None:
    one = show(write_ct(1, RescaleType="Z_EFF") / "0-000.dcm")
    assert isinstance(one, ShownFile)
    told: dict[str, Any] = one.to_dict()
    assert told["values"]["unit"] == "Z_EFF"


def test_a_montage_in_windows_of_hu_says_which_slices_are_in_none(
    write_ct: Write, tmp_path: Path
) -> None:
    folder = write_ct(2, RescaleType="ED")
    words: dict[str, Any] = {"windows": ["brain"], "workers": 1}
    left = montage(folder, tmp_path / "left.png", **words)
    assert [one.refused for one in left.panels] == ["not_hu", "not_hu"]
    taken = montage(folder, tmp_path / "taken.png", as_hu=True, **words)
    assert [one.refused for one in taken.panels] == [None, None]


def test_the_page_of_windows_names_a_series_in_another_unit(
    write_ct: Write, tmp_path: Path
) -> None:
    with pytest.raises(RejectError, match=r"not_hu: .*RescaleType is Z_EFF"):
        windows(write_ct(3, RescaleType="Z_EFF"), tmp_path / "w.html", workers=1)
