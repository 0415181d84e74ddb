"""tests/survey/test_fingerprint.py: fingerprints turn with their image; some show nothing."""

import numpy as np
import pytest

from wetread.survey.fingerprint import MASKED, correlate, digest, fingerprint
from wetread.survey.orientation import NAMES, turn


@pytest.mark.parametrize("number", range(len(NAMES)))
@pytest.mark.parametrize("shape", [(300, 200), (96, 130), (131, 257)])
def test_the_fingerprint_of_a_turned_image_is_the_turned_fingerprint(
    shape: tuple[int, int], number: int
) -> None:
    values = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    upright = fingerprint(values)
    turned = fingerprint(np.ascontiguousarray(turn(values, number)))
    assert correlate(turned.fine, turn(upright.fine, number))[0] > 0.999
    assert correlate(turned.coarse, turn(upright.coarse, number))[0] > 0.999


def test_a_digest_is_of_shape_and_values() -> None:
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert digest(values) == digest(values.copy(order="F"))
    assert digest(values) != digest(values.reshape(3, 2))
    assert digest(np.zeros((1, 2), np.float32)) == digest(-np.zeros((1, 2), np.float32))


def test_a_constant_image_shows_nothing() -> None:
    found = fingerprint(np.full((40, 30), 7, np.float32))
    assert found.digest is None
    assert (found.coarse == MASKED).all()
    assert (found.fine == MASKED).all()
    assert correlate(found.fine, found.fine) == (0.0, 0.0)


def test_small_pictures_have_exact_copies_alone() -> None:
    """Enlarged they hold shapes and no noise: slices of other heads would be alike."""
    small = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
    assert (fingerprint(small).fine == MASKED).all()
    assert fingerprint(small).digest == fingerprint(small.copy()).digest
    assert not (fingerprint(np.tile(small, (2, 2))).fine == MASKED).all()
