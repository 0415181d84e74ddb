"""A marker voxel lies where its header says, in every odd geometry; other readers as oracles."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import highdicom
import nibabel
import numpy as np
import polars as pl
import pydicom
import pytest
import SimpleITK

from wetread.study.geometry import affine_ijk_lps, affine_ijk_ras
from wetread.study.issues import geometry_issues
from wetread.study.series import ordered
from wetread.study.stack import StackError, require_affine
from wetread.study.volume import read_volume

WriteSeries = Callable[..., pl.DataFrame]

SPACING = (0.5, 0.25)  # as tests/study/conftest.py writes it
SHAPE = (6, 8)
MARKER, AT = 3000, (3, 4, 6)  # stored value; the slice as written, row, column
SAGITTAL = [0.0, 1.0, 0.0, 0.0, 0.0, -1.0]


def plane(degrees: float) -> list[float]:
    """An axial plane, turned about its rows."""
    angle = np.radians(degrees)
    return [1.0, 0.0, 0.0, 0.0, float(np.cos(angle)), float(-np.sin(angle))]


def table(heights: Any) -> np.ndarray:
    """(N, 3) positions along the table, mm."""
    heights = np.asarray(heights, np.float64)
    return np.array([-10.0, -20.0, 30.0]) + heights[:, None] * np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class Case:
    """A series of 8 slices or so.

    names:  the issues that its headers show.
    affine: whether one affine holds for the volume.
    sitk_mm, highdicom_mm: how far they put the marker from its place; None: it is refused.
    """

    positions: np.ndarray
    names: tuple[str, ...] = ()
    tags: dict[str, Any] = field(default_factory=dict)
    each: dict[int, dict[str, Any]] = field(default_factory=dict)
    affine: bool = True
    sitk_mm: float = 0.0
    highdicom_mm: float | None = 0.0


EIGHT = np.arange(8) * 5.0
TWICE = np.concatenate([EIGHT, EIGHT])
CASES = {
    "plain": Case(table(EIGHT)),
    "oblique": Case(
        np.array([-10.0, -20, 30]) + EIGHT[:, None] * np.cross(plane(20)[:3], plane(20)[3:]),
        tags={"ImageOrientationPatient": plane(20)},
    ),
    "reversed order": Case(
        table(EIGHT[::-1]),
        ("order_disagrees",),
        each={k: {"InstanceNumber": k + 1} for k in range(8)},
    ),
    "mixed intercepts": Case(
        table(EIGHT), ("mixed_rescale",), each={5: {"RescaleIntercept": -1000}}
    ),
    "tilt": Case(
        table(EIGHT),
        ("gantry_tilt",),
        tags={"ImageOrientationPatient": plane(15)},
        sitk_mm=30 * np.sin(np.radians(7.5)),  # 15 mm up the normal, not the table
        highdicom_mm=None,
    ),
    "small tilt": Case(
        table(EIGHT),
        ("gantry_tilt",),
        tags={"ImageOrientationPatient": plane(0.5)},
        sitk_mm=30 * np.sin(np.radians(0.25)),
        highdicom_mm=40 * np.sin(np.radians(0.25)),  # it counts from the other end, 20 mm
    ),
    "gap": Case(
        table(np.delete(np.arange(9) * 5.0, 5)),
        ("gap",),
        affine=False,
        sitk_mm=2.14,
        highdicom_mm=None,
    ),
    "mixed thickness": Case(
        table([0, 5, 10, 15, 25, 35, 45, 55]),
        ("irregular_spacing", "thickness_differs"),
        each={k: {"SliceThickness": 10} for k in range(4, 8)},
        affine=False,
        sitk_mm=8.57,
        highdicom_mm=None,
    ),
    "duplicate": Case(
        table(np.insert(EIGHT, 6, 25.0)),
        ("duplicate_position",),
        affine=False,
        sitk_mm=1.875,
        highdicom_mm=None,
    ),
    "two acquisitions": Case(
        table(TWICE),
        ("several_acquisitions",),
        each={k: {"AcquisitionNumber": k // 8 + 1} for k in range(16)},
        sitk_mm=1.33,
        highdicom_mm=None,
    ),
    "localizer inside": Case(
        np.concatenate([table(EIGHT), [[0.0, -100.0, 90.0]]]),
        ("localizer_removed",),
        each={8: {"ImageOrientationPatient": SAGITTAL}},
        sitk_mm=22.69,
        highdicom_mm=None,
    ),
    "beside the line": Case(
        table(EIGHT) + np.eye(3)[0] * (np.arange(8) == 4)[:, None] * 2.0,
        ("irregular_spacing",),
        affine=False,
        sitk_mm=0.0,
        highdicom_mm=None,
    ),
}


WIPED = {"ImagePositionPatient": [0, 0, 0]}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


def write_marked(case: Case, write_series: WriteSeries) -> pl.DataFrame:
    """The case on disk; slice AT[0] holds the marker, the others their number."""
    each = []
    for k in range(len(case.positions)):
        pixels = np.full(SHAPE, 1024 + k)
        if k == AT[0]:
            pixels[AT[1], AT[2]] = MARKER
        each.append({"pixels": pixels} | case.each.get(k, {}))
    return write_series(case.positions, case.tags, each)


@pytest.fixture
def rows(case: Case, write_series: WriteSeries) -> pl.DataFrame:
    return write_marked(case, write_series)


def truth(case: Case) -> np.ndarray:
    """(3,) LPS mm: the marker's place by PS3.3 C.7.6.2.1.1."""
    turn = np.array(case.tags.get("ImageOrientationPatient", plane(0)))
    _, row, column = AT
    down, across = turn[3:] * SPACING[0] * row, turn[:3] * SPACING[1] * column
    return np.asarray(case.positions[AT[0]] + down + across)


