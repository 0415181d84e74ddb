"""tests/survey/test_orientation.py: products of parts are those of turned pictures."""

import numpy as np
import pytest

from wetread.survey.fingerprint import MASKED, correlate, digest, fingerprint, split_mask
from wetread.survey.orientation import NAMES, even_and_odd, flipped_products, turn

PICTURES = np.random.default_rng(0).integers(-124, 125, (5, 8, 8)).astype(np.int8)


@pytest.mark.parametrize("number", range(len(NAMES)))
def test_products_of_parts_are_those_of_turned_pictures(number: int) -> None:
    pictures, _ = split_mask(PICTURES)
    other = pictures.transpose(0, 2, 1) if number >= 4 else pictures
    found = flipped_products(even_and_odd(pictures), even_and_odd(other))[number % 4]
    turned, _ = split_mask(np.stack([turn(picture, number) for picture in PICTURES]))
    expected = pictures.reshape(5, -1) @ turned.reshape(5, -1).T
    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize("number", range(len(NAMES)))
@pytest.mark.parametrize("shape", [(300, 200), (90, 64), (131, 257)])
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
