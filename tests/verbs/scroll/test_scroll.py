"""tests/verbs/scroll/test_scroll.py: the right series in the right order on a page that names
nobody."""

import json
import re
import warnings
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, JPEG2000Lossless

import wetread
from wetread.archive.index.index import build_index
from wetread.archive.rejects import RejectError
from wetread.outputs.uid_names import safe_name
from wetread.pages.scroll_page import Preset, ScrollContent
from wetread.pages.slice_code import code_slice
from wetread.study.series import series_slices
from wetread.study.volume import volume_from_rows
from wetread.verbs.scroll.content import page_content
from wetread.verbs.scroll.scroll import scroll
from wetread.view.window import WINDOWS, Window

ROWS, COLUMNS = 12, 10
SECRETS = {
    "PatientName": "Quixote^Alonso",
    "PatientID": "MANCHA-1605",
    "PatientBirthDate": "15470929",
    "OtherPatientIDs": "DULCINEA7",
    "AccessionNumber": "ROCINANTE42",
    "InstitutionName": "Toboso General",
    "ReferringPhysicianName": "Panza^Sancho",
    "StudyDate": "16050116",
    "StudyDescription": "windmill injury",
    "SeriesDescription": "giants seen",
    "StationName": "BARATARIA",
    "ImageComments": "helmet of Mambrino",
    "ProtocolName": "Clavileno",
}


def write_slice(path: Path, k: int, hu: np.ndarray, **tags: Any) -> None:
    """One slice at k * 2.5 mm; stored = HU + 1024."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, f"1.9.1{path.stem}.{k}"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.8", "1.7"
    dataset.Modality, dataset.BodyPartExamined = "CT", "CHEST"
    dataset.ImageType, dataset.InstanceNumber = ["ORIGINAL", "PRIMARY", "AXIAL"], 100 - k
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = hu.shape
    dataset.PixelSpacing, dataset.SliceThickness = [0.5, 0.25], 2.5
    dataset.ImagePositionPatient, dataset.ImageOrientationPatient = (
        [1, 2, 2.5 * k],
        [1, 0, 0, 0, 1, 0],
    )
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.PixelRepresentation, dataset.RescaleSlope, dataset.RescaleIntercept = 1, 1, -1024
    dataset.WindowCenter, dataset.WindowWidth = ["40", "-600", "40"], ["400", "1500", "400"]
    dataset.PixelData = (hu + 1024).astype(np.int16).tobytes()
    with warnings.catch_warnings(action="ignore"):  # of values that are not as they should be
        for keyword, value in tags.items():
            setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    with warnings.catch_warnings(action="ignore"):
        dataset.save_as(path, enforce_file_format=True)


def write_stack(folder: Path, slices: int, seed: int = 0, /, **tags: Any) -> np.ndarray:
    """HU (slices, rows, columns) in order of position; file names run against it."""
    folder.mkdir(parents=True, exist_ok=True)
    hu = np.random.default_rng(seed).integers(-1024, 2000, (slices, ROWS, COLUMNS))
    for k in range(slices):
        write_slice(folder / f"{seed}{90 - k}.dcm", k, hu[k], **tags)
    return hu.astype(np.float32)


def described(page: Path) -> dict[str, Any]:
    found = re.search(r'id="series">(.*?)</script>', page.read_text())
    assert found is not None
    told: dict[str, Any] = json.loads(found[1])
    return told


def texts(page: Path) -> dict[int, list[str]]:
    found = re.findall(r'id="slice-(\d+)">(.*?)</script>', page.read_text(), re.DOTALL)
    return {int(k): text.split("\n") for k, text in found}


def switch(page: Path) -> dict[str, bool]:
    """The pages to switch to, and whether each is this one."""
    found = re.search(r'<select id="others".*?</select>', page.read_text(), re.DOTALL)
    options = re.findall(r'<option value="([^"]*)"( selected)?>', found[0] if found else "")
    return {name: bool(here) for name, here in options}


def content(folder: Path, shown: Preset | None = None) -> ScrollContent:
    """Read the content of a page of the folder's one series, in this process."""
    index = build_index([folder], folder.parent / "index.parquet", workers=1)
    (rows,) = series_slices(index.images)
    return page_content(volume_from_rows(rows), rows, (), shown)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """A series of 5 slices, one of 3 made of others, a localizer, and one of another study that
    has the first one's UID; a file that is no DICOM."""
    folder = tmp_path_factory.mktemp("archive")
    hu = write_stack(folder / "a", 5, **SECRETS)
    derived = ["DERIVED", "SECONDARY", "AXIAL"]
    write_stack(folder / "b", 3, 1, SeriesInstanceUID="1.7.2", ImageType=derived)
    localizer = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    write_stack(folder / "c", 1, 2, SeriesInstanceUID="../1.7.3", ImageType=localizer)
    write_stack(folder / "d", 2, 3, StudyInstanceUID="1.8.2")
    (folder / "notes.txt").write_text("no DICOM")
    return folder, hu


