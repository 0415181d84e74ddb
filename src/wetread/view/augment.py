"""view/augment.py: chance is drawn here, as numbers; device.py applies them."""

from dataclasses import dataclass, fields

import numpy as np

from wetread.archive.types import BoolArray, Float32Array, Int64Array


@dataclass(frozen=True)
class Strengths:
    """How far an image may be changed; zeros change nothing.

    flip:           chance of a left-right mirror, 0..1.
    rotate_degrees: largest rotation either way.
    scale:          largest change of size, as a share (0.12: from 0.88 to 1.12 times).
    shift:          largest shift along rows and columns, as a share of the image.
    hu_shift:       largest brightness shift either way, HU (or gray of a radiograph).
    contrast:       largest change of contrast about the image's mean, as a share.
    hu_scale:       largest change of HU about water, as a share.
    soften:         largest sigma of a softer kernel, pixels.
    sharpen:        largest overshoot of a sharper kernel, as a share of what a Gaussian takes away;
                    an image is softened or sharpened, never both.
    resolution:     largest loss of resolution, as a share of the pixels along each axis.
    noise_hu:       largest standard deviation of white noise, HU.
    gamma:          largest log, either way, of the exponent that the view's gray is raised to.
    """

    flip: float = 0.0
    rotate_degrees: float = 0.0
    scale: float = 0.0
    shift: float = 0.0
    hu_shift: float = 0.0
    contrast: float = 0.0
    hu_scale: float = 0.0
    soften: float = 0.0
    sharpen: float = 0.0
    resolution: float = 0.0
    noise_hu: float = 0.0
    gamma: float = 0.0


@dataclass(frozen=True, eq=False)
class Augmentation:
    """Random changes of N images; every array is (N,), radians, shares, pixels and HU.

    noise_seeds: of each image's noise, so that it does not depend on the batch it is in.
    """

    flip: BoolArray
    angle: Float32Array
    scale: Float32Array
    shift_rows: Float32Array
    shift_columns: Float32Array
    hu_shift: Float32Array
    contrast: Float32Array
    hu_scale: Float32Array
    soften: Float32Array
    sharpen: Float32Array
    resolution: Float32Array
    noise_hu: Float32Array
    noise_seeds: Int64Array
    gamma: Float32Array

    def __len__(self) -> int:
        return len(self.flip)

    def select(self, places: Int64Array) -> "Augmentation":
        """Return what was drawn for the images at places (K,) alone."""
        drawn = {field.name: getattr(self, field.name)[places] for field in fields(self)}
        return Augmentation(**drawn)

    @property
    def only_flips(self) -> bool:
        """Whether nothing but flips was drawn: no pixel has to be sampled anew."""
        moved = (self.angle, self.scale - 1, self.shift_rows, self.shift_columns)
        changed = (self.hu_shift, self.contrast - 1, self.hu_scale - 1)
        blurred = (self.soften, self.sharpen, self.resolution - 1, self.noise_hu)
        return not any(values.any() for values in (*moved, *changed, *blurred))


def draw_augmentation(strengths: Strengths, n: int, rng: np.random.Generator) -> Augmentation:
    """Draw for n images; the same generator state gives the same numbers."""

    def uniform(limit: float) -> Float32Array:
        """Draw (n,) float32 within the limit either way."""
        return rng.uniform(-limit, limit, n).astype(np.float32)

    def share() -> Float32Array:
        """Draw (n,) float32 in [0, 1)."""
        return rng.random(n, dtype=np.float32)

    # New draws go last: equal seeds go on to move and brighten images as in earlier versions.
    return Augmentation(
        flip=rng.random(n) < strengths.flip,
        angle=uniform(float(np.deg2rad(strengths.rotate_degrees))),
        scale=1 + uniform(strengths.scale),
        shift_rows=uniform(strengths.shift),
        shift_columns=uniform(strengths.shift),
        hu_shift=uniform(strengths.hu_shift),
        contrast=1 + uniform(strengths.contrast),
        hu_scale=1 + uniform(strengths.hu_scale),
        soften=np.maximum(-(kernel := uniform(1.0)), 0) * np.float32(strengths.soften),
        sharpen=np.maximum(kernel, 0) * np.float32(strengths.sharpen),
        resolution=1 - share() * np.float32(strengths.resolution),
        noise_hu=share() * np.float32(strengths.noise_hu),
        noise_seeds=rng.integers(0, 2**62, n),
        gamma=np.exp(uniform(strengths.gamma)),
    )
