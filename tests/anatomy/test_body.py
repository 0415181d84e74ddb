"""tests/anatomy/test_body.py: the body is what is thick; tables, head rests and leads are not."""

import numpy as np
import pytest

from wetread.anatomy.body import filled, segment_body

AIR, FAT, MUSCLE, LUNG, TABLE = -1000.0, -100.0, 50.0, -850.0, 300.0


def chest(stack, to_volume):
    """(a trunk on a table with a lead over it, what of it is body)."""
    rows, columns = np.mgrid[:120, :160]
    trunk = ((rows - 55) / 35) ** 2 + ((columns - 80) / 60) ** 2 <= 1
    lung = ((rows - 52) / 18) ** 2 + ((columns - 55) / 15) ** 2 <= 1
    picture = np.where(trunk, MUSCLE, AIR)
    picture[lung] = LUNG
    picture[92:95, 20:140] = TABLE  # two mm under the back
    picture[17, 60:100] = FAT  # a sheet
    hu = np.repeat(picture[None], 10, axis=0)
    return to_volume(hu, stack(np.arange(10) * 3.0)), np.repeat(trunk[None], 10, axis=0)


def test_the_body_holds_its_lungs_and_leaves_the_table(stack, to_volume) -> None:
    volume, truth = chest(stack, to_volume)
    (body,) = segment_body(volume)
    assert body.name == "body"
    assert not (body.inside & ~truth).any()
    assert body.inside[truth].mean() > 0.99


def test_an_arm_beside_the_chest_is_body_too(stack, to_volume) -> None:
    volume, _ = chest(stack, to_volume)
    rows, columns = np.mgrid[:120, :160]
    arm = (rows - 60) ** 2 + (columns - 147) ** 2 <= 12**2
    volume.hu[:, arm] = MUSCLE
    (body,) = segment_body(volume)
    assert body.inside[:, arm].mean() > 0.95


def test_an_empty_scan_has_no_body(stack, to_volume) -> None:
    (body,) = segment_body(to_volume(np.full((4, 50, 50), AIR), stack([0, 5, 10, 15])))
    assert not body.inside.any()


def test_the_head_rest_of_a_phantom_is_left_out(of_study, healthy_head) -> None:
    volume = of_study(healthy_head)
    (body,) = segment_body(volume)
    truth = healthy_head.cavity
    assert body.inside[truth].all()
    framed = body.inside.any(axis=(0, 1)).sum() * volume.place.spacing_mm[1]
    assert framed < 210  # mm from ear to ear; the rest is wider


@pytest.mark.parametrize("edge", [False, True])
def test_only_what_the_outside_cannot_reach_is_a_hole(edge: bool) -> None:
    ring = np.zeros((7, 7), bool)
    ring[1:6, 1:6] = True
    ring[2:5, 2:5] = False
    if edge:
        ring[3, 5] = False
    assert filled(ring)[3, 3] != edge
