"""tests/anatomy/conftest.py: stacks of slices at chosen places, volumes of them, phantoms."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest
from tests.phantoms.chest_ct_phantom import ChestCt, make_chest_ct

from wetread.phantoms.head.study import HeadStudy, make_head_study
from wetread.study.placement import SlicePlacement
from wetread.study.volume import Volume

Stack = Callable[..., SlicePlacement]
ToVolume = Callable[[np.ndarray, SlicePlacement], Volume]
SMALL: dict[str, Any] = {"slices": 45, "spacing_mm": (2.5, 2.4, 2.4), "size": 144}


@pytest.fixture(scope="session")
def stack() -> Stack:
    """stack(along_table_mm, tilt_degrees=0, spacing_mm=(1, 1), first=(0, 0, 0)) -> Place.

    As a gantry that is tilted moves: each slice lies further along the patient's z, its plane
    leaning by the tilt, so the stack is sheared.
    """

    def place(
        along_table_mm: Sequence[float],
        tilt_degrees: float = 0.0,
        spacing_mm: tuple[float, float] = (1.0, 1.0),
        first: tuple[float, float, float] = (0.0, 0.0, 0.0),
    ) -> SlicePlacement:
        along = np.asarray(along_table_mm, np.float64)
        angle = np.radians(tilt_degrees)
        orientation = np.array([1, 0, 0, 0, np.cos(angle), -np.sin(angle)])
        origins = np.asarray(first) + along[:, None] * np.array([0.0, 0.0, 1.0])
        return SlicePlacement(origins, orientation, spacing_mm, np.full(len(along), 5.0))

    return place


@pytest.fixture(scope="session")
def to_volume() -> ToVolume:
    """to_volume(hu, place): a volume without issues."""

    def volume(hu: np.ndarray, place: SlicePlacement) -> Volume:
        count = len(hu)
        return Volume(
            hu.astype(np.float32), place, ("",) * count, (), np.arange(count, dtype=float)
        )

    return volume


@pytest.fixture(scope="session")
def of_study(to_volume: ToVolume) -> Callable[[HeadStudy], Volume]:
    """of_study(study): a head phantom as the volume that its files would give."""

    def volume(study: HeadStudy) -> Volume:
        scan = study.scan
        place = SlicePlacement(
            np.array([scan.position_mm(k) for k in range(scan.slices)]),
            np.array(scan.orientation),
            (scan.pixel_mm, scan.pixel_mm),
            np.full(scan.slices, 5.0),
        )
        return to_volume(study.hu, place)

    return volume


@pytest.fixture(scope="session")
def healthy_head() -> HeadStudy:
    """A head without blood at 128 pixels."""
    return make_head_study(np.random.default_rng(3), scenario=(), size=128)


@cache
def make_small(seed: int, **changed: Any) -> ChestCt:
    return make_chest_ct(np.random.default_rng(seed), **(SMALL | changed))


@pytest.fixture(scope="session")
def chest() -> Callable[..., ChestCt]:
    """A small chest CT of a seed, made once; further words as of make_chest_ct."""
    return make_small
