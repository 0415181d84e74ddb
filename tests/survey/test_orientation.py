"""tests/survey/test_orientation.py: products of parts are those of turned pictures."""

import numpy as np
import pytest

from wetread.survey.fingerprint import split_mask
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
