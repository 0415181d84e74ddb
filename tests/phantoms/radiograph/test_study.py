"""tests/phantoms/radiograph/test_study.py: thickness is geometry; air, line and mask lie
together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from wetread.phantoms.chest.chest import (
    Chest,
    air_length,
    below_diaphragm,
    draw_chest,
    heart_chord,
    inside_pleura,
    pleural_chord,
    spine_chord,
)
from wetread.phantoms.chest.vessels import draw_vessel_tree, lung_to_chest, vessel_cloud
from wetread.phantoms.radiograph.exposure import (
    Beam,
    Sightlines,
    draw_beam,
    magnify,
    project,
    sight,
    splat,
)
from wetread.phantoms.radiograph.mimics import draw_radiograph_mimics, fluid_share
from wetread.phantoms.radiograph.pneumothorax import (
    SUPINE,
    UPRIGHT,
    collapse,
    collapsed_lung,
    draw_pneumothorax,
    enlarge_air,
    pushed,
)
from wetread.phantoms.radiograph.study import MIN_MASK_SHARE, RadiographStudy, make_radiograph
from wetread.phantoms.shapes.chords import (
    Chord,
    ellipsoid_chord,
    hull_chord,
    length_outside,
    rod_chord,
    signed_depth,
    thickness,
)
from wetread.phantoms.shapes.clouds import Cloud, shell_cloud, tube_cloud

KINDS = tuple(dict.fromkeys(UPRIGHT + SUPINE))
STRAIGHT = Beam("PA", False, 1e9, 0.0, 0.0, 0.0, (0.0, 0.0), 2.0, 160)
DEPTHS = np.arange(-150, 150, 0.5, dtype=np.float32)[:, None, None]


@pytest.fixture(scope="module")
def chest() -> Chest:
    return draw_chest(np.random.default_rng(2), False, 45)


def film(kind: str, seed: int = 0, size: int = 128, difficulty: float = 1.0) -> RadiographStudy:
    rng = np.random.default_rng(seed)
    return make_radiograph(rng, kind=kind, size=size, difficulty=difficulty)


def coarse() -> tuple[np.ndarray, np.ndarray]:
    beam = replace(STRAIGHT, size=40, pixel_mm=8.0)
    return sight(beam, 0.0)


def test_a_chord_is_as_long_as_its_implicit_function_is_negative():
    x, z = coarse()
    for chord in (
        ellipsoid_chord(x, z, (10.0, -5.0, 4.0), (60.0, 40.0, 25.0), 0.5),
        rod_chord(x, z, (-60.0, 10.0, -40.0, 14.0), (50.0, 30.0, 60.0, 22.0)),
    ):
        counted = (signed_depth(chord, DEPTHS) < 0).sum(axis=0) * 0.5
        assert np.abs(counted - thickness(chord)).max() <= 0.75


def test_an_ellipsoid_has_the_volume_of_the_closed_form():
    x, z = sight(STRAIGHT, 0.0)
    radii = (60.0, 40.0, 25.0)
    volume = thickness(ellipsoid_chord(x, z, (0.0, 0.0, 0.0), radii, 0.7)).sum() * 2.0 * 2.0
    assert volume == pytest.approx(4 / 3 * np.pi * np.prod(radii), rel=0.005)


def test_length_without_two_solids_counts_their_overlap_once():
    rng = np.random.default_rng(0)
    draw = [Chord(*np.sort(rng.uniform(-100, 100, (2, 50, 1)), axis=0)) for _ in range(3)]
    inside = [signed_depth(c, DEPTHS) < 0 for c in draw]
    counted = (inside[0] & ~inside[1] & ~inside[2]).sum(axis=0) * 0.5
    assert np.abs(counted - length_outside(*draw)).max() <= 1.5


def test_the_hull_of_a_missed_solid_is_the_other():
    x, z = coarse()
    here = ellipsoid_chord(x, z, (0.0, 20.0, 0.0), (50.0, 30.0, 50.0))
    missed = ellipsoid_chord(x, z, (9e3, -90.0, 0.0), (5.0, 5.0, 5.0))
    assert np.array_equal(thickness(hull_chord(here, missed)), thickness(here))


def test_air_in_lines_of_sight_is_the_air_of_the_three_dimensional_chest(chest):
    x, z = coarse()
    for part in chest.pleurae:
        chord = pleural_chord(part, x, z)
        heart = hull_chord(below_diaphragm(part, x, z), heart_chord(chest, x, z))
        free = (signed_depth(heart, DEPTHS) >= 0) & (
            signed_depth(spine_chord(chest, x, z), DEPTHS) >= 0
        )
        inside = inside_pleura(part, x, DEPTHS, z) < 0
        counted = (inside & free).sum(axis=0) * 0.5
        assert np.abs(counted - air_length(chest, part, x, z, chord)).max() <= 1.6


def test_lungs_have_the_volume_of_lungs(chest):
    x, z = sight(STRAIGHT, 0.0)
    litres = [
        air_length(chest, p, x, z, pleural_chord(p, x, z)).sum() * 4e-6 for p in chest.pleurae
    ]
    assert 3.0 < sum(litres) < 7.0  # total capacity of an adult
    assert litres[0] > litres[1]  # the heart lies to the left


def test_clouds_keep_the_volume_of_tubes():
    curve = np.stack([np.linspace(-50, 50, 200), np.zeros(200), np.zeros(200)], axis=1)
    radius = np.full((1, 200), 4.0)
    assert tube_cloud(curve[None], radius, 9).mass.sum() == pytest.approx(
        np.pi * 16 * 100, rel=0.01
    )
    outward = np.broadcast_to([0.0, 1.0, 0.0], curve.shape)
    halves = (np.full(200, 6.0), np.full(200, 6.0))
    wall = shell_cloud(curve, outward, halves, np.full(200, 0.5), 24)
    assert wall.mass.sum() == pytest.approx(2 * np.pi * 6 * 0.5 * 100, rel=0.01)


def test_splatting_loses_nothing_and_puts_points_where_they_are():
    rng = np.random.default_rng(0)
    row, column = rng.uniform(5, 55, (2, 500))
    weight = rng.random(500)
    picture = splat(row, column, weight, 64)
    assert picture.sum() == pytest.approx(weight.sum(), rel=1e-5)
    rows, columns = np.indices(picture.shape)
    assert (picture * rows).sum() / picture.sum() == pytest.approx(
        np.average(row, weights=weight), abs=0.05
    )
    assert (picture * columns).sum() / picture.sum() == pytest.approx(
        np.average(column, weights=weight), abs=0.05
    )


def test_what_lies_nearer_to_the_source_is_larger_and_solids_and_points_agree():
    ap = replace(STRAIGHT, view="AP", source_mm=1000.0)
    assert magnify(ap, -100.0) == pytest.approx(1000 / 900)
    assert magnify(replace(ap, view="PA"), -100.0) == pytest.approx(1000 / 1100)
    tilted = replace(ap, tilt=0.1, yaw=0.08, roll=0.1, center=(4.0, -9.0))
    for y in (-80.0, 0.0, 60.0):
        x, z = sight(tilted, y)
        at = (50, 101)
        point = np.array([[x[at], y, z[at]]], np.float32)
        collapsed = project(tilted, Cloud(point, np.ones(1, np.float32)))
        assert np.unravel_index(int(collapsed.argmax()), collapsed.shape) == at


@pytest.mark.parametrize("kind", KINDS)
def test_the_collapsed_lung_lies_in_its_pleural_space_and_air_fills_the_rest(chest, kind):
    x, z = sight(replace(STRAIGHT, size=96, pixel_mm=3.5), 0.0)
    for seed in range(3):
        pneumothorax = draw_pneumothorax(np.random.default_rng(seed), kind)
        part = chest.pleurae[(pneumothorax.side + 1) // 2]
        collapsed = collapse(chest, part, pneumothorax, Sightlines(x, z, 3.5))
        assert collapsed.air.min() >= 0
        assert collapsed.lung.min() >= 0
        assert not collapsed.mask[collapsed.air < 4].any()
        assert not collapsed.mask[x * part.side < 0].any()
        assert collapsed.mask.any()
        if kind != "deep_sulcus":  # there the lung lies behind the air
            aerated = collapsed.lung / np.maximum(collapsed.lung + collapsed.air, 1)
            assert aerated[collapsed.mask].max() < 0.5


def test_kinds_lie_where_their_names_say(chest):
    x, z = sight(replace(STRAIGHT, size=96, pixel_mm=3.5), 0.0)
    height = {}
    for kind in KINDS:
        centers = []
        for seed in range(4):
            pneumothorax = draw_pneumothorax(np.random.default_rng(seed), kind)
            part = chest.pleurae[(pneumothorax.side + 1) // 2]
            centers.append(
                z[collapse(chest, part, pneumothorax, Sightlines(x, z, 3.5)).mask].mean()
            )
        height[kind] = np.mean(centers)
    assert height["apical"] > 40 > height["lateral"] > height["deep_sulcus"]
    assert height["basal"] < -30
    assert height["deep_sulcus"] < -30


def test_the_pleural_line_lies_on_the_border_of_the_mask(chest):
    pneumothorax = draw_pneumothorax(np.random.default_rng(1), "apical")
    part = chest.pleurae[(pneumothorax.side + 1) // 2]
    x, z = sight(replace(STRAIGHT, size=256, pixel_mm=1.3), 0.0)
    collapsed = collapse(chest, part, pneumothorax, Sightlines(x, z, 1.3))
    line = collapsed.pleura > 0.5 * np.percentile(collapsed.pleura[collapsed.pleura > 0], 99)
    rows, columns = np.nonzero(line)
    near = [
        collapsed.mask[max(r - 4, 0) : r + 5, max(c - 4, 0) : c + 5].any()
        for r, c in zip(rows, columns, strict=True)
    ]
    assert len(near) > 20
    assert np.mean(near) > 0.9
    assert collapsed.mask[line].mean() < 0.6


def test_vessels_go_with_the_lung_and_do_not_cross_the_pleural_line(chest):
    pneumothorax = draw_pneumothorax(np.random.default_rng(3), "large")
    part = chest.pleurae[(pneumothorax.side + 1) // 2]
    lung = collapsed_lung(part, pneumothorax)
    tree = draw_vessel_tree(np.random.default_rng(0))
    cloud = vessel_cloud(lung, tree, 1.0)
    x, y, z = cloud.place[cloud.mass > 0].T
    assert len(x) > 1000
    chord = pleural_chord(lung, x, z)
    assert np.mean((y > chord.front - 4) & (y < chord.back + 4)) > 0.98
    full = lung_to_chest(part, tree.curves)
    assert np.ptp(lung_to_chest(lung, tree.curves)[..., 0]) < np.ptp(full[..., 0])


def test_enlarging_air_enlarges_the_mask(chest):
    x, z = sight(replace(STRAIGHT, size=96, pixel_mm=3.5), 0.0)
    for kind in ("apical", "lateral", "basal", "deep_sulcus"):
        pneumothorax = draw_pneumothorax(np.random.default_rng(5), kind, difficulty=4.0)
        part = chest.pleurae[(pneumothorax.side + 1) // 2]
        masks = [
            collapse(chest, part, f, Sightlines(x, z, 3.5)).mask.sum()
            for f in (pneumothorax, enlarge_air(pneumothorax, 2.0))
        ]
        assert masks[1] > masks[0]


def test_air_under_pressure_pushes_the_heart_to_the_other_side(chest):
    pneumothorax = draw_pneumothorax(np.random.default_rng(0), "large")
    moved = pushed(chest, pneumothorax).heart.center[0] - chest.heart.center[0]
    assert pneumothorax.push_mm > 0
    assert moved == pytest.approx(-pneumothorax.side * pneumothorax.push_mm)


def test_fluid_takes_the_sulcus_of_its_side_only(chest):
    x, z = coarse()
    right, left = chest.pleurae
    share = fluid_share((-1, 20.0), right, x, z)
    assert fluid_share((-1, 20.0), left, x, z) is None
    assert fluid_share(None, right, x, z) is None
    assert share is not None
    assert share[z < right.base_z + 20].min() == 1
    assert share[z > right.dome[2] + 20].max() == 0


def test_an_unknown_kind_is_refused_with_the_known_names():
    with pytest.raises(ValueError, match="choose from apical"):
        draw_pneumothorax(np.random.default_rng(0), "tiny")


@pytest.mark.parametrize("kind", ["", *KINDS])
def test_a_film_is_grey_between_0_and_1_and_its_mask_follows_its_kind(kind):
    study = film(kind, seed=4)
    assert study.gray.dtype == np.float32
    assert study.gray.shape == study.mask.shape == (128, 128)
    assert 0 <= study.gray.min() < study.gray.max() <= 1
    assert (study.pneumothorax is not None) == bool(kind)
    if kind:
        assert study.mask.mean() >= MIN_MASK_SHARE
    else:
        assert not study.mask.any()


def test_the_same_generator_gives_the_same_film_to_the_bit():
    first, second = film("apical", seed=5), film("apical", seed=5)
    assert np.array_equal(first.gray, second.gray)
    assert np.array_equal(first.mask, second.mask)


def test_lungs_are_dark_and_air_is_darker_than_the_lung_it_pushes_away():
    darker = []
    for seed in range(6):
        study = film("large", seed=seed)
        beam, chest = study.beam, study.chest
        x, z = sight(beam, 0.0)
        other = chest.pleurae[0 if study.pneumothorax and study.pneumothorax.side > 0 else 1]
        lung = air_length(chest, other, x, z, pleural_chord(other, x, z, chest)) > 90
        heart = np.hypot(x - 10, z - chest.heart.center[2]) < 20
        assert np.median(study.gray[lung]) < np.median(study.gray[heart])
        darker.append(np.median(study.gray[study.mask]) < np.median(study.gray[lung]))
    assert np.mean(darker) > 0.8


def test_sizes_spread_from_rims_to_whole_lungs_as_the_real_ones_do():
    shares = []
    rng = np.random.default_rng(0)
    for number in range(60):
        chest = draw_chest(rng, bool(number % 2), 50)
        kind = str(rng.choice(UPRIGHT, p=(0.52, 0.24, 0.14, 0.10)))
        pneumothorax = draw_pneumothorax(rng, kind)
        beam = draw_beam(rng, 270, 96)
        x, z = sight(beam, 0.0)
        part = chest.pleurae[(pneumothorax.side + 1) // 2]
        shares.append(
            collapse(chest, part, pneumothorax, Sightlines(x, z, beam.pixel_mm)).mask.mean()
        )
    # real masks: 0.2 % to 14 % of the film, median 3 %
    assert np.percentile(shares, 5) < 0.012
    assert 0.015 < np.median(shares) < 0.045
    assert np.max(shares) > 0.09


def test_mimics_are_drawn_without_a_look_at_the_air():
    rng = np.random.default_rng(0)
    chest = draw_chest(rng, True, 60)
    ap = [draw_radiograph_mimics(rng, chest, True, 1.0) for _ in range(400)]
    pa = [draw_radiograph_mimics(rng, chest, False, 1.0) for _ in range(400)]
    assert 0.3 < np.mean([m.tube for m in ap]) < 0.55
    assert 0.05 < np.mean([m.tube for m in pa]) < 0.3
    for name in ("folds", "bullae", "opacities", "plates"):
        assert any(getattr(m, name) for m in ap), name


def test_a_size_that_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="multiple of 8"):
        film("", size=100)
