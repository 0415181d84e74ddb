"""tests/phantoms/graft/test_head.py: blood in a real slice, its mask, and all that stays."""

import numpy as np
import pytest
from tests.phantoms.graft.head_slice import NOISE_HU, head_slice

from wetread.phantoms.graft.bleeds import Bleeding
from wetread.phantoms.graft.cranium import find_cranium
from wetread.phantoms.graft.head import paint_bleeding, paint_head_bleeding
from wetread.phantoms.head.blood import SUBTYPES
from wetread.tasks import find_task


def disk(radius_mm: float, push_mm: float = 0.0, edema_mm: float = 0.0) -> Bleeding:
    """Blood of 60 HU in a disk right of the middle."""
    rows, columns = np.indices((128, 128), np.float32)
    solid = (np.hypot(rows - 50, columns - 85) * 200 / 128 - radius_mm).astype(np.float32)
    return Bleeding(
        "intraparenchymal", solid, np.ones_like(solid), np.full_like(solid, 60),
        edema_mm=edema_mm, push_mm=push_mm, push_from=(50, 85),
    )  # fmt: skip


def test_blood_has_its_density_the_noise_of_the_slice_and_the_area_of_its_mask() -> None:
    hu, rng = head_slice(), np.random.default_rng(0)
    cranium = find_cranium(hu)
    assert cranium is not None
    painted, cover = paint_bleeding(hu, disk(15), cranium, rng)
    full = cover > 0.99
    assert painted[full].mean() == pytest.approx(60, abs=1.5)
    assert NOISE_HU * 0.6 < painted[full].std() < NOISE_HU * 3
    assert cover.sum() * cranium.pixel_mm**2 == pytest.approx(np.pi * 15**2, rel=0.03)
    np.testing.assert_array_equal(painted[cover == 0], hu[cover == 0])


def test_a_mass_pushes_tissue_and_not_the_skull_and_edema_is_dark() -> None:
    hu, rng = head_slice(), np.random.default_rng(0)
    cranium = find_cranium(hu)
    assert cranium is not None
    painted, cover = paint_bleeding(hu, disk(12, push_mm=8, edema_mm=8), cranium, rng)
    np.testing.assert_array_equal(painted[~cranium.inside], hu[~cranium.inside])
    ring = (disk(12).solid_mm > 3) & (disk(12).solid_mm < 6)
    assert painted[ring].mean() < hu[ring].mean() - 8
    before, after = (find_cranium(one) for one in (hu, painted))
    assert before is not None
    assert after is not None
    columns = np.indices(hu.shape)[1]
    right = columns > 64  # the ventricle beside the mass moves away from it
    where = [float(columns[one.ventricles & right].mean()) for one in (before, after)]
    assert where[1] < where[0] - 0.5
    assert cover.max() <= 1


@pytest.mark.parametrize("seed", range(6))
def test_a_graft_names_what_its_masks_hold_and_leaves_the_slice_as_it_was(seed: int) -> None:
    hu = np.stack([head_slice(z) for z in range(3)])
    before = hu.copy()
    found = paint_head_bleeding(hu, {}, np.random.default_rng(seed))
    again = paint_head_bleeding(hu, {}, np.random.default_rng(seed))
    np.testing.assert_array_equal(hu, before)
    assert found is not None
    assert again is not None
    np.testing.assert_array_equal(found.values, again.values)
    assert found.findings[-1] == "any"
    shown = [name for name, mask in zip(SUBTYPES, found.masks, strict=True) if mask.any()]
    assert set(found.findings[:-1]) <= set(shown)
    assert found.masks.shape == (5, 128, 128)
    assert 0 <= found.masks.min() <= found.masks.max() <= 1
    assert np.abs(found.values[1] - hu[1]).max() > 10


def test_there_is_no_graft_where_there_is_no_brain() -> None:
    nothing = np.full((1, 128, 128), -1000, np.float32)
    assert paint_head_bleeding(nothing, {}, np.random.default_rng(0)) is None


def test_masks_are_in_the_order_in_which_the_task_draws() -> None:
    assert tuple(finding.name for finding in find_task("hemorrhage").spec.drawn) == SUBTYPES
