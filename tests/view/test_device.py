"""tests/view/test_device.py: the batched view against NumPy, OpenCV and exact motions."""

from typing import Any

import cv2
import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from wetread.study.crop import crop_and_resize
from wetread.study.hu import AIR_HU
from wetread.view.augment import Augmentation
from wetread.view.device import SHARP_PIXELS, add_noise, change_kernel, to_view
from wetread.view.mode import MODES, apply_mode, find_mode
from wetread.view.view import View
from wetread.view.window import BONE, BRAIN, SUBDURAL, Window, apply_window

THREE = (BRAIN, SUBDURAL, BONE)
ALL = (Window(0, 6000),)  # keeps -3000..3000 HU: gray is HU in another unit
HU = np.random.default_rng(1).normal(40, 60, (2, 3, 32, 32)).astype(np.float32)


def drawn(n: int = 1, **changed: object) -> Augmentation:
    """An augmentation of n images that changes nothing but what is given."""
    values: dict[str, object] = {
        "flip": False, "angle": 0.0, "scale": 1.0, "shift_rows": 0.0, "shift_columns": 0.0,
        "hu_shift": 0.0, "contrast": 1.0, "hu_scale": 1.0, "soften": 0.0, "sharpen": 0.0,
        "resolution": 1.0, "noise_hu": 0.0, "noise_seeds": 7,
        "gamma": 1.0,
    }  # fmt: skip
    arrays = {name: np.full(n, changed.get(name, value)) for name, value in values.items()}
    return Augmentation(**arrays)


def moved(hu: np.ndarray, **changed: Any) -> np.ndarray:
    """HU (H, W) as they come out of a view that was augmented so, (H, W) HU."""
    view = View(ALL, size=hu.shape[0])
    out = to_view(torch.from_numpy(hu)[None, None], view, drawn(**changed))
    return out[0, 0].numpy() * 6000 - 3000


def test_channels_run_slice_by_slice_and_within_a_slice_window_by_window() -> None:
    out = to_view(torch.from_numpy(HU), View(THREE, neighbors=1, size=32)).numpy()
    expected = np.stack([apply_window(HU[:, s], w) for s in range(3) for w in THREE], 1)
    np.testing.assert_allclose(out, expected, atol=1e-6)


@pytest.mark.parametrize(
    "name", [*sorted(n for n, m in MODES.items() if m.windows and m.offsets == (0,)), "lung/linear"]
)
def test_every_mode_of_one_slice_is_the_one_that_numpy_computes(name: str) -> None:
    mode = find_mode(name)
    out = to_view(torch.from_numpy(HU), View(mode.windows, 1, 32, mode.mix)).numpy()
    expected = np.stack([one for s in range(3) for one in apply_mode([HU[:, s]], mode)], 1)
    assert out.shape == expected.shape
    np.testing.assert_allclose(out, expected, rtol=0, atol=1e-6)


def test_gamma_raises_the_gray_of_each_image_to_its_own_exponent() -> None:
    plain = to_view(torch.from_numpy(HU), View(THREE, neighbors=1, size=32)).numpy()
    changed = drawn(2)
    changed.gamma[:] = 0.5, 2.0
    out = to_view(torch.from_numpy(HU), View(THREE, neighbors=1, size=32), changed).numpy()
    np.testing.assert_allclose(out[0], np.sqrt(plain[0]), atol=1e-6)
    np.testing.assert_allclose(out[1], plain[1] ** 2, atol=1e-6)


def test_a_kernel_under_autocast_keeps_float32() -> None:
    hu = torch.from_numpy(HU)
    plain = to_view(hu, View(THREE, neighbors=1, size=32), drawn(2, soften=1.2))
    with torch.autocast("cpu", torch.bfloat16):
        mixed = to_view(hu, View(THREE, neighbors=1, size=32), drawn(2, soften=1.2))
    assert torch.equal(plain, mixed)


def test_flips_alone_are_exact_and_move_no_value() -> None:
    flips = drawn(2)
    flips.flip[:] = [True, False]
    out = to_view(torch.from_numpy(HU), View(THREE, 1, HU.shape[-1]), flips)
    plain = to_view(torch.from_numpy(HU), View(THREE, 1, HU.shape[-1]))
    for image, flipped in enumerate(flips.flip):
        expected = plain[image].flip(-1) if flipped else plain[image]
        assert torch.equal(out[image], expected)


def test_a_larger_slice_is_shrunk_as_the_crop_shrinks_it() -> None:
    out = to_view(torch.from_numpy(HU[:1, :1]), View(ALL, size=8))[0, 0].numpy() * 6000 - 3000
    np.testing.assert_allclose(out, crop_and_resize(HU[0, 0], None, 8), atol=1e-2)


def test_an_augmentation_that_changes_nothing_changes_nothing() -> None:
    np.testing.assert_allclose(moved(HU[0, 0]), HU[0, 0], atol=2e-2)


def test_a_flip_swaps_left_and_right_alone() -> None:
    np.testing.assert_allclose(moved(HU[0, 0], flip=True), HU[0, 0][:, ::-1], atol=2e-2)


