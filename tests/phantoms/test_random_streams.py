"""tests/phantoms/test_random_streams.py: streams of one seed are repeatable and independent."""

import numpy as np

from wetread.phantoms.random_streams import Stream, generator, seed_sequence


def test_equal_arguments_give_equal_draws():
    one, two = (generator(5, Stream.BODY, 3).random(8) for _ in range(2))
    assert np.array_equal(one, two)


def test_streams_numbers_and_seeds_differ_from_one_another():
    keys = [(seed, stream, number) for seed in (0, 1) for stream in Stream for number in range(4)]
    draws = {generator(seed, stream, number).random() for seed, stream, number in keys}
    assert len(draws) == len(keys)


def test_a_stream_is_the_spawn_key_of_the_seed():
    spawned = np.random.default_rng(np.random.SeedSequence(7, spawn_key=(1, 12)))
    assert generator(7, Stream.STUDY, 12).random() == spawned.random()
    assert seed_sequence(7, Stream.PATIENTS).spawn_key == (2,)
