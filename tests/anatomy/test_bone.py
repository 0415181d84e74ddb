"""tests/anatomy/test_bone.py: bone is what is dense and hangs together with what is surely bone,
below the skin."""

import numpy as np
import pytest

from wetread.anatomy.bone import segment_bone


@pytest.fixture
def limb(stack, to_volume):
    """A limb of 80 mm with a hollow bone; one mm voxels, 30 slices of 2 mm."""
    rows, columns = np.mgrid[:100, :100]
    off = np.hypot(rows - 50, columns - 50)
    picture = np.where(off <= 40, 40.0, -1000.0)
    picture[off <= 12] = 800.0
    picture[off <= 8] = 30.0
    return to_volume(np.repeat(picture[None], 30, axis=0), stack(np.arange(30) * 2.0))


def test_a_hollow_bone_has_the_volume_of_its_tube(limb) -> None:
    (bone,) = segment_bone(limb)
    assert bone.volume_ml == pytest.approx(np.pi * (12**2 - 8**2) * 60 / 1000, rel=0.03)


def test_closing_fills_the_marrow_and_no_more(limb) -> None:
    (bone,) = segment_bone(limb, closing_mm=9.0)
    assert bone.volume_ml == pytest.approx(np.pi * 12**2 * 60 / 1000, rel=0.03)


def test_dim_bone_counts_where_it_touches_sure_bone_only(limb) -> None:
    limb.hu[:, 30:38, 48:53] = 250.0  # on the tube
    limb.hu[:, 70:78, 70:78] = 250.0  # alone: contrast in a vessel
    (bone,) = segment_bone(limb)
    assert bone.inside[:, 30:38, 48:53].all()
    assert not bone.inside[:, 70:78, 70:78].any()


def test_specks_go_and_a_table_is_no_bone(limb) -> None:
    limb.hu[10, 75:78, 50:53] = 900.0  # 18 mm3
    limb.hu[:, 92:96, 10:90] = 900.0
    (bone,) = segment_bone(limb)
    assert not bone.inside[:, 65:].any()


def test_the_threshold_is_a_setting(limb) -> None:
    assert not segment_bone(limb, threshold_hu=900.0)[0].inside.any()


def test_a_negative_closing_is_refused(limb) -> None:
    with pytest.raises(ValueError, match="closing_mm is -1"):
        segment_bone(limb, closing_mm=-1)
