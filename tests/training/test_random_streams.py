"""tests/training/test_random_streams.py: a number depends on seed, purpose and place alone."""

from itertools import product

import numpy as np

from wetread.training.random_streams import RandomStream, make_generator


def test_purposes_seeds_and_places_draw_different_numbers_each_the_same_again() -> None:
    keys = list(product((0, 1), RandomStream, ((), (0,), (0, 1), (1, 0))))
    drawn = [make_generator(seed, stream, *place).integers(2**62) for seed, stream, place in keys]
    again = [make_generator(seed, stream, *place).integers(2**62) for seed, stream, place in keys]
    assert drawn == again
    assert len({stream.value for stream in RandomStream}) == len(RandomStream)
    # A trailing zero is no place of its own for NumPy's seeds: (seed, stream) and (..., 0) agree.
    assert len(set(drawn)) >= len(keys) * 3 // 4


def test_the_numbers_are_those_of_the_runs_that_there_are() -> None:
    """A purpose's number may never change: a run would go on with other slices."""
    assert {stream.name: stream.value for stream in RandomStream} == {
        "SLICE_ORDER": 1,
        "NEGATIVES": 2,
        "AUGMENTATION": 3,
        "SERIES_ORDER": 4,
        "SERIES_MIRROR": 5,
        "JOINT_ORDER": 6,
        "JOINT_SLICES": 7,
        "SERIES_SLICES": 8,
        "GRAFTS": 9,
        "MIXED": 10,
        "DROPOUT": 11,
    }
    ours = make_generator(3, RandomStream.AUGMENTATION, 5, 7).random(4)
    np.testing.assert_array_equal(ours, np.random.default_rng([3, 3, 5, 7]).random(4))
