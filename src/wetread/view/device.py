"""view/device.py: HU to network input, batch by batch, in torch: where the model is, it runs."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from wetread.archive.types import Float32Array, Int64Array, NumberArray
from wetread.study.hu import AIR_HU
from wetread.view.augment import Augmentation
from wetread.view.mode import Mode, mix_grays, window_slices
from wetread.view.view import View
from wetread.view.window import Window

CACHED_PIXELS = 2**18  # 1 MiB of float32: what a core has for itself
SHARP_PIXELS = 1.0  # sigma of the Gaussian that a sharper kernel takes away


def to_view(hu: Tensor, view: View, augmentation: Augmentation | None = None) -> Tensor:
    """Map HU (B, 1 + 2k, H, W) float32 or int16 to a view (B, C, size, size) float32 in [0, 1].

    With an augmentation each image is moved by its own affine map, its HU shifted and its gray
    raised to its gamma, all its slices alike; what comes in from outside is air. ValueError where
    the slices are not 1 + 2k.
    """
    if hu.ndim != 4 or hu.shape[1] != view.slices:
        raise ValueError(
            f"a view of {view.slices} slices needs HU of shape (B, {view.slices}, H, W), "
            f"not {tuple(hu.shape)}"
        )
    shape = (len(hu), view.slices, view.mode.channels, view.size, view.size)
    gray = _empty(shape, hu.device)
    change = _change if augmentation is None or not augmentation.only_flips else _flip
    for part in _at_a_time(hu, augmentation):
        sized = resize(hu[part].float(), view.size)  # (b, 1 + 2k, size, size)
        if augmentation is not None:
            sized = change(sized, augmentation.select(np.arange(len(hu))[part]))
        _apply_mode(sized, view.mode, gray[part])
    gray = gray.flatten(1, 2)  # (B, C, size, size)
    if augmentation is None or (augmentation.gamma == 1).all():
        return gray
    return gray.clamp(0, 1) ** _per_image(augmentation.gamma, gray)


def to_device(values: NumberArray, device: torch.device) -> Tensor:
    """Copy an array (any shape) to a device; to a GPU from pinned memory, the host going on."""
    host = torch.from_numpy(values)
    if device.type == "cuda":
        return host.pin_memory().to(device, non_blocking=True)
    return host.to(device)


def _empty(shape: tuple[int, ...], device: torch.device) -> Tensor:
    """Allocate float32 of a shape. On a CPU by NumPy, which asks the system for large pages: by
    small ones it takes longer to get a batch's memory than to fill it."""
    if device.type == "cpu":
        return torch.from_numpy(np.empty(shape, np.float32))
    return torch.empty(shape, device=device)


