"""tests/study/test_marker.py: a marker voxel lies where its header says, in every odd geometry;
other readers as oracles."""

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
from wetread.study.series import order_slices
from wetread.study.stack import StackError, require_affine
from wetread.study.volume import volume_from_rows

WriteSeries = Callable[..., pl.DataFrame]

SPACING = (0.5, 0.25)  # as tests/study/conftest.py writes it
SHAPE = (6, 8)
MARKER, AT = 3000, (4, 6)  # stored value in slice 0, ten more in each next one; row, column
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
    sitk_mm, highdicom_mm: how far they put the worst marker from its place; None: refused.
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
        sitk_mm=70 * np.sin(np.radians(7.5)),  # 35 mm up the normal, not the table
        highdicom_mm=None,
    ),
    "small tilt": Case(
        table(EIGHT),
        ("gantry_tilt",),
        tags={"ImageOrientationPatient": plane(0.5)},
        sitk_mm=70 * np.sin(np.radians(0.25)),
        highdicom_mm=70 * np.sin(np.radians(0.25)),
    ),
    "gap": Case(
        table(np.delete(np.arange(9) * 5.0, 5)),
        ("gap",),
        affine=False,
        sitk_mm=20 / 7,  # 40 mm in 7 steps: the fifth slice at 22.86, not 20
        highdicom_mm=None,
    ),
    "mixed thickness": Case(
        table([0, 5, 10, 15, 25, 35, 45, 55]),
        ("irregular_spacing", "thickness_differs"),
        each={k: {"SliceThickness": 10} for k in range(4, 8)},
        affine=False,
        sitk_mm=60 / 7,  # 55 mm in 7 steps: the fourth slice at 23.57, not 15
        highdicom_mm=None,
    ),
    "duplicate": Case(
        table(np.insert(EIGHT, 6, 25.0)),
        ("duplicate_position",),
        affine=False,
        sitk_mm=3.125,  # 35 mm in 8 steps: the sixth slice at 21.875, not 25
        highdicom_mm=None,
    ),
    "two acquisitions": Case(
        table(TWICE),
        ("several_acquisitions",),
        each={k: {"AcquisitionNumber": k // 8 + 1} for k in range(16)},
        sitk_mm=7 / 3,  # 35 mm in 15 steps, where 5 mm are due
        highdicom_mm=None,
    ),
    "localizer inside": Case(
        np.concatenate([table(EIGHT), [[0.0, -100.0, 90.0]]]),
        ("localizer_removed",),
        each={8: {"ImageOrientationPatient": SAGITTAL}},
        sitk_mm=52.94,
        highdicom_mm=None,
    ),
    "beside the line": Case(
        table(EIGHT) + np.eye(3)[0] * (np.arange(8) == 4)[:, None] * 2.0,
        ("irregular_spacing",),
        affine=False,
        sitk_mm=2.0,
        highdicom_mm=None,
    ),
}


WIPED = {"ImagePositionPatient": [0, 0, 0]}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


def write_marked(case: Case, write_series: WriteSeries) -> pl.DataFrame:
    """The case on disk, a marker in every slice."""
    each = []
    for k in range(len(case.positions)):
        pixels = np.full(SHAPE, 1024 + k)
        pixels[AT] = MARKER + 10 * k
        each.append({"pixels": pixels} | case.each.get(k, {}))
    return write_series(case.positions, case.tags, each)


@pytest.fixture
def rows(case: Case, write_series: WriteSeries) -> pl.DataFrame:
    return write_marked(case, write_series)


def truth(case: Case, k: int) -> np.ndarray:
    """(3,) LPS mm: the place of slice k's marker by PS3.3 C.7.6.2.1.1."""
    tags = case.tags | case.each.get(k, {})
    turn = np.array(tags.get("ImageOrientationPatient", plane(0)))
    down, across = turn[3:] * SPACING[0] * AT[0], turn[:3] * SPACING[1] * AT[1]
    return np.asarray(case.positions[k] + down + across)


def markers(case: Case, values: np.ndarray) -> dict[int, tuple[int, ...]]:
    """The slice as written to the index of its marker in values, HU or as stored."""
    found = {}
    for k in range(len(case.positions)):
        stored = MARKER + 10 * k
        intercept = case.each.get(k, {}).get("RescaleIntercept", -1024)
        for index in np.argwhere((values == stored) | (values == stored + intercept)):
            found[k] = tuple(int(n) for n in index)
    return found


def worst(case: Case, places: dict[int, np.ndarray]) -> float:
    """mm: how far the markers lie from their places at most; a scout's is left out."""
    scouts = [k for k, tags in case.each.items() if tags.get("ImageOrientationPatient")]
    return max(
        float(np.linalg.norm(place - truth(case, k)))
        for k, place in places.items()
        if k not in scouts
    )


def in_order(rows: pl.DataFrame) -> list[str]:
    """Files as a careful user of another library sorts them: by position along the normal."""
    return order_slices(rows)["path"].to_list()


def test_the_issues_are_named(case: Case, rows: pl.DataFrame) -> None:
    assert {issue.name for issue in geometry_issues(rows)} == set(case.names)
    assert {issue.name for issue in volume_from_rows(rows).issues} == set(case.names)


def test_the_markers_are_where_their_headers_say(case: Case, rows: pl.DataFrame) -> None:
    volume = volume_from_rows(rows)
    found = markers(case, volume.hu)
    assert len(found) == len(volume.hu)
    own = {k: volume.place.position_of(np.array(at)) for k, at in found.items()}
    assert worst(case, own) < 1e-6
    if case.affine:
        affine = require_affine(volume)
        assert worst(case, {k: (affine @ [*at, 1])[:3] for k, at in found.items()}) < 0.1
    else:
        assert np.isnan(volume.affine).all()
        with pytest.raises(StackError, match=r"Rule: .*To do: "):
            require_affine(volume)


def by_itk(case: Case, image: SimpleITK.Image) -> dict[int, np.ndarray]:
    """Where an image of ITK puts the markers."""
    return {
        k: np.array(image.TransformIndexToPhysicalPoint(at[::-1]))
        for k, at in markers(case, SimpleITK.GetArrayFromImage(image)).items()
    }


def by_highdicom(case: Case, rows: pl.DataFrame) -> dict[int, np.ndarray]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        datasets = [pydicom.dcmread(path) for path in in_order(rows)]
        for dataset in datasets:
            dataset.FrameOfReferenceUID = "1.2.6"
        volume = highdicom.get_volume_from_series(datasets)
    found = markers(case, volume.array)
    return {k: np.asarray((volume.affine @ [*at, 1])[:3]) for k, at in found.items()}


def test_simpleitk_puts_the_markers_where_it_is_known_to(case: Case, rows: pl.DataFrame) -> None:
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    places = by_itk(case, SimpleITK.ReadImage(in_order(rows)))
    assert worst(case, places) == pytest.approx(case.sitk_mm, abs=0.01)


def test_highdicom_puts_the_markers_where_it_is_known_to(case: Case, rows: pl.DataFrame) -> None:
    if case.highdicom_mm is None:
        with pytest.raises(ValueError, match=r"not a regularly-spaced|not have the same orient"):
            by_highdicom(case, rows)
        return
    assert worst(case, by_highdicom(case, rows)) == pytest.approx(case.highdicom_mm, abs=0.01)


@pytest.mark.parametrize("name", ["plain", "oblique", "reversed order", "mixed intercepts"])
def test_an_affine_written_by_nibabel_is_read_by_itk_at_the_same_place(
    name: str, write_series: WriteSeries, tmp_path: Path
) -> None:
    case = CASES[name]
    volume = volume_from_rows(write_marked(case, write_series))
    image = nibabel.Nifti1Image(volume.hu.transpose(2, 1, 0), affine_ijk_ras(volume.affine))
    nibabel.save(image, tmp_path / "volume.nii")
    again = SimpleITK.ReadImage(str(tmp_path / "volume.nii"))
    places = by_itk(case, again)
    assert len(places) == 8
    assert worst(case, places) < 1e-3
    for k, (z, y, x) in markers(case, volume.hu).items():
        ours = (affine_ijk_lps(volume.affine) @ [x, y, z, 1])[:3]
        np.testing.assert_allclose(ours, places[k], atol=1e-3)


def test_an_affine_in_ras_names_the_axes_as_nibabel_does(write_series: WriteSeries) -> None:
    volume = volume_from_rows(write_marked(CASES["plain"], write_series))
    assert nibabel.aff2axcodes(affine_ijk_ras(volume.affine)) == ("L", "P", "S")


def test_a_sheared_affine_is_kept_by_nibabel(write_series: WriteSeries, tmp_path: Path) -> None:
    case = CASES["tilt"]
    volume = volume_from_rows(write_marked(case, write_series))
    image = nibabel.Nifti1Image(volume.hu.transpose(2, 1, 0), affine_ijk_ras(volume.affine))
    nibabel.save(image, tmp_path / "volume.nii")
    again = nibabel.load(tmp_path / "volume.nii")
    found = markers(case, np.asarray(again.dataobj))
    assert len(found) == 8
    ras = np.diag([-1, -1, 1, 1])
    assert worst(case, {k: (ras @ again.affine @ [*at, 1])[:3] for k, at in found.items()}) < 1e-3
    with pytest.raises(RuntimeError, match="orthonormal"):
        SimpleITK.ReadImage(str(tmp_path / "volume.nii"))


def test_positions_that_are_all_zero_are_no_place(write_series: WriteSeries) -> None:
    numbers = [{"InstanceNumber": k + 1} for k in range(4)]
    volume = volume_from_rows(write_series(table(np.zeros(4)), WIPED, numbers))
    (issue,) = volume.issues
    assert issue.name == "no_geometry"
    assert issue.detail == "4 of 4 slices have no place: every (0020,0032) is 0\\0\\0"
    assert np.isnan(volume.place.position_of(np.array([0, 0, 0]))).all()
    assert volume.sources == ("1.2.3.0", "1.2.3.1", "1.2.3.2", "1.2.3.3")
    with pytest.raises(StackError, match=r"no_geometry: 4 of 4 slices .* restore the header"):
        require_affine(volume)


def test_an_absent_spacing_is_no_size(write_series: WriteSeries) -> None:
    volume = volume_from_rows(write_series(table(EIGHT), {"PixelSpacing": None}))
    assert [(issue.name, issue.detail) for issue in volume.issues] == [
        ("no_geometry", "8 of 8 slices have no (0028,0030) PixelSpacing")
    ]
    assert np.isnan(volume.affine).all()


def test_a_spacing_of_the_detector_is_used_and_named(write_series: WriteSeries) -> None:
    tags = {"PixelSpacing": None, "ImagerPixelSpacing": list(SPACING)}
    volume = volume_from_rows(write_series(table(EIGHT), tags))
    assert [issue.name for issue in volume.issues] == ["spacing_from_detector"]
    assert volume.place.spacing_mm == SPACING
    require_affine(volume)