def test_the_package_hands_out_scroll() -> None:
    assert wetread.scroll is scroll


def test_the_best_series_stands_from_head_to_feet_with_its_own_values(
    archive: tuple[Path, np.ndarray], tmp_path: Path
) -> None:
    folder, hu = archive
    page = tmp_path / "page.html"
    result = scroll([folder], page, workers=1)
    (made,) = result.pages
    assert (made.series_uid, made.modality, made.slices) == ("1.7", "CT", 5)
    assert made.bytes == page.stat().st_size
    assert {k: text[0] for k, text in texts(page).items()} == {
        k: code_slice(values).text for k, values in enumerate(hu[::-1])
    }
    told = described(page)
    assert [one["position"] for one in told["slices"]] == [10, 7.5, 5, 2.5, 0]
    assert told["instances"] == [96, 97, 98, 99, 100]
    assert told["sops"] == [f"1.9.10{90 - k}.{k}" for k in (4, 3, 2, 1, 0)]
    assert (told["spacing"], told["start"], told["unit"]) == ([0.5, 0.25], 2, "HU")
    assert [(one.series_uid, one.slices) for one in result.others] == [
        ("1.7", 2), ("1.7.2", 3), ("../1.7.3", 1)
    ]  # fmt: skip
    assert result.refused == 0
    given: dict[str, Any] = result.to_dict()
    assert given["others"][2]["reasons"] == ["-100 localizer"]
    words = page.read_text()
    assert [secret for secret in SECRETS.values() if secret in words] == []
    assert "order disagrees" in words


def test_a_series_is_chosen_by_its_uid_and_an_unknown_one_is_told_what_there_is(
    archive: tuple[Path, np.ndarray], tmp_path: Path
) -> None:
    folder, _ = archive
    result = scroll([folder], tmp_path / "b.html", series="1.7.2", window="lung", workers=1)
    assert (result.pages[0].series_uid, result.pages[0].slices) == ("1.7.2", 3)
    assert [one.series_uid for one in result.others] == ["1.7", "1.7", "../1.7.3"]
    told = described(tmp_path / "b.html")
    assert told["presets"][told["preset"]]["name"] == "lung"
    with pytest.raises(ValueError, match=r"no series 1\.7\.9; there are: 1\.7, 1\.7, 1\.7\.2, "):
        scroll([folder], tmp_path / "c.html", series="1.7.9", workers=1)
    assert not (tmp_path / "c.html").exists()


def test_every_series_gets_a_page_of_its_own_name_inside_the_folder(
    archive: tuple[Path, np.ndarray], tmp_path: Path
) -> None:
    folder, _ = archive
    result = scroll([folder], tmp_path / "pages", every_series=True, workers=2)
    strange = f"{safe_name('../1.7.3')}.html"
    assert {page.page.name: page.slices for page in result.pages} == {
        "1.7.html": 5, "1.7~2.html": 2, "1.7.2.html": 3, strange: 1
    }  # fmt: skip
    assert not strange.startswith(".")
    assert {path.name for path in (tmp_path / "pages").iterdir()} == {
        *(page.page.name for page in result.pages),
        "index.html",
    }
    assert result.others == ()
    listed = (tmp_path / "pages" / "index.html").read_text()
    assert result.index == tmp_path / "pages" / "index.html"
    assert set(re.findall(r'<a href="([^"]*)"', listed)) == {
        page.page.name for page in result.pages
    }
    assert [secret for secret in SECRETS.values() if secret in listed] == []
    assert switch(tmp_path / "pages" / "1.7.html") == {
        "1.7.html": True, "1.7.2.html": False, strange: False
    }  # fmt: skip
    assert switch(tmp_path / "pages" / "1.7~2.html") == {}  # the only one of its study


