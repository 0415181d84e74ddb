"""tests/anatomy/test_lungs.py: lungs are found, parted and kept whole, however the volume lies."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage
from tests.phantoms.chest_ct_phantom import ChestCt, draw_chest_scan, draw_person, scan_chest

from wetread.anatomy.airway import segment_airway
from wetread.anatomy.frame import patient_frame
from wetread.anatomy.lung_sides import split_lungs
from wetread.anatomy.lungs import close_ball, find_lungs, segment_lungs
from wetread.archive.index.index import build_index
from wetread.phantoms.chest.chest import draw_chest
from wetread.phantoms.chest.lesions import Consolidation, Lesions
from wetread.phantoms.shapes.implicit import draw_waves
from wetread.study.placement import SlicePlacement
from wetread.study.series import series_slices
from wetread.study.stack import StackError
from wetread.study.volume import Volume, volume_from_rows

Chests = Callable[..., ChestCt]


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return float(2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b)))


@pytest.mark.parametrize("seed", [101, 102, 103])
def test_each_lung_of_a_phantom_is_found(chest: Chests, seed: int) -> None:
    scan = chest(seed, nodules=3)
    found = find_lungs(scan.hu, scan.scan.spacing_mm)
    assert dice(found.right, scan.truth.lung_right) >= 0.97
    assert dice(found.left, scan.truth.lung_left) >= 0.97
    assert not (found.right & found.left).any()


def test_lungs_that_touch_are_parted(chest: Chests) -> None:
    scan = chest(111, touching=True)
    air = scan.hu < -400
    labels, _ = ndimage.label(air & (scan.truth.lung_right | scan.truth.lung_left))
    shared = set(np.unique(labels[scan.truth.lung_right])) & set(
        np.unique(labels[scan.truth.lung_left])
    )
    assert shared - {0}  # in the picture they are one
    found = find_lungs(scan.hu, scan.scan.spacing_mm)
    assert dice(found.right, scan.truth.lung_right) >= 0.97
    assert dice(found.left, scan.truth.lung_left) >= 0.97


def test_consolidation_before_the_ribs_is_kept() -> None:
    rng = np.random.default_rng(121)
    chest = draw_chest(rng, False, 50)
    sick = Consolidation(-1, -10.0, 40.0, 22.0, 40.0, draw_waves(rng, 8, 22), bronchi=True)
    person = draw_person(rng, chest, Lesions((), (sick,)), touching=False, arms_down=False)
    acquired = draw_chest_scan(rng, chest, slices=45, spacing_mm=(2.5, 2.0, 2.0), size=160)
    scan = scan_chest(person, acquired, rng)
    lung, truth = find_lungs(scan.hu, scan.scan.spacing_mm).right, scan.truth.lung_right
    by_threshold = dice(truth & (scan.hu < -400), truth)
    assert by_threshold < 0.96
    assert dice(lung, truth) >= 0.97
    assert dice(lung, truth) > by_threshold + 0.02


def test_fluid_beside_a_lung_is_left_out(chest: Chests) -> None:
    scan = chest(122, effusions=1)
    found = find_lungs(scan.hu, scan.scan.spacing_mm)
    assert dice(found.right, scan.truth.lung_right) >= 0.97
    assert dice(found.left, scan.truth.lung_left) >= 0.97


def to_patient(volume: Volume, order: tuple[int, int, int], flips: tuple[int, ...]) -> Volume:
    """One patient stored with other axes: the affine goes with the voxels."""
    hu = np.flip(volume.hu.transpose(order), flips)
    affine = volume.affine[:, [*order, 3]].copy()
    for axis in flips:
        affine[:3, 3] += affine[:3, axis] * (hu.shape[axis] - 1)
        affine[:3, axis] *= -1
    steps = affine[:3, :3]
    lengths = np.linalg.norm(steps, axis=0)
    origins = affine[:3, 3] + np.arange(len(hu))[:, None] * steps[:, 0]
    turn = np.concatenate([steps[:, 2] / lengths[2], steps[:, 1] / lengths[1]])
    place = SlicePlacement(origins, turn, (lengths[1], lengths[2]), np.full(len(hu), lengths[0]))
    return replace(volume, hu=np.ascontiguousarray(hu), place=place, sources=("",) * len(hu))


@pytest.mark.parametrize(
    ("order", "flips"),
    [((0, 1, 2), (1, 2)), ((0, 1, 2), (0, 2)), ((1, 0, 2), (0,)), ((2, 0, 1), (1,))],
    ids=["prone", "feet first", "coronal", "sagittal"],
)
def test_right_is_the_patients_right_however_the_volume_lies(
    chest: Chests, order: tuple[int, int, int], flips: tuple[int, ...]
) -> None:
    volume = chest(101, nodules=3).volume
    plain = {mask.name: mask for mask in segment_lungs(volume)}
    found = {mask.name: mask for mask in segment_lungs(to_patient(volume, order, flips))}
    for name in ("lung_right", "lung_left", "dense_in_lung"):
        expected = np.flip(plain[name].inside.transpose(order), flips)
        assert np.array_equal(found[name].inside, expected)


def test_a_frame_turns_there_and_back(chest: Chests) -> None:
    volume = to_patient(chest(101, nodules=3).volume, (2, 0, 1), (1,))
    frame = patient_frame(volume)
    assert np.array_equal(frame.from_patient(frame.to_patient(volume.hu)), volume.hu)
    assert frame.spacing_mm == pytest.approx((2.5, 2.4, 2.4))


def test_dense_in_lung_is_what_the_lungs_hold_above_the_threshold(chest: Chests) -> None:
    scan = chest(101, nodules=3)
    found = find_lungs(scan.hu, scan.scan.spacing_mm)
    both = found.right | found.left
    assert np.array_equal(found.dense, both & (scan.hu >= -400))
    assert found.dense.any()


def test_closing_with_a_ball_is_that_of_a_structuring_element() -> None:
    rng = np.random.default_rng(5)
    inside = ndimage.binary_dilation(rng.random((12, 30, 30)) > 0.997, iterations=3)
    inside[:, :8] = inside[:, -8:] = inside[:, :, :8] = inside[:, :, -8:] = False
    radius, spacing = 3.0, (1.5, 1.0, 1.0)
    reach = [int(radius / step) for step in spacing]
    z, y, x = (np.arange(-r, r + 1) * s for r, s in zip(reach, spacing, strict=True))
    ball = z[:, None, None] ** 2 + y[:, None] ** 2 + x**2 <= radius**2
    longer = np.pad(inside, ((6, 6), (0, 0), (0, 0)), mode="edge")
    expected = ndimage.binary_closing(longer, ball)[6:-6]
    assert np.array_equal(close_ball(inside, spacing, radius), expected)


def test_a_lung_that_the_scan_cuts_is_not_closed_beyond_its_end() -> None:
    bowl = np.ones((10, 40, 40), bool)
    rows, columns = np.mgrid[:40, :40]
    for z in range(6):  # a dome that the lowest slice cuts
        bowl[z] = np.hypot(rows - 20, columns - 20) > 16 * np.sqrt(1 - z / 6)
    bowl[:, :2] = bowl[:, -2:] = bowl[:, :, :2] = bowl[:, :, -2:] = False
    closed = close_ball(bowl, (2.0, 2.0, 2.0), 10.0)
    assert not closed[0, 20, 20]
    assert (closed & ~bowl)[0].sum() < 0.15 * (~bowl)[0].sum()


def test_both_lungs_of_a_real_chest_are_found_whole_and_without_the_airway(
    real_data: Path, tmp_path: Path
) -> None:
    index = build_index([real_data / "chest_ct"], tmp_path / "i.parquet", workers=1)
    rows = series_slices(index.images)[0]
    volume = volume_from_rows(rows[::5])  # 6.25 mm apart: twenty of the hundred
    right, left, dense = segment_lungs(volume)
    (airway,) = segment_airway(volume)
    # within a tenth of what all hundred slices give, whose pictures were looked at
    assert right.volume_ml == pytest.approx(1148, rel=0.1)
    assert left.volume_ml == pytest.approx(1071, rel=0.1)
    assert airway.volume_ml == pytest.approx(25, rel=0.5)
    assert not ((right.inside | left.inside) & airway.inside).any()
    assert dense.volume_ml > 100
    # z 2, the lowest third: consolidation between the last air and the ribs, by eye in this box
    assert right.inside[2, 300:330, 130:190].mean() > 0.9


def test_gas_in_a_bowel_is_no_lung(chest: Chests) -> None:
    scan = chest(131, slices=80)  # down to stomach and colon
    found = find_lungs(scan.hu, scan.scan.spacing_mm)
    gas = (scan.hu < -800) & scan.truth.body
    gas &= ~(scan.truth.lung_right | scan.truth.lung_left | scan.truth.airway)
    gas = ndimage.binary_opening(gas, iterations=2)
    assert gas.sum() > 200
    assert (found.right | found.left)[gas].mean() < 0.02


def test_a_volume_without_lungs_gives_empty_masks() -> None:
    block = np.full((12, 64, 64), 40.0, np.float32)
    found = find_lungs(block, (2.0, 2.0, 2.0))
    assert not found.right.any()
    assert not found.left.any()
    assert not found.airway.any()
    nothing = np.zeros(block.shape, bool)
    assert not np.any(split_lungs(nothing, block, (2.0, 2.0, 2.0)))


def test_one_lung_alone_is_on_its_side(chest: Chests) -> None:
    scan = chest(101, nodules=3)
    hu = np.where(scan.truth.lung_left, np.float32(10), scan.hu)
    found = find_lungs(hu, scan.scan.spacing_mm)
    assert dice(found.right, scan.truth.lung_right) >= 0.95
    assert not found.left.any()


def test_without_a_place_sides_are_refused_with_what_to_do(chest: Chests) -> None:
    volume = chest(101, nodules=3).volume
    lost = replace(volume.place, orientation=np.full(6, np.nan))
    with pytest.raises(StackError, match="no_geometry"):
        segment_lungs(replace(volume, place=lost))
