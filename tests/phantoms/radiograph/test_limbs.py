"""tests/phantoms/radiograph/test_limbs.py: arms hang on the shoulders, and count once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from wetread.phantoms.chest.chest import Chest, body_chord, draw_chest
from wetread.phantoms.radiograph.exposure import Beam, sight
from wetread.phantoms.radiograph.limbs import (
    FOREARM_MM,
    UPPER_ARM_MM,
    add_limbs,
    draw_limbs,
    limb_bone,
    limb_chords,
)
from wetread.phantoms.shapes.chords import thickness

WIDE = Beam("PA", False, 1e9, 0.0, 0.0, 0.0, (0.0, 0.0), 6.0, 160)


@pytest.fixture(scope="module")
def chest() -> Chest:
    return draw_chest(np.random.default_rng(2), False, 45)


def test_arms_have_their_length_and_start_at_the_shoulders(chest):
    for seed in range(20):
        limbs = draw_limbs(np.random.default_rng(seed), chest, seed % 2 == 0)
        for arm in limbs.arms:
            joint, elbow, wrist = map(np.array, (arm.joint, arm.elbow, arm.wrist))
            assert np.linalg.norm(elbow - joint) == pytest.approx(UPPER_ARM_MM)
            assert FOREARM_MM < np.linalg.norm(wrist - elbow) < 1.1 * FOREARM_MM
            assert joint[0] * arm.side > 120
            assert elbow[0] * arm.side > joint[0] * arm.side  # outwards, hanging or lifted
            assert abs(joint[2] - chest.shoulder_z) < 30


def test_most_arms_hang_and_children_are_held_with_theirs_up(chest):
    def lifted(age: int) -> float:
        rng, person = np.random.default_rng(1), replace(chest, age=age)
        drawn = [draw_limbs(rng, person, True).arms[0] for _ in range(300)]
        return float(np.mean([arm.elbow[2] > arm.joint[2] for arm in drawn]))

    assert lifted(50) < 0.1 < lifted(6) < 0.5


def test_limbs_add_to_the_trunk_what_lies_outside_it_and_nothing_twice(chest):
    x, z = sight(WIDE, 0.0)
    trunk = body_chord(chest, x, z)
    limbs = draw_limbs(np.random.default_rng(3), chest, False)
    soft, own = add_limbs(trunk, limbs, x, z), thickness(trunk)
    assert (soft >= own - 1e-3).all()
    assert soft[own == 0].max() > 50  # an arm beside the trunk
    longest = own + sum(thickness(chord) for chord in limb_chords(limbs, x, z))
    assert (soft <= longest + 1e-3).all()


def test_bone_lies_within_the_limbs_and_a_shaft_is_hollow(chest):
    x, z = sight(WIDE, 0.0)
    limbs = replace(draw_limbs(np.random.default_rng(4), chest, False), chin=None)
    soft = np.max([thickness(chord) for chord in limb_chords(limbs, x, z)], axis=0)
    bone = limb_bone(limbs, x, z)
    assert bone.max() > 5
    assert (bone[soft == 0] == 0).all()
    arm = limbs.arms[1]
    middle = 0.5 * (np.array(arm.joint) + np.array(arm.elbow))
    way = (np.array(arm.elbow) - np.array(arm.joint)) / UPPER_ARM_MM
    across = np.linspace(-14, 14, 57)
    line = limb_bone(limbs, middle[0] - across * way[2], middle[2] + across * way[0])
    assert line[28] < line.max()


def test_a_head_above_the_chin_is_soft_tissue_in_a_skull(chest):
    limbs = replace(draw_limbs(np.random.default_rng(5), chest, True), chin=(0.0, 180.0))
    x, z = np.zeros(3, np.float32), np.array([170.0, 190.0, 280.0], np.float32)
    head = thickness(limb_chords(limbs, x, z)[-1])
    assert head[0] == 0 < head[1] < head[2]
    assert limb_bone(limbs, x, z)[2] == pytest.approx(11.0, abs=1.0)  # both tables of the skull
