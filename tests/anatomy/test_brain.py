"""tests/anatomy/test_brain.py: the brain is what the skull encloses: on phantoms of known truth,
and on real heads."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from wetread.anatomy.brain import segment_brain
from wetread.archive.index.index import build_index
from wetread.archive.rejects import RejectError
from wetread.phantoms.head.study import HeadStudy, make_head_study
from wetread.study.placement import SlicePlacement
from wetread.study.series import series_slices
from wetread.study.volume import Volume, volume_from_rows


def dice(found: np.ndarray, truth: np.ndarray) -> float:
    return float(2 * (found & truth).sum() / (found.sum() + truth.sum()))


def brain_of(volume: Volume) -> np.ndarray:
    (brain,) = segment_brain(volume)
    assert brain.name == "brain"
    return brain.inside


def part_of(volume: Volume, part: slice) -> Volume:
    place = volume.place
    return replace(
        volume,
        hu=volume.hu[part],
        place=replace(
            place, origins_mm=place.origins_mm[part], thickness_mm=place.thickness_mm[part]
        ),
        sources=volume.sources[part],
        slice_map=volume.slice_map[part],
    )


@pytest.fixture(scope="module")
def head(of_study, healthy_head: HeadStudy) -> tuple[Volume, np.ndarray]:
    """(a head's volume, its cavity)."""
    return of_study(healthy_head), healthy_head.cavity


@pytest.mark.parametrize("seed", [200, 201])
def test_the_brain_of_a_phantom_is_its_cavity(of_study, seed: int) -> None:
    study = make_head_study(np.random.default_rng(seed), size=192)
    assert dice(brain_of(of_study(study)), study.cavity) >= 0.97


def test_a_scan_of_a_part_of_the_head_has_its_part_of_the_brain(head) -> None:
    volume, truth = head
    for part in (slice(0, 14), slice(10, 13)):
        assert dice(brain_of(part_of(volume, part)), truth[part]) >= 0.97


def test_a_skull_with_a_hole_of_8_cm_does_not_leak(head) -> None:
    volume, truth = head
    center = np.argwhere(truth).mean(axis=0)
    slices, rows, columns = np.ogrid[: len(truth), : truth.shape[1], : truth.shape[2]]
    mm = volume.place.spacing_mm[0]
    near = ((slices - center[0]) * 5.0) ** 2 + ((rows - center[1]) * mm) ** 2 < 40.0**2
    hole = near & (columns > center[2]) & (volume.hu > 150)
    assert hole.sum() * mm**2 * 5 / 1000 > 20  # ml of bone taken out
    opened = replace(volume, hu=np.where(hole, np.float32(35), volume.hu))
    found = brain_of(opened)
    near = ndimage.binary_dilation(truth | hole, np.ones((1, 3, 3), bool))
    assert (found & ~near).sum() < 0.002 * truth.sum()  # scalp, muscle
    assert dice(found, truth) >= 0.96


def test_slices_from_the_vertex_down_give_the_same_brain(head) -> None:
    volume, _ = head
    to_patient = part_of(volume, slice(None, None, -1))
    assert dice(brain_of(to_patient)[::-1], brain_of(volume)) > 0.995


def test_coronal_slices_are_set_upright(stack, to_volume, head) -> None:
    volume, truth = head
    mm = volume.place.spacing_mm[0]
    thin = 2  # rows of 2.5 mm
    hu = np.repeat(volume.hu, thin, axis=0)[::-1].transpose(1, 0, 2)
    origins = np.array([[0, row * mm, 0] for row in range(len(hu))], np.float64)
    place = SlicePlacement(
        origins, np.array([1.0, 0, 0, 0, 0, -1]), (5.0 / thin, mm), np.full(len(hu), mm)
    )
    found = brain_of(to_volume(np.ascontiguousarray(hu), place))
    expected = np.repeat(truth, thin, axis=0)[::-1].transpose(1, 0, 2)
    assert dice(found, expected) >= 0.95


def test_a_catheter_and_calcium_are_within_the_brain(head) -> None:
    volume, truth = head
    middle = np.argwhere(truth).mean(axis=0).astype(int)
    hu = volume.hu.copy()
    rod = (slice(middle[0] - 1, middle[0] + 2), middle[1], slice(middle[2], middle[2] + 12))
    hu[rod] = 1500.0
    assert brain_of(replace(volume, hu=hu))[rod].all()


def test_a_body_without_a_skull_has_no_brain(stack, to_volume) -> None:
    rows, columns = np.mgrid[:90, :90]
    trunk = np.where(np.hypot(rows - 45, columns - 45) < 40, 40.0, -1000.0)
    volume = to_volume(np.repeat(trunk[None], 12, axis=0), stack(np.arange(12) * 5.0))
    with pytest.raises(RejectError, match="no brain"):
        segment_brain(volume)


@pytest.fixture(scope="module")
def real_heads(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Volume]:
    """Whole head series by the end of their UID."""
    sources = [real_data / "hemorrhage_series" / "99fc6d2b76.zip", real_data / "head_ct_tilted"]
    if not all(source.exists() for source in sources):
        pytest.skip(f"no whole head series under {real_data}")
    out = tmp_path_factory.mktemp("heads") / "index.parquet"
    images = build_index(sources, out, workers=1, progress=lambda done, total: None).images
    return {
        rows["SeriesInstanceUID"][0][-6:]: volume_from_rows(rows) for rows in series_slices(images)
    }


def test_the_brain_of_a_head_after_surgery_keeps_its_shunt_and_leaves_the_neck(
    real_heads: dict[str, Volume],
) -> None:
    volume = real_heads["6d2b76"]
    (brain,) = segment_brain(volume)
    assert brain.volume_ml == pytest.approx(1100, rel=0.05)  # outlined on every slice by eye
    assert not brain.inside[:3].any()  # vertebrae, and muscle open to the foramen magnum
    assert brain.inside[4:27].any(axis=(1, 2)).all()
    shunt = (volume.hu[17] > 200) & brain.inside[17]
    assert shunt.sum() > 100


def test_a_tilted_head_with_uneven_slices_is_segmented_at_its_own_places(
    real_heads: dict[str, Volume],
) -> None:
    (brain,) = segment_brain(real_heads["813892"])
    assert brain.volume_ml == pytest.approx(1575, rel=0.05)
    hu = real_heads["813892"].hu[brain.inside]
    assert np.mean((hu > -30) & (hu < 150)) > 0.95
