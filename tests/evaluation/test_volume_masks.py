"""tests/evaluation/test_volume_masks.py: scores of masks of series against brute force, scipy and
counts by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from scipy.spatial.distance import cdist

from wetread.evaluation.volume_masks import count_lesions, score_volume_mask, surface_dice

SPACING = (2.0, 0.5, 0.75)
masks = arrays(bool, (3, 5, 4))


def surface_by_hand(mask: np.ndarray) -> np.ndarray:
    """Voxels of a mask with a neighbor across a face that is not of it, as (N, 3) mm."""
    outside = np.pad(mask, 1)
    kept = ndimage.binary_erosion(outside, ndimage.generate_binary_structure(3, 1))
    return (np.argwhere(outside & ~kept) - 1) * np.array(SPACING)


def lesions_by_hand(mask: np.ndarray) -> list[set[tuple[int, ...]]]:
    """Components of voxels that touch at a corner, grown voxel by voxel."""
    left = {tuple(map(int, voxel)) for voxel in np.argwhere(mask)}
    found = []
    while left:
        lesion, pending = set(), [left.pop()]
        while pending:
            voxel = pending.pop()
            lesion.add(voxel)
            near = {v for v in left if max(abs(a - b) for a, b in zip(v, voxel, strict=True)) <= 1}
            left -= near
            pending += near
        found.append(lesion)
    return found


@given(masks, masks, st.sampled_from([0.4, 0.8, 2.0]))
@settings(max_examples=60, deadline=None)
def test_surface_dice_is_that_of_all_distances_between_surface_voxels(
    truth: np.ndarray, drawn: np.ndarray, tolerance: float
) -> None:
    given_dice = surface_dice(truth, drawn, SPACING, tolerance)
    if not truth.any() or not drawn.any():
        assert given_dice == float(truth.any() == drawn.any())
        return
    apart = cdist(surface_by_hand(truth), surface_by_hand(drawn))
    near = (apart.min(1) <= tolerance + 1e-9).sum() + (apart.min(0) <= tolerance + 1e-9).sum()
    assert given_dice == pytest.approx(near / sum(apart.shape))


@pytest.mark.filterwarnings("ignore:.*always_return_as_numpy:FutureWarning")
def test_surface_dice_is_that_of_monai() -> None:
    import torch
    from monai.metrics import compute_surface_dice

    rng = np.random.default_rng(5)
    truth, drawn = ndimage.gaussian_filter(rng.normal(size=(2, 9, 20, 20)), (0, 1, 2, 2)) > 0.04
    theirs = compute_surface_dice(
        torch.from_numpy(drawn)[None, None],
        torch.from_numpy(truth)[None, None],
        class_thresholds=[1.0],
        include_background=True,
        spacing=list(SPACING),
    )
    assert surface_dice(truth, drawn, SPACING, 1.0) == pytest.approx(float(theirs), abs=1e-6)
    assert 0.1 < float(theirs) < 0.9


@given(masks, masks)
@settings(max_examples=60, deadline=None)
def test_lesions_are_components_that_share_a_corner(mask: np.ndarray, other: np.ndarray) -> None:
    lesions = lesions_by_hand(mask)
    met = [one for one in lesions if any(other[voxel] for voxel in one)]
    assert count_lesions(mask, other) == (len(lesions), len(met))


def test_a_series_with_a_lesion_found_one_missed_and_one_invented() -> None:
    truth, drawn = np.zeros((2, 6, 12, 12), bool)
    truth[1:3, 2:4, 2:4] = True  # 8 voxels, half of them drawn
    drawn[1:2, 2:4, 2:4] = True
    truth[4, 9, 9] = True
    drawn[4, 1, 10] = True
    score = score_volume_mask(truth, drawn, (2.0, 1.0, 0.5))
    assert score.dice == pytest.approx(2 * 4 / (9 + 5))
    assert (score.truth_ml, score.drawn_ml) == pytest.approx((9e-3, 5e-3))
    assert (score.lesions, score.lesions_found, score.false_lesions) == (2, 1, 1)
    assert score.lesion_recall == 0.5


def test_two_empty_masks_agree_and_have_no_recall() -> None:
    empty = np.zeros((2, 3, 4), bool)
    score = score_volume_mask(empty, empty, SPACING)
    assert (score.dice, score.surface_dice, score.drawn_ml, score.false_lesions) == (1, 1, 0, 0)
    assert np.isnan(score.lesion_recall)


@pytest.mark.parametrize(
    ("truth", "drawn", "spacing", "words"),
    [
        (np.zeros((2, 3, 4), bool), np.zeros((2, 4, 3), bool), SPACING, "one grid"),
        (np.zeros((2, 3, 4), bool), np.zeros((2, 3, 4), np.uint8), SPACING, "bool"),
        (np.zeros((2, 3, 4), bool), np.zeros((2, 3, 4), bool), (0.0, 1.0, 1.0), "above 0"),
    ],
)
def test_masks_that_do_not_fit_are_refused(
    truth: np.ndarray, drawn: np.ndarray, spacing: tuple[float, ...], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        score_volume_mask(truth, drawn, spacing)
