"""tests/outputs/test_mesh.py: a surface has the volume and the place of what it is of, in mm, and
every file holds it."""

from pathlib import Path

import numpy as np
import pytest

from wetread.anatomy.mask import Mask
from wetread.outputs.mesh import (
    MESH_FORMATS,
    Surface,
    index_to_mm,
    outline_level,
    surface_of,
    write_mesh,
)
from wetread.study.geometry import affine_lps
from wetread.study.placement import SlicePlacement

trimesh = pytest.importorskip("trimesh", reason="trimesh is not installed")
pytest.importorskip("skimage", reason="scikit-image is not installed")

RADIUS, CENTER = 38.0, np.array([12.0, -20.0, 45.0])
EVEN = np.arange(-44, 45, 2.5)
UNEVEN = np.cumsum([0, *[4.0] * 9, 1.08, *[7.0] * 7]) - 42


def ball(along: np.ndarray, tilt: float, pixel_mm: float = 0.8) -> Mask:
    """A ball about CENTER in slices along the table, the gantry tilted: a sheared stack."""
    angle = np.radians(tilt)
    column = np.array([0, np.cos(angle), -np.sin(angle)])
    half = 50.0 / np.cos(angle)
    corner = CENTER - 50 * np.array([1.0, 0, 0]) - half * column
    origins = corner + along[:, None] * np.array([0.0, 0, 1])
    pixels = int(2 * half / pixel_mm)
    place = SlicePlacement(
        origins, np.array([1, 0, 0, *column]), (pixel_mm, pixel_mm), np.full(len(along), 5.0)
    )
    index = np.stack(list(np.indices((len(along), pixels, pixels))), axis=-1)
    return Mask("ball", np.linalg.norm(place.position_of(index) - CENTER, axis=-1) < RADIUS, place)


def solid(surface: Surface):
    return trimesh.Trimesh(surface.points, surface.faces)


@pytest.mark.parametrize("tilt", [0.0, 18.5])
@pytest.mark.parametrize("along", [EVEN, UNEVEN], ids=["even", "uneven"])
def test_the_surface_of_a_ball_is_a_ball_in_its_place(along: np.ndarray, tilt: float) -> None:
    surface = surface_of(ball(along, tilt))
    found = solid(surface)
    assert found.is_watertight
    assert found.volume == pytest.approx(4 / 3 * np.pi * RADIUS**3, rel=0.02)
    assert found.center_mass == pytest.approx(CENTER, abs=0.3)
    far = np.linalg.norm(surface.points - CENTER, axis=1)
    assert np.abs(far - RADIUS).max() < np.diff(along).max() / 2


def test_faces_look_outward_also_in_a_stack_that_runs_against_its_normal() -> None:
    mask = ball(EVEN, 0.0)
    place = mask.place
    turned = SlicePlacement(
        place.origins_mm[::-1], place.orientation, place.spacing_mm, place.thickness_mm[::-1]
    )
    against = Mask("ball", mask.inside[::-1], turned)
    assert solid(surface_of(against)).volume == pytest.approx(solid(surface_of(mask)).volume)


def test_points_lie_where_the_affine_says() -> None:
    place = ball(EVEN, 18.5).place
    affine = affine_lps(place.orientation, place.spacing_mm, place.origins_mm, 1.0)
    index = np.random.default_rng(0).uniform([-1, 0, 0], [len(EVEN), 90, 90], (50, 3))
    expected = index @ affine[:3, :3].T + affine[:3, 3]
    assert index_to_mm(place, index) == pytest.approx(expected, abs=1e-6)


def test_wider_steps_give_fewer_triangles_of_nearly_the_same_ball() -> None:
    mask = ball(EVEN, 0.0)
    fine, coarse = surface_of(mask, 1.0), surface_of(mask, 3.0)
    assert len(coarse.faces) < len(fine.faces) / 6
    assert solid(coarse).is_watertight
    assert solid(coarse).volume == pytest.approx(solid(fine).volume, rel=0.03)


def test_a_mask_that_ends_with_the_volume_is_closed_half_a_slice_beyond() -> None:
    place = SlicePlacement(
        np.arange(5)[:, None] * np.array([0.0, 0, 4]),
        np.array([1, 0, 0, 0, 1, 0.0]),
        (1.0, 1.0),
        np.full(5, 4.0),
    )
    inside = np.zeros((5, 50, 50), bool)
    inside[:, 10:40, 15:45] = True
    found = solid(surface_of(Mask("bar", inside, place)))
    assert found.is_watertight
    assert found.bounds[:, 2] == pytest.approx([-2, 18], abs=0.05)
    assert found.volume == pytest.approx(30 * 30 * 20, rel=0.02)


def test_the_outline_is_half_way_between_pixels() -> None:
    bar = np.zeros((5, 9), bool)
    bar[:, 3:6] = True
    assert outline_level(bar)[2].tolist() == [-2.5, -1.5, -0.5, 0.5, 1.5, 0.5, -0.5, -1.5, -2.5]
    assert (outline_level(np.zeros((2, 2), bool)) < 0).all()


@pytest.mark.parametrize("form", MESH_FORMATS)
def test_a_file_gives_back_the_surface(form: str, tmp_path: Path) -> None:
    surface = surface_of(ball(EVEN, 10.0), 3.0)
    path = tmp_path / "made" / f"ball.{form}"
    write_mesh(path, surface)
    back = trimesh.load(path, force="mesh")
    assert back.is_watertight
    assert len(back.faces) == len(surface.faces)
    assert back.volume == pytest.approx(solid(surface).volume, rel=1e-4)
    assert back.bounds == pytest.approx(solid(surface).bounds, abs=1e-3)
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_an_empty_mask_has_no_triangle_and_an_unknown_form_is_refused(tmp_path: Path) -> None:
    mask = ball(EVEN, 0.0)
    empty = surface_of(Mask("none", np.zeros_like(mask.inside), mask.place))
    assert empty.faces.shape == (0, 3)
    write_mesh(tmp_path / "none.stl", empty)
    with pytest.raises(ValueError, match="no mesh form 'vtk'; there are: stl, ply, obj"):
        write_mesh(tmp_path / "ball.vtk", empty)
