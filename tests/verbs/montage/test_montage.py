"""tests/verbs/montage/test_montage.py: the right slices, in the right windows, with words of no
patient."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pydicom
import pytest

import wetread
from wetread.archive.rejects import RejectError
from wetread.inputs.sources import best_series, ct_series, open_source
from wetread.outputs.pictures import GAP, LINE
from wetread.phantoms.dicom.archive import PhantomTruth
from wetread.study.series import positions_mm
from wetread.study.slices import slice_from_row
from wetread.verbs.montage import montage as verb
from wetread.verbs.montage.layouts import LAYOUTS, MontageOptions
from wetread.verbs.montage.montage import MontageResult, montage
from wetread.view.mode import apply_mode, as_picture, find_mode

# The phantoms bear the competition's names, which are no UIDs.
pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR UI:UserWarning")
SIZE = 64  # of a phantom's slice: a panel is the slice itself


@pytest.fixture(scope="module")
def series(phantoms: PhantomTruth) -> list[pl.DataFrame]:
    return ct_series(open_source(phantoms.images, 1))


@pytest.fixture(scope="module")
def study(series: list[pl.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of one phantom study."""
    folder = tmp_path_factory.mktemp("study")
    for path in series[0]["path"]:
        shutil.copy(path, folder)
    return folder


def panel(result: MontageResult, number: int, lines: int) -> np.ndarray:
    """The pixels of a panel as they lie in the picture."""
    whole = cv2.imread(str(result.picture), cv2.IMREAD_UNCHANGED)
    assert whole is not None
    row, column = divmod(number, result.columns)
    top, left = row * (SIZE + LINE * lines + 6 + GAP), column * (SIZE + GAP)
    return whole[top : top + SIZE, left : left + SIZE]


def seen(rows: pl.DataFrame, at: int, mode: str) -> np.ndarray:
    """A slice in a mode of one slice, blue first."""
    picture = as_picture(
        apply_mode([slice_from_row(rows.row(at, named=True)).values()], find_mode(mode))
    )
    return picture if picture.ndim == 2 else picture[:, :, ::-1]


def test_the_package_hands_out_montage() -> None:
    assert wetread.montage is verb.montage