def test_a_quarter_turn_is_a_quarter_turn() -> None:
    turned = moved(HU[0, 0], angle=np.pi / 2)
    way = min((1, -1), key=lambda k: np.abs(turned - np.rot90(HU[0, 0], k)).max())
    np.testing.assert_allclose(turned, np.rot90(HU[0, 0], way), atol=5e-2)


def test_a_flip_and_a_turn_together_are_the_turned_image_in_a_mirror() -> None:
    turned = moved(HU[0, 0], angle=0.3, scale=1.1)
    both = moved(HU[0, 0], angle=0.3, scale=1.1, flip=True)
    np.testing.assert_allclose(both, turned[:, ::-1], atol=5e-2)


def test_a_shift_moves_by_its_share_of_the_image_and_air_comes_in() -> None:
    out = moved(HU[0, 0], shift_rows=0.25, shift_columns=-0.125)
    np.testing.assert_allclose(out[8:, :28], HU[0, 0][:24, 4:], atol=2e-2)
    np.testing.assert_allclose(out[:8], AIR_HU, atol=1e-2)
    np.testing.assert_allclose(out[:, 28:], AIR_HU, atol=1e-2)


def test_rotation_and_scale_agree_with_opencv() -> None:
    smooth = cv2.GaussianBlur(HU[0, 0] * 5, (0, 0), 3)
    angle, scale = np.deg2rad(12.0), 1.1
    out = moved(smooth, angle=angle, scale=scale)
    matrix = cv2.getRotationMatrix2D((15.5, 15.5), 12.0, scale)
    expected = cv2.warpAffine(smooth, matrix, (32, 32), flags=cv2.INTER_LINEAR)
    np.testing.assert_allclose(out[6:26, 6:26], expected[6:26, 6:26], atol=1.0)


@pytest.mark.parametrize("sigma", [0.6, 1.7])
def test_a_softer_kernel_is_the_gaussian_that_scipy_computes(sigma: float) -> None:
    expected = gaussian_filter(HU[0, 0], sigma, mode="nearest", radius=int(np.ceil(3 * sigma)))
    np.testing.assert_allclose(moved(HU[0, 0], soften=sigma), expected, atol=5e-2)


def test_a_sharper_kernel_adds_its_share_of_what_a_gaussian_takes_away() -> None:
    taken = HU[0, 0] - gaussian_filter(HU[0, 0], SHARP_PIXELS, mode="nearest", radius=3)
    np.testing.assert_allclose(moved(HU[0, 0], sharpen=0.4), HU[0, 0] + 0.4 * taken, atol=5e-2)


def test_the_images_of_a_batch_have_a_kernel_each() -> None:
    soften, sharpen = np.array([0, 1.2, 0], np.float32), np.array([0, 0, 0.5], np.float32)
    batch = torch.from_numpy(np.stack([HU[0], HU[1], HU[0]]))
    out = change_kernel(batch, soften, sharpen)
    np.testing.assert_allclose(out[0], batch[0], atol=1e-4)
    for place in (1, 2):
        alone = change_kernel(
            batch[place : place + 1], soften[place : place + 1], sharpen[place : place + 1]
        )
        np.testing.assert_allclose(out[place], alone[0], atol=1e-3)


def test_half_the_resolution_leaves_the_means_of_two_by_two_pixels() -> None:
    out = moved(HU[0, 0], resolution=0.5)
    small = HU[0, 0].reshape(16, 2, 16, 2).mean((1, 3))
    expected = cv2.resize(small, (32, 32), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(out, expected, atol=5e-2)


def test_noise_has_its_deviation_and_does_not_depend_on_the_batch() -> None:
    flat, seeds = torch.zeros(3, 1, 128, 128), np.array([5, 6, 7])
    out = add_noise(flat, np.array([4, 0, 2], np.float32), seeds)
    assert out[0].std() == pytest.approx(4, rel=0.03)
    assert not out[1].any()
    assert out[2].std() == pytest.approx(2, rel=0.03)
    assert torch.equal(add_noise(flat[:1], np.array([2], np.float32), seeds[2:])[0], out[2])


def test_a_hu_scale_multiplies_about_water() -> None:
    np.testing.assert_allclose(moved(HU[0, 0], hu_scale=1.05), HU[0, 0] * 1.05, atol=2e-2)


def test_a_hu_shift_is_added_to_every_slice_of_its_image() -> None:
    view = View(ALL, neighbors=1, size=32)
    change = drawn(2, hu_shift=np.array([3.0, -2.0]))
    before = to_view(torch.from_numpy(HU), view, drawn(2)).numpy() * 6000
    after = to_view(torch.from_numpy(HU), view, change).numpy() * 6000
    np.testing.assert_allclose(
        after - before, np.broadcast_to([[[[3.0]]], [[[-2.0]]]], HU.shape), atol=2e-2
    )


def test_the_wrong_number_of_slices_is_refused_with_the_shape() -> None:
    with pytest.raises(ValueError, match=r"3 slices needs HU of shape .* not \(2, 1, 32, 32\)"):
        to_view(torch.from_numpy(HU[:, :1]), View(THREE, neighbors=1))