def test_masks_lie_on_the_slices_and_the_largest_is_shown_first(
    archive: tuple[Path, np.ndarray], tmp_path: Path
) -> None:
    folder, _ = archive
    inside = np.zeros((5, ROWS, COLUMNS), bool)
    inside[3, 2:9, 1:7], inside[4, 4, 4] = True, True
    np.save(tmp_path / "spot.npy", inside)
    scroll([folder], tmp_path / "p.html", masks=[tmp_path / "spot.npy"], workers=1)
    told = described(tmp_path / "p.html")
    assert (told["start"], [mask["name"] for mask in told["masks"]]) == (1, ["spot"])
    assert [k for k, text in sorted(texts(tmp_path / "p.html").items()) if text[2]] == [0, 1]
    np.save(tmp_path / "other.npy", inside[1:])
    with pytest.raises(ValueError, match=r"other\.npy: .*4 x 12 x 10 voxels"):
        scroll([folder], tmp_path / "q.html", masks=[tmp_path / "other.npy"], workers=1)


def test_wrong_use_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere does not exist"):
        scroll([tmp_path / "nowhere"], tmp_path / "p.html")
    with pytest.raises(ValueError, match="no window 'bright'"):
        scroll([tmp_path], tmp_path / "p.html", window="bright")
    with pytest.raises(ValueError, match="leave out `every_series`"):
        scroll([tmp_path], tmp_path / "p", series="1", every_series=True)
    with pytest.raises(ValueError, match="no image in"):
        scroll([tmp_path], tmp_path / "p.html", workers=1)


def spoil(path: Path) -> None:
    """Leave the headers of file and codestream, and nothing that decodes behind them."""
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = JPEG2000Lossless
    stored = np.zeros((ROWS, COLUMNS), np.uint16)
    whole = bytes(imagecodecs.jpeg2k_encode(stored, codecformat="j2k", reversible=True, level=0))
    body = whole.index(b"\xff\x52")  # the markers between the sizes and the tiles are gone
    dataset.PixelData = encapsulate([whole[:body] + bytes(len(whole)) + b"\xff\xd9"])
    dataset["PixelData"].VR = "OB"
    dataset.save_as(path)