def test_a_study_is_every_slice_in_order_with_its_place(
    study: Path, series: list[pl.DataFrame], tmp_path: Path
) -> None:
    result = montage(study, tmp_path / "m.png", windows=["brain"], size=SIZE, workers=1)
    rows = series[0]
    assert [one.instance for one in result.panels] == rows["SOPInstanceUID"].to_list()
    places = positions_mm(rows)
    assert [one.lines for one in result.panels] == [
        (f"slice {n + 1} of {rows.height}, {place:.1f} mm",) for n, place in enumerate(places)
    ]
    for at in (0, rows.height // 2, rows.height - 1):
        np.testing.assert_array_equal(panel(result, at, 1), seen(rows, at, "brain"))


def test_a_few_slices_of_a_study_are_taken_evenly_with_both_ends(
    study: Path, series: list[pl.DataFrame], tmp_path: Path
) -> None:
    result = montage(study, tmp_path / "m.png", count=5, size=SIZE, workers=1)
    told = [int(one.lines[0].split()[1]) for one in result.panels]
    assert (told[0], told[-1], len(told)) == (1, series[0].height, 5)
    assert max(np.diff(told)) - min(np.diff(told)) <= 1


def test_a_mode_of_colours_is_a_picture_in_colour(
    study: Path, series: list[pl.DataFrame], tmp_path: Path
) -> None:
    result = montage(study, tmp_path / "m.png", windows=["bsb"], count=3, size=SIZE, workers=1)
    np.testing.assert_array_equal(panel(result, 2, 1), seen(series[0], series[0].height - 1, "bsb"))


def test_random_slices_are_those_of_the_seed_and_none_comes_twice(phantoms: PhantomTruth) -> None:
    source = open_source(phantoms.images, 1)

    def drawn(seed: int) -> list[str]:
        requests = LAYOUTS["random"](source, MontageOptions(seed=seed)).requests
        return [request.rows[0]["SOPInstanceUID"] for request in requests]

    assert drawn(4) == drawn(4) != drawn(5)
    assert len(set(drawn(4))) == len(drawn(4)) == 20


def test_a_finding_is_shown_where_its_label_is_in_every_window(
    phantoms: PhantomTruth, series: list[pl.DataFrame], tmp_path: Path
) -> None:
    result = montage(
        phantoms.images, tmp_path / "m.png", layout="findings", labels=phantoms.labels,
        task="hemorrhage", size=SIZE, workers=1,
    )  # fmt: skip
    labels = pl.read_csv(phantoms.labels)
    positive = set(labels.filter(pl.col("Label") == 1)["ID"].to_list())
    assert result.columns == 4
    shown = [result.panels[n : n + 4] for n in range(0, len(result.panels), 4)]
    for row in shown:
        finding = row[0].lines[0].partition(":")[0]
        if row[0].instance is None:
            assert row[0].lines == (finding, "no positive slice here")
            assert not [one for one in positive if one.endswith(f"_{finding}")]
            continue
        assert {one.instance for one in row} == {row[0].instance}
        assert f"{row[0].instance}_{finding}" in positive
        words = ["header's window", "brain", "subdural", "bone"]
        assert [one.lines[0] for one in row] == [f"{finding}: {word}" for word in words]
    instances = [row[0].instance for row in shown if row[0].instance is not None]
    assert len(set(instances)) == len(instances)  # what is shown already goes last
    number = next(n for n, row in enumerate(shown) if row[0].instance is not None)
    uid = shown[number][0].instance
    rows = next(rows for rows in series if uid in rows["SOPInstanceUID"].to_list())
    at = rows["SOPInstanceUID"].to_list().index(uid)
    np.testing.assert_array_equal(panel(result, 4 * number + 3, 2), seen(rows, at, "bone"))


def test_stored_values_stand_beside_the_windows(
    study: Path, series: list[pl.DataFrame], tmp_path: Path
) -> None:
    result = montage(study, tmp_path / "m.png", layout="windows", count=2, size=SIZE, workers=1)
    assert [one.lines[0] for one in result.panels[:5]] == [
        "as stored", "header's window", "brain", "subdural", "bone",
    ]  # fmt: skip
    at = [int(one.lines[1].split()[1]) - 1 for one in result.panels[::5]]
    assert at == [int(0.25 * series[0].height), int(0.75 * series[0].height)]
    stored = pydicom.dcmread(series[0]["path"][at[0]]).pixel_array.astype(float)
    grey = np.rint((stored - stored.min()) / np.ptp(stored) * 255)
    np.testing.assert_allclose(panel(result, 0, 2), grey, atol=1)


@pytest.fixture
def wrapped(series: list[pl.DataFrame], tmp_path: Path) -> tuple[Path, np.ndarray]:
    """A folder with one slice as the competition of 2019 wrapped it, and its HU."""
    folder = tmp_path / "wrapped"
    folder.mkdir()
    rows = series[0]
    path = rows["path"][rows.height // 2]
    hu = np.rint(slice_from_row(rows.row(rows.height // 2, named=True)).values()).astype(np.int64)
    hu = np.clip(hu, -1024, 3071)
    dataset = pydicom.dcmread(path)
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation, dataset.RescaleIntercept, dataset.RescaleSlope = 0, 0, 1
    dataset.PixelData = (hu % 4096).astype("<u2").tobytes()
    dataset.save_as(folder / "wrapped.dcm")
    return folder, hu


def test_a_wrong_intercept_is_seen_before_and_after_its_repair(
    wrapped: tuple[Path, np.ndarray], tmp_path: Path
) -> None:
    folder, hu = wrapped
    result = montage(folder, tmp_path / "m.png", layout="repair", size=SIZE, workers=1)
    assert [one.lines for one in result.panels] == [
        ("as the header has it", "brain"), ("repaired", "brain"), ("published repair", "brain"),
    ]  # fmt: skip

    def brain(values: np.ndarray) -> np.ndarray:
        return np.rint(np.clip(values / 80, 0, 1) * 255)

    np.testing.assert_array_equal(panel(result, 0, 2), brain(hu % 4096))
    np.testing.assert_array_equal(panel(result, 1, 2), brain(hu))
    np.testing.assert_array_equal(panel(result, 2, 2), brain((hu % 4096 + 1000) % 4096 - 1000))


def test_where_no_intercept_is_wrong_there_is_nothing_to_repair(
    study: Path, tmp_path: Path
) -> None:
    with pytest.raises(RejectError, match="has a wrong intercept, confirmed on its pixels"):
        montage(study, tmp_path / "m.png", layout="repair", workers=1)


def test_a_slice_that_cannot_be_read_is_a_panel_that_says_so(study: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cut"
    shutil.copytree(study, folder)
    index = wetread.index([folder], tmp_path / "index.parquet", workers=1)
    row = ct_series(open_source(tmp_path / "index.parquet", 1))[0].row(2, named=True)
    Path(row["path"]).write_bytes(Path(row["path"]).read_bytes()[:-100])
    result = montage(tmp_path / "index.parquet", tmp_path / "m.png", size=SIZE, workers=1)
    assert (index.rejects.height, result.refused) == (0, 1)
    refused = [(one.instance, one.refused) for one in result.panels if one.refused]
    assert refused == [(row["SOPInstanceUID"], "truncated_pixels")]
    black = panel(result, 2, 2)
    assert black.shape == (SIZE, SIZE)
    assert not black.any()


def test_a_file_that_is_no_slice_is_counted_beside_the_picture(study: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cut"
    shutil.copytree(study, folder)
    broken = sorted(folder.iterdir())[2]
    broken.write_bytes(broken.read_bytes()[:300])
    result = montage(folder, tmp_path / "m.png", size=32, workers=1)
    assert (result.refused, len(result.panels)) == (1, len(list(study.iterdir())) - 1)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"layout": "studies"}, "no layout 'studies'; known: study, random, findings"),
        ({"windows": ["brian"]}, "no window 'brian'"),
        ({"windows": ["brain", "bone"]}, "shows one window, not 2: brain, bone"),
        ({"layout": "findings"}, "give `labels=FILE` and `task=NAME`"),
        ({"labels": "x.csv"}, "x.csv: name the task"),
        ({"series": "1.2"}, r"no series '1\.2'; there are: "),
        ({"layout": "repair", "windows": ["pe-3slice"]}, "one window of HU, not in pe-3slice"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_what_to_do(
    study: Path, tmp_path: Path, words: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        montage(study, tmp_path / "m.png", workers=1, **words)  # type: ignore[arg-type]


def test_a_radiograph_is_shown_in_its_own_window_and_has_no_hu(
    real_data: Path, tmp_path: Path
) -> None:
    folder = real_data / "pneumothorax" / "images"
    if not folder.is_dir():
        pytest.skip(f"no folder {folder}")
    result = montage(folder, tmp_path / "m.png", layout="random", count=2, size=32, workers=1)
    assert [one.refused for one in result.panels] == [None, None]
    with pytest.raises(RejectError, match="no CT image"):
        montage(folder, tmp_path / "m.png", layout="random", windows=["lung"], workers=1)


def test_real_findings_are_shown_with_their_real_labels(real_data: Path, tmp_path: Path) -> None:
    folder = real_data / "hemorrhage"
    if not folder.is_dir():
        pytest.skip(f"no folder {folder}")
    result = montage(
        folder / "stage_2_train", tmp_path / "m.png", layout="findings", task="hemorrhage",
        labels=folder / "stage_2_train.csv", windows=["brain"], size=64, workers=1,
    )  # fmt: skip
    positive = set(
        pl.read_csv(folder / "stage_2_train.csv").filter(pl.col("Label") > 0)["ID"].to_list()
    )
    shown = [f"{one.instance}_{one.lines[0].partition(':')[0]}" for one in result.panels]
    assert len(shown) == 6
    assert set(shown) <= positive
    rows = best_series(ct_series(open_source(folder / "stage_2_train", 1)))
    assert rows.height == 36
