"""phantoms/random_streams.py: the named generators of an archive, all from its one seed."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """The first part of a generator's spawn key: what the generator decides."""

    BODY = 0  # of a patient
    STUDY = 1  # what a study shows, and its pixels
    PATIENTS = 2  # which studies belong to one patient
    IDENTIFIERS = 3  # UIDs and patient IDs
    ACQUISITION = 4  # geometry and headers of a study, where they have a generator of their own


def seed_sequence(seed: int, stream: Stream, *numbers: int) -> np.random.SeedSequence:
    """Derive the seed of one stream; numbers: of the patient or the study it belongs to."""
    return np.random.SeedSequence(seed, spawn_key=(int(stream), *numbers))


def generator(seed: int, stream: Stream, *numbers: int) -> np.random.Generator:
    """Make the generator of one stream; equal arguments give equal draws."""
    return np.random.default_rng(seed_sequence(seed, stream, *numbers))