def marker(values: np.ndarray) -> tuple[int, ...]:
    return tuple(int(k) for k in np.unravel_index(values.argmax(), values.shape))


def in_order(rows: pl.DataFrame) -> list[str]:
    """Files as a careful user of another library sorts them: by position along the normal."""
    return ordered(rows)["path"].to_list()


def test_the_issues_are_named(case: Case, rows: pl.DataFrame) -> None:
    assert {issue.name for issue in geometry_issues(rows)} == set(case.names)
    assert {issue.name for issue in read_volume(rows).issues} == set(case.names)


def test_the_marker_is_where_its_header_says(case: Case, rows: pl.DataFrame) -> None:
    volume = read_volume(rows)
    at = marker(volume.hu)
    found = volume.place.position_of(np.array(at))
    np.testing.assert_allclose(found, truth(case), atol=1e-6)
    if case.affine:
        np.testing.assert_allclose((require_affine(volume) @ [*at, 1])[:3], found, atol=0.1)
    else:
        assert np.isnan(volume.affine).all()
        with pytest.raises(StackError, match=r"Rule: .*To do: "):
            require_affine(volume)


def by_simpleitk(rows: pl.DataFrame) -> np.ndarray:
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    image = SimpleITK.ReadImage(in_order(rows))
    z, y, x = marker(SimpleITK.GetArrayFromImage(image))
    return np.array(image.TransformIndexToPhysicalPoint((x, y, z)))


def by_highdicom(rows: pl.DataFrame) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        datasets = [pydicom.dcmread(path) for path in in_order(rows)]
        for dataset in datasets:
            dataset.FrameOfReferenceUID = "1.2.6"
        volume = highdicom.get_volume_from_series(datasets)
    return np.asarray((volume.affine @ [*marker(volume.array), 1])[:3])


def test_simpleitk_puts_the_marker_where_it_is_known_to(case: Case, rows: pl.DataFrame) -> None:
    off = np.linalg.norm(by_simpleitk(rows) - truth(case))
    assert off == pytest.approx(case.sitk_mm, abs=0.02)