def test_a_slice_that_cannot_be_read_is_named_and_a_series_without_any_is_an_error(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "spoilt"
    write_stack(folder, 3)
    first, *others = sorted(folder.iterdir())
    spoil(first)
    result = scroll([folder], tmp_path / "p.html", workers=1)
    assert (result.pages[0].slices, result.refused) == (2, 1)
    assert "<b>slices rejected</b> 1 of 3" in (tmp_path / "p.html").read_text()
    for path in others:
        spoil(path)
    with pytest.raises(RejectError, match="decode_failed"):
        scroll([folder], tmp_path / "q.html", workers=1)
    write_stack(tmp_path / "whole", 2, 1, SeriesInstanceUID="1.7.2")
    both = scroll([folder, tmp_path / "whole"], tmp_path / "q", every_series=True, workers=1)
    assert [page.series_uid for page in both.pages] == ["1.7.2"]
    assert [(one.series_uid, one.reason) for one in both.unread] == [("1.7", "decode_failed")]
    assert both.refused == 1
    assert "not read: decode_failed" in (tmp_path / "q" / "index.html").read_text()
    assert switch(tmp_path / "q" / "1.7.2.html") == {"1.7.2.html": True}


def test_a_file_that_was_refused_before_its_series_was_known_is_counted_on_the_page(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "cut"
    write_stack(folder, 3)
    first = min(folder.iterdir())
    first.write_bytes(first.read_bytes()[: -ROWS * COLUMNS])
    result = scroll([folder], tmp_path / "p.html", workers=1)
    assert (result.pages[0].slices, result.refused) == (2, 1)
    assert "<dt>Refused</dt><dd>1 of the files given</dd>" in (tmp_path / "p.html").read_text()


def test_the_files_windows_come_first_each_once_then_those_of_the_part(tmp_path: Path) -> None:
    write_stack(tmp_path / "ct", 2)
    found = content(tmp_path / "ct")
    assert found.presets[:4] == (
        Preset("file", Window(40, 400, "linear")),
        Preset("file 2", Window(-600, 1500, "linear")),
        Preset("mediastinum", WINDOWS["mediastinum"]),
        Preset("lung", WINDOWS["lung"]),
    )
    assert {p.name for p in found.presets[2:]} == set(WINDOWS) - {"display"}
    assert (found.preset, found.title) == (0, "CT chest, 2 slices")
    own = content(tmp_path / "ct", Preset("35/70", Window(35, 70)))
    assert (own.preset, own.presets[0].name) == (0, "35/70")


@pytest.mark.parametrize(
    ("tags", "first"),
    [
        ({"BodyPartExamined": "", "StudyDescription": "CT thorax"}, "lung"),
        ({"BodyPartExamined": "", "SeriesDescription": "Chest 5.0"}, "lung"),
        ({"BodyPartExamined": "", "ProtocolName": "Lunge"}, "lung"),
        ({"BodyPartExamined": "", "ProtocolName": "Schaedel"}, "brain"),
        ({"BodyPartExamined": "", "ProtocolName": "5 mm"}, "brain"),
        ({"BodyPartExamined": "BRAIN"}, "brain"),
        ({"BodyPartExamined": "HEAD", "ConvolutionKernel": "H70h"}, "bone"),
        ({"BodyPartExamined": "CHEST", "ConvolutionKernel": "LUNG"}, "lung"),
    ],
    ids=str,
)
def test_a_chest_without_a_body_part_has_lung_windows_first(
    tmp_path: Path, tags: dict[str, str], first: str
) -> None:
    write_stack(tmp_path / "ct", 2, WindowCenter="", WindowWidth="", **tags)
    found = content(tmp_path / "ct")
    assert found.presets[0].name == first
    described = {tags.get(name) for name in ("StudyDescription", "SeriesDescription")}
    assert not described & {found.title, *(value for _, value in found.facts)}


def test_grey_without_a_window_has_the_range_of_its_values(tmp_path: Path) -> None:
    hu = write_stack(
        tmp_path / "mr", 2, Modality="MR", WindowCenter="", WindowWidth="",
        PhotometricInterpretation="MONOCHROME1",
    )  # fmt: skip
    found = content(tmp_path / "mr")
    (whole,) = found.presets
    low, high = hu.min(), hu.max()
    assert whole == Preset("whole range", Window((low + high) / 2, high - low))
    assert found.inverted
    assert found.volume.unit == "grey"


def test_a_single_image_without_a_place_has_no_issue_of_a_series(tmp_path: Path) -> None:
    folder = tmp_path / "cr"
    folder.mkdir()
    write_slice(folder / "1.dcm", 0, np.zeros((ROWS, COLUMNS)), Modality="CR",
                ImagePositionPatient=None, ImageOrientationPatient=None)  # fmt: skip
    found = content(folder)
    assert found.issues == ()
    assert found.title == "CR chest, 1 slice"
    assert [name for name, _ in found.facts] == ["Matrix", "Pixels", "Thickness", "Series"]


def test_the_facts_are_those_of_the_header(tmp_path: Path) -> None:
    write_stack(tmp_path / "ct", 3, ConvolutionKernel="B30f")
    assert dict(content(tmp_path / "ct").facts) == {
        "Matrix": "10 × 12", "Pixels": "0.25 × 0.5 mm", "Distance": "2.5 mm",
        "Thickness": "2.5 mm", "Kernel": "B30f", "Series": "1.7",
    }  # fmt: skip


def test_a_text_that_cannot_be_one_of_its_kind_is_left_out(tmp_path: Path) -> None:
    write_stack(tmp_path / "ct", 1, BodyPartExamined="CHEST OF ALONSO QUIXOTE")
    assert content(tmp_path / "ct").title == "CT, 1 slice"


def test_the_frames_of_one_file_are_slices_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "us").mkdir()
    hu = np.random.default_rng(0).integers(0, 255, (3, ROWS, COLUMNS))
    write_slice(
        tmp_path / "us" / "1.dcm", 0, hu[0], NumberOfFrames=3, Modality="US", RescaleIntercept=0,
        PixelData=hu.astype(np.int16).tobytes(), ImagePositionPatient=None,
    )  # fmt: skip
    np.testing.assert_array_equal(content(tmp_path / "us").volume.hu, hu)


def test_a_hundred_real_slices_take_less_than_45_mb(real_data: Path, tmp_path: Path) -> None:
    chest = real_data / "chest_ct"
    if not chest.is_dir():
        pytest.skip(f"no {chest}")
    (made,) = scroll([chest], tmp_path / "p.html", workers=1).pages
    assert made.slices == 100
    assert made.bytes < 25e6
    name = pydicom.dcmread(next(chest.glob("*.dcm")), stop_before_pixels=True).PatientID
    assert name
    assert name not in (tmp_path / "p.html").read_text()
