"""tests/verbs/test_windows.py: values as asked for, and a page of a phantom or of a series."""

import shutil
from pathlib import Path

import numpy as np
import pydicom
import pytest

import wetread
from wetread.archive.rejects import RejectError
from wetread.inputs.sources import best_series, ct_series, open_source
from wetread.pages.windows_page import HU_AXIS
from wetread.phantoms.dicom.archive import PhantomTruth
from wetread.study.slices import slice_from_row
from wetread.verbs import windows as verb
from wetread.verbs.windows import ModeValues, header_gray, mode_values, series_sample
from wetread.view.mode import MODES, apply_mode, find_mode

# The phantoms bear the competition's names, which are no UIDs.
pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR UI:UserWarning")


@pytest.fixture(scope="module")
def study(phantoms: PhantomTruth, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of one phantom study."""
    folder = tmp_path_factory.mktemp("study")
    for path in ct_series(open_source(phantoms.images, 1))[0]["path"]:
        shutil.copy(path, folder)
    return folder


def test_the_package_hands_out_windows() -> None:
    assert wetread.windows is verb.windows


def test_values_are_told_as_three_channels_in_the_form_that_machines_read() -> None:
    assert mode_values("bsb", [-1000, 0, 40]).to_dict() == {
        "mode": "bsb",
        "values": [
            {"hu": -1000.0, "value": [0.0, 0.0, 0.0]},
            {"hu": 0.0, "value": [0.0, 0.1, 0.2]},
            {"hu": 40.0, "value": [0.5, 0.3, 0.22]},
        ],
    }
    assert mode_values("40/80", [20]).values == ((0.25, 0.25, 0.25),)
    assert mode_values("pe-3slice", [100]).values == ((0.5, 0.5, 0.5),)


@pytest.mark.parametrize("name", [name for name, mode in MODES.items() if mode.windows])
def test_every_modes_values_are_those_that_a_slice_gets(name: str) -> None:
    hu, mode = [-1000.0, 0.0, 20.0, 40.0, 80.0, 100.0, 600.0], find_mode(name)
    channels = apply_mode([np.array([hu])] * len(mode.offsets), mode)
    expected = np.stack(channels * (3 // len(channels)), -1)[0]
    np.testing.assert_allclose(mode_values(name, hu).values, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["metadata", "adjacent"])
def test_a_mode_of_the_header_needs_a_file_and_shows_its_window(name: str, study: Path) -> None:
    with pytest.raises(ValueError, match=rf"{name} shows .* own header's window: give the file"):
        mode_values(name, [0])
    path = sorted(study.iterdir())[0]
    dataset = pydicom.dcmread(path)
    center, width = (
        float(np.atleast_1d(getattr(dataset, keyword))[0])
        for keyword in ("WindowCenter", "WindowWidth")
    )
    hu = [center - width, center - 0.5, center + width]
    found = mode_values(name, hu, path)
    assert found == ModeValues(name, tuple(hu), ((0.0,) * 3, (0.5,) * 3, (1.0,) * 3))


def test_a_file_that_names_no_window_gives_a_mode_of_the_header_no_value(
    study: Path, tmp_path: Path
) -> None:
    dataset = pydicom.dcmread(sorted(study.iterdir())[0])
    del dataset.WindowCenter, dataset.WindowWidth
    dataset.save_as(tmp_path / "no_window.dcm")
    with pytest.raises(RejectError, match=r"WindowCenter is absent"):
        mode_values("metadata", [0], tmp_path / "no_window.dcm")


def test_a_mode_stretched_slice_by_slice_has_no_value_at_a_hu() -> None:
    with pytest.raises(ValueError, match="a HU alone has no value in it; bsb has fixed bounds"):
        mode_values("bsb_slicewise", [0])


def test_a_page_without_a_source_shows_the_phantom_of_one_seed(tmp_path: Path) -> None:
    result = verb.windows(None, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert "A head phantom: slice 16 of 28, with a subdural hematoma" in text
    assert (result.slices, result.refused) == (1, 0)
    assert result.modes == tuple(name for name, mode in MODES.items() if mode.windows)


def test_a_page_of_a_series_has_every_mode_and_names_the_middle_slice(
    study: Path, tmp_path: Path
) -> None:
    result = verb.windows(study, tmp_path / "page.html", workers=1)
    assert result.modes == tuple(MODES)
    count = len(list(study.iterdir()))
    text = (tmp_path / "page.html").read_text()
    assert f"Slice {count // 2 + 1} of {count}, at " in text
    assert f"{count * 64 * 64:,} pixels of {count} slices" in text


def test_a_page_names_no_patient(study: Path, tmp_path: Path) -> None:
    folder = tmp_path / "named"
    shutil.copytree(study, folder)
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.PatientName, dataset.PatientID = "Quux^Zaphod", "MRN-778899"
        dataset.PatientBirthDate, dataset.InstitutionName = "19420101", "Saint Nowhere"
        dataset.save_as(path)
    verb.windows(folder, tmp_path / "page.html", workers=1)
    text = (tmp_path / "page.html").read_text()
    assert not [
        told for told in ("Quux", "Zaphod", "778899", "19420101", "Nowhere") if told in text
    ]


def test_files_that_cannot_be_used_are_counted_and_the_rest_is_shown(
    study: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "cut"
    shutil.copytree(study, folder)
    broken = sorted(folder.iterdir())[3]
    broken.write_bytes(broken.read_bytes()[:-100])
    result = verb.windows(folder, tmp_path / "page.html", workers=1)
    assert (result.refused, result.slices) == (1, len(list(study.iterdir())) - 1)


def test_where_the_middle_slice_cannot_be_read_the_nearest_is_shown(
    study: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "cut"
    shutil.copytree(study, folder)
    wetread.index([folder], tmp_path / "index.parquet", workers=1)
    rows = ct_series(open_source(tmp_path / "index.parquet", 1))[0]
    middle = rows.height // 2
    for at in (middle, middle + 2):  # the neighbour of the one that is shown, too
        path = Path(rows["path"][at])
        path.write_bytes(path.read_bytes()[:-100])
    sample = series_sample(rows, 1)
    assert sample.caption.startswith(f"Slice {middle} of {rows.height}, at ")
    expected = slice_from_row(rows.row(middle - 1, named=True)).values()
    np.testing.assert_array_equal(sample.hu[0], expected)
    np.testing.assert_array_equal(sample.hu[1], expected)
    assert sample.histograms is not None
    assert len(sample.histograms.rejects) == 2


def test_what_holds_no_ct_has_no_page(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "notes.txt").write_text("no DICOM")
    with pytest.raises(RejectError, match="no CT image in"):
        verb.windows(tmp_path / "in", tmp_path / "page.html", workers=1)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        verb.windows(tmp_path / "gone", tmp_path / "page.html", workers=1)


def test_a_series_is_chosen_by_its_uid_or_by_what_suits(phantoms: PhantomTruth) -> None:
    series = ct_series(open_source(phantoms.images, 1))
    uids = [rows["SeriesInstanceUID"][0] for rows in series]
    assert best_series(series, uids[-1])["SeriesInstanceUID"][0] == uids[-1]
    assert best_series(series).height == max(rows.height for rows in series)
    with pytest.raises(ValueError, match=r"no series '1\.2'; there are: "):
        best_series(series, "1.2")


def test_the_header_of_a_real_slice_is_shown_as_its_window_says(real_data: Path) -> None:
    folder = real_data / "hemorrhage_slices"
    if not folder.is_dir():
        pytest.skip(f"no folder {folder}")
    images = open_source(folder, 1).images
    for row in images.iter_rows(named=True):
        grey = header_gray(HU_AXIS, row)
        assert (np.diff(grey) >= 0).all()
        middle = float(np.interp(0.5, grey, HU_AXIS))
        assert middle == pytest.approx(row["WindowCenter"][0] - 0.5, abs=0.51)
