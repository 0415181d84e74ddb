"""tests/view/test_device_parts.py: a batch that is changed few images at a time, and from integers,
gives the numbers of one that is changed at once."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from wetread.study.hu import AIR_HU
from wetread.view import device
from wetread.view.augment import Augmentation, Strengths, draw_augmentation
from wetread.view.device import to_device, to_view
from wetread.view.mode import find_mode
from wetread.view.view import View
from wetread.view.window import BONE, BRAIN, SUBDURAL

MOVED = Strengths(flip=0.5, rotate_degrees=15, scale=0.12, shift=0.04, hu_shift=2.5)


def at_once(hu: Tensor, view: View, drawn: Augmentation) -> Tensor:
    """The view of a whole batch (B, S, size, size) by torch's own affine_grid and one window after
    the other."""
    cosine = torch.from_numpy(drawn.angle).cos() / torch.from_numpy(drawn.scale)
    sine = torch.from_numpy(drawn.angle).sin() / torch.from_numpy(drawn.scale)
    mirror = 1 - 2 * torch.from_numpy(drawn.flip).float()
    across = [mirror * cosine, -sine, -2 * torch.from_numpy(drawn.shift_columns)]
    along = [mirror * sine, cosine, -2 * torch.from_numpy(drawn.shift_rows)]
    maps = torch.stack([torch.stack(across, 1), torch.stack(along, 1)], 1)
    grid = functional.affine_grid(maps, list(hu.shape), align_corners=False)
    moved = functional.grid_sample(hu - AIR_HU, grid, align_corners=False) + AIR_HU
    moved = moved + torch.from_numpy(drawn.hu_shift)[:, None, None, None]
    grays = [((moved - w.low_hu) / w.width_hu).clamp(0, 1) for w in view.windows]
    return torch.stack(grays, 2).flatten(1, 2)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("size", "neighbors"), [(32, 0), (48, 1), (300, 2)])
def test_parts_of_a_batch_and_integers_change_no_bit(
    size: int, neighbors: int, precision: torch.dtype
) -> None:
    rng = np.random.default_rng(size)
    view = View((BRAIN, SUBDURAL, BONE), neighbors=neighbors, size=size)
    stored = torch.from_numpy(
        rng.integers(-1024, 1500, (5, view.slices, size, size)).astype(np.int16)
    )
    drawn = draw_augmentation(MOVED, 5, rng)
    expected = at_once(stored.float(), view, drawn)
    with torch.autocast("cpu", dtype=precision, enabled=precision != torch.float32):
        assert torch.equal(to_view(stored, view, drawn), expected)
        assert torch.equal(to_view(stored.float(), view, drawn), expected)


@pytest.mark.parametrize(
    "strengths",
    [
        MOVED,
        Strengths(flip=1.0),
        Strengths(flip=0.5, contrast=0.2, hu_scale=0.1, hu_shift=3, gamma=0.3),
        Strengths(soften=1.5, sharpen=0.7, resolution=0.4, noise_hu=4),
    ],
)
@pytest.mark.parametrize("mode", ["bsb", "sigmoid", "gradient-bsb"])
def test_how_many_images_are_changed_at_a_time_does_not_matter(
    strengths: Strengths, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(3)
    found = find_mode(mode)
    view = View(found.windows, neighbors=1, size=24, mix=found.mix)
    hu = torch.from_numpy(rng.normal(0, 200, (6, 3, 40, 40)).astype(np.float32))
    drawn = draw_augmentation(strengths, 6, rng)
    together = to_view(hu, view, drawn)
    monkeypatch.setattr(device, "CACHED_PIXELS", 1)
    assert torch.equal(to_view(hu, view, drawn), together)


def test_a_batch_without_images_has_an_empty_view() -> None:
    view = View((BRAIN, BONE), size=16)
    assert to_view(torch.zeros(0, 1, 16, 16), view).shape == (0, 2, 16, 16)


def test_what_is_given_stays_as_it_was() -> None:
    rng = np.random.default_rng(0)
    hu = torch.from_numpy(rng.normal(0, 200, (3, 1, 16, 16)).astype(np.float32))
    before = hu.clone()
    to_view(hu, View((BRAIN,), size=16), draw_augmentation(MOVED, 3, rng))
    assert torch.equal(hu, before)


def test_integers_reach_a_device_as_they_are() -> None:
    values = np.arange(-8, 8, dtype=np.int16).reshape(1, 1, 4, 4)
    there = to_device(values, torch.device("cpu"))
    assert there.dtype == torch.int16
    np.testing.assert_array_equal(there.numpy(), values)
    assert to_device(values, torch.device("meta")).shape == values.shape


def test_a_view_is_made_on_the_device_where_its_slices_are() -> None:
    """A device without values stands for a GPU: every step runs there, or torch refuses."""
    view = View((BRAIN, SUBDURAL, BONE), neighbors=1, size=16)
    drawn = draw_augmentation(MOVED, 4, np.random.default_rng(0))
    there = to_view(torch.zeros(4, 3, 32, 32, dtype=torch.int16, device="meta"), view, drawn)
    assert there.device.type == "meta"
    assert there.shape == (4, 9, 16, 16)
    assert there.dtype == torch.float32
