"""training/random_streams.py: every purpose for which a training draws random numbers, numbered.

A number drawn depends on (seed, purpose, place) alone, never on what was drawn before: a run that
stops goes on at its step, and threads may read ahead in any order.
"""

from enum import IntEnum

import numpy as np


class RandomStream(IntEnum):
    """A purpose of random numbers. Numbers are never given again: runs would not repeat."""

    SLICE_ORDER = 1  # of an epoch
    NEGATIVES = 2  # which slices without finding an epoch takes
    AUGMENTATION = 3  # of a batch
    SERIES_ORDER = 4  # of an epoch of the sequence network
    SERIES_MIRROR = 5  # which series are learned mirrored
    JOINT_ORDER = 6  # of an epoch of joint training
    JOINT_SLICES = 7  # which slices of a series stand for it, and whether it is mirrored
    SERIES_SLICES = 8  # which slices of a long series stand for it
    GRAFTS = 9  # which negative slices get a lesion, and which
    MIXED = 10  # which phantoms a batch has
    DROPOUT = 11  # of a step in each of several processes


def make_generator(seed: int, stream: RandomStream, *place: int) -> np.random.Generator:
    """Make the generator of one purpose at one place (epoch, step)."""
    return np.random.default_rng([seed, int(stream), *place])