def _at_a_time(hu: Tensor, augmentation: Augmentation | None) -> list[slice]:
    """Part a batch (B, S, H, W) into what is changed at a time: on a CPU few images, since what one
    step leaves is then in the cache for the next."""
    whole = hu.device.type != "cpu"
    if augmentation is not None:  # these round by what else is in the batch
        whole |= bool((augmentation.contrast != 1).any())
        whole |= bool((augmentation.soften + augmentation.sharpen > 0).any())
    step = max(1, len(hu) if whole else CACHED_PIXELS * len(hu) // max(1, hu.numel()))
    return [slice(start, start + step) for start in range(0, len(hu), step)]


def apply_mode_to_batch(hu: Tensor, mode: Mode) -> Tensor:
    """Map HU (B, S, H, W) to (B, S, channels, H, W) in [0, 1], each slice by its mode."""
    gray = _empty((*hu.shape[:2], mode.channels, *hu.shape[2:]), hu.device)
    _apply_mode(hu, mode, gray)
    return gray


def _apply_mode(hu: Tensor, mode: Mode, gray: Tensor) -> None:
    """Map HU (B, S, H, W) into gray (B, S, channels, H, W)."""
    curves = {window.curve for window in mode.windows}
    if mode.mix == "channels" and curves == {"linear_exact"} and not mode.slicewise:
        _linear_exact(hu, mode.windows, gray)
    else:
        mixed = mix_grays(window_slices([hu], mode, torch), mode, torch)
        torch.stack(list(mixed), 2, out=gray)


def mix_batch(hu: Tensor, mode: Mode) -> Tensor:
    """Map HU (B, S, H, W) to (B, S, channels, H, W) in [0, 1] in whole operations, as a graph of
    ONNX has them."""
    return torch.stack(mix_grays(window_slices([hu], mode, torch), mode, torch), 2)


def _linear_exact(hu: Tensor, windows: Sequence[Window], gray: Tensor) -> None:
    """Map HU (B, S, H, W) into gray (B, S, windows, H, W): the commonest mode, all windows in one
    go; on a CPU slice by slice, for its cache."""
    low = torch.tensor([window.low_hu for window in windows], device=hu.device)[:, None, None]
    width = torch.tensor([window.width_hu for window in windows], device=hu.device)[:, None, None]
    whole = [(hu[:, :, None], gray)]
    one_by_one = zip(hu.flatten(0, 1), gray.flatten(0, 1), strict=True)
    for values, out in one_by_one if hu.device.type == "cpu" else whole:
        torch.sub(values, low, out=out)
        out.div_(width).clamp_(0.0, 1.0)


def resize(hu: Tensor, size: int) -> Tensor:
    """Resize (B, S, H, W) to (B, S, size, size): area means to shrink, bilinear to grow."""
    if hu.shape[2:] == (size, size):
        return hu
    if min(hu.shape[2:]) >= size:
        return functional.interpolate(hu, (size, size), mode="area")
    return functional.interpolate(hu, (size, size), mode="bilinear", align_corners=False)


def augment_hu(hu: Tensor, augmentation: Augmentation) -> Tensor:
    """Augment HU (B, S, H, W): flip, rotate, scale, shift (one affine sampling), contrast, HU
    scale and shift, kernel, resolution, noise.

    What comes in from outside is air.
    """
    return (_flip if augmentation.only_flips else _change)(hu, augmentation)


def _change(hu: Tensor, augmentation: Augmentation) -> Tensor:
    """Augment HU (B, S, H, W), every pixel sampled anew."""
    above_air = _sample_affine(hu - AIR_HU, augmentation)  # new, so that it may change in place
    if (augmentation.contrast != 1).any():
        mean = above_air.mean((1, 2, 3), keepdim=True)
        above_air = mean + (above_air - mean) * _per_image(augmentation.contrast, hu)
    changed = above_air.add_(AIR_HU)
    if (augmentation.hu_scale != 1).any():
        changed = changed * _per_image(augmentation.hu_scale, hu)
    changed = change_kernel(changed, augmentation.soften, augmentation.sharpen)
    changed = lose_resolution(changed, augmentation.resolution)
    changed = add_noise(changed, augmentation.noise_hu, augmentation.noise_seeds)
    return changed.add_(_per_image(augmentation.hu_shift, hu))


def change_kernel(hu: Tensor, soften: Float32Array, sharpen: Float32Array) -> Tensor:
    """Blur each image (B, S, H, W) by a Gaussian, or let its edges overshoot.

    soften: (B,) sigma in pixels; sharpen: (B,) share of what a Gaussian of SHARP_PIXELS takes away
    that is added. Both 0 leave an image as it is.
    """
    sigma = np.where(sharpen > 0, np.float32(SHARP_PIXELS), soften)
    if not (sigma > 0).any():
        return hu
    reach = np.ceil(3 * sigma)[:, None]
    radius = int(reach.max())
    places = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 * (places / np.maximum(sigma, 1e-3)[:, None]) ** 2)
    weights *= np.abs(places) <= reach  # its own, whatever batch it is in
    weights /= weights.sum(axis=1, keepdims=True)
    batch, slices = hu.shape[:2]
    kernels = torch.as_tensor(weights, dtype=hu.dtype, device=hu.device)
    kernels = kernels.repeat_interleave(slices, 0)[:, None]
    low = hu.reshape(1, batch * slices, *hu.shape[2:])
    low = functional.pad(low, (radius, radius, radius, radius), mode="replicate")
    # Autocast would round HU to 8 bits.
    with torch.autocast(hu.device.type, enabled=False):
        low = functional.conv2d(low, kernels[..., None], groups=batch * slices)
        low = functional.conv2d(low, kernels[:, :, None], groups=batch * slices)
    low = low.reshape(hu.shape)
    amount = _per_image(np.where(sharpen > 0, sharpen, -1.0), hu)
    return torch.lerp(low, hu, 1 + amount)