def test_highdicom_puts_the_marker_where_it_is_known_to(case: Case, rows: pl.DataFrame) -> None:
    if case.highdicom_mm is None:
        with pytest.raises((ValueError, RuntimeError)):
            by_highdicom(rows)
        return
    off = np.linalg.norm(by_highdicom(rows) - truth(case))
    assert off == pytest.approx(case.highdicom_mm, abs=0.02)


@pytest.mark.parametrize("name", ["plain", "oblique", "reversed order", "mixed intercepts"])
def test_an_affine_written_by_nibabel_is_read_by_itk_at_the_same_place(
    name: str, write_series: WriteSeries, tmp_path: Path
) -> None:
    case = CASES[name]
    volume = read_volume(write_marked(case, write_series))
    image = nibabel.Nifti1Image(volume.hu.transpose(2, 1, 0), affine_ijk_ras(volume.affine))
    nibabel.save(image, tmp_path / "volume.nii")
    again = SimpleITK.ReadImage(str(tmp_path / "volume.nii"))
    z, y, x = marker(SimpleITK.GetArrayFromImage(again))
    place = again.TransformIndexToPhysicalPoint((x, y, z))
    np.testing.assert_allclose(place, truth(case), atol=1e-3)
    np.testing.assert_allclose((affine_ijk_lps(volume.affine) @ [x, y, z, 1])[:3], place, atol=1e-3)


def test_an_affine_in_ras_names_the_axes_as_nibabel_does(write_series: WriteSeries) -> None:
    volume = read_volume(write_marked(CASES["plain"], write_series))
    assert nibabel.aff2axcodes(affine_ijk_ras(volume.affine)) == ("L", "P", "S")


def test_a_sheared_affine_is_kept_by_nibabel(write_series: WriteSeries, tmp_path: Path) -> None:
    case = CASES["tilt"]
    volume = read_volume(write_marked(case, write_series))
    image = nibabel.Nifti1Image(volume.hu.transpose(2, 1, 0), affine_ijk_ras(volume.affine))
    nibabel.save(image, tmp_path / "volume.nii")
    again = nibabel.load(tmp_path / "volume.nii")
    x, y, z = marker(np.asarray(again.dataobj))
    place = again.affine @ [x, y, z, 1]
    np.testing.assert_allclose(place[:3] * [-1, -1, 1], truth(case), atol=1e-3)


def test_positions_that_are_all_zero_are_no_place(write_series: WriteSeries) -> None:
    numbers = [{"InstanceNumber": k + 1} for k in range(4)]
    volume = read_volume(write_series(table(np.zeros(4)), WIPED, numbers))
    (issue,) = volume.issues
    assert issue.name == "no_geometry"
    assert issue.detail == "4 of 4 slices have no place: every (0020,0032) is 0\\0\\0"
    assert np.isnan(volume.place.position_of(np.array([0, 0, 0]))).all()
    assert volume.sources == ("1.2.3.0", "1.2.3.1", "1.2.3.2", "1.2.3.3")
    with pytest.raises(StackError, match=r"no_geometry: 4 of 4 slices .* restore the header"):
        require_affine(volume)


def test_an_absent_spacing_is_no_size(write_series: WriteSeries) -> None:
    volume = read_volume(write_series(table(EIGHT), {"PixelSpacing": None}))
    assert [(issue.name, issue.detail) for issue in volume.issues] == [
        ("no_geometry", "8 of 8 slices have no (0028,0030) PixelSpacing")
    ]
    assert np.isnan(volume.affine).all()


def test_a_spacing_of_the_detector_is_used_and_named(write_series: WriteSeries) -> None:
    tags = {"PixelSpacing": None, "ImagerPixelSpacing": list(SPACING)}
    volume = read_volume(write_series(table(EIGHT), tags))
    assert [issue.name for issue in volume.issues] == ["spacing_from_detector"]
    assert volume.place.spacing_mm == SPACING
    require_affine(volume)