def lose_resolution(hu: Tensor, resolution: Float32Array) -> Tensor:
    """Shrink each image (B, S, H, W) to a share of its pixels along each axis, and enlarge it."""
    if (resolution >= 1).all():
        return hu
    images = []
    for image, share in zip(torch.split(hu, 1), resolution.tolist(), strict=True):
        small = [max(1, round(side * share)) for side in hu.shape[2:]]
        if small != list(hu.shape[2:]):
            image = functional.interpolate(image, small, mode="area")
            image = functional.interpolate(image, hu.shape[2:], mode="bilinear")
        images.append(image)
    return torch.cat(images)


def add_noise(hu: Tensor, noise_hu: Float32Array, seeds: Int64Array) -> Tensor:
    """Add white noise to each image (B, S, H, W); noise_hu: (B,) its standard deviation; seeds:
    (B,) that decide it."""
    if not (noise_hu > 0).any():
        return hu
    shape = hu.shape[1:]
    noise = [np.random.default_rng(int(s)).standard_normal(shape, np.float32) for s in seeds]
    return hu + torch.from_numpy(np.stack(noise)).to(hu.device) * _per_image(noise_hu, hu)


def move_masks(masks: Tensor, augmentation: Augmentation, size: int) -> Tensor:
    """Move masks (B, M, H, W) float32 in [0, 1] as augment_hu moves their images, none outside, and
    average them to (B, M, size, size)."""
    flips = augmentation.only_flips
    return resize((_flip if flips else _sample_affine)(masks, augmentation), size)


def _per_image(values: object, reference: Tensor) -> Tensor:
    """Move numbers (B,) to a tensor (B, 1, 1, 1) on the reference's device."""
    numbers = torch.as_tensor(values, dtype=torch.float32, device=reference.device)
    return numbers[:, None, None, None]


def _flip(images: Tensor, augmentation: Augmentation) -> Tensor:
    return torch.where(_per_image(augmentation.flip, images).bool(), images.flip(-1), images)


def _sample_affine(images: Tensor, augmentation: Augmentation) -> Tensor:
    """Sample images (B, S, H, W), each through its own affine map; 0 from outside."""

    def tensor(values: object) -> Tensor:
        """Move (B,) numbers to the images' device."""
        return torch.as_tensor(values, dtype=torch.float32, device=images.device)

    cosine = tensor(augmentation.angle).cos() / tensor(augmentation.scale)
    sine = tensor(augmentation.angle).sin() / tensor(augmentation.scale)
    mirror = 1 - 2 * tensor(augmentation.flip)
    # Rows of the map from where a pixel comes out to where it is taken from: x is along columns.
    from_x = torch.stack([mirror * cosine, -sine, -2 * tensor(augmentation.shift_columns)], 1)
    from_y = torch.stack([mirror * sine, cosine, -2 * tensor(augmentation.shift_rows)], 1)
    rows, columns = images.shape[2:]
    maps = torch.stack([from_x, from_y], 2)  # (B, 3, 2)
    places = _places(rows, columns, images.device).expand(len(maps), -1, -1)
    # Autocast would round places to 8 bits, half a pixel of 128.
    with _float32(images.device):
        grid = torch.bmm(places, maps)
    grid = grid.reshape(len(maps), rows, columns, 2)
    return functional.grid_sample(images, grid, align_corners=False)


def _float32(device: torch.device) -> torch.autocast:
    """Open the context in which autocast changes no type; a device without values counts as CPU."""
    return torch.autocast("cuda" if device.type == "cuda" else "cpu", enabled=False)


@lru_cache(maxsize=4)
def _places(rows: int, columns: int, device: torch.device) -> Tensor:
    """List the places of pixels, (rows * columns, 3): x, y in (-1, 1) and 1, row by row."""
    with torch.inference_mode(mode=False), _float32(device):
        unmoved = torch.eye(2, 3, device=device)[None]
        places = functional.affine_grid(unmoved, [1, 1, rows, columns], align_corners=False)
        return functional.pad(places.reshape(-1, 2), (0, 1), value=1.0)
