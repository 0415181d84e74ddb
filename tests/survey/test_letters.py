"""tests/survey/test_letters.py: burnt-in text is found; bones and noise are no text."""

import cv2
import numpy as np
import pytest

from wetread.archive.types import Float32Array
from wetread.survey.letters import count_letters


def chest() -> Float32Array:
    """A picture of smooth bright and dark parts, with noise: (400, 400) float32."""
    rng = np.random.default_rng(0)
    picture = cv2.GaussianBlur(rng.normal(size=(400, 400)).astype(np.float32), (0, 0), 25)
    picture = 1000 * (picture - picture.min()) / np.ptp(picture)
    return np.ascontiguousarray(picture + rng.normal(scale=8, size=picture.shape), np.float32)


def written(text: str, scale: float, value: float) -> Float32Array:
    """The picture with a text in one value."""
    picture, mask = chest(), np.zeros((400, 400), np.uint8)
    for place, letter in enumerate(text):  # apart, as consoles write them
        at = (40 + round(30 * scale * place), 60)
        cv2.putText(mask, letter, at, cv2.FONT_HERSHEY_SIMPLEX, scale, (255,), 1)
    picture[mask > 0] = value
    return picture


@pytest.mark.parametrize("value", [-200.0, 1300.0])
@pytest.mark.parametrize("scale", [0.5, 0.8, 1.4])
def test_a_line_of_letters_is_counted(scale: float, value: float) -> None:
    assert 7 <= count_letters(written("PORTABLE", scale, value)) <= 9


def test_a_side_marker_is_no_text() -> None:
    assert count_letters(written("L", 1.5, 1500.0)) < 3


def test_anatomy_noise_and_a_constant_picture_have_no_letters() -> None:
    assert count_letters(chest()) < 3
    assert count_letters(np.zeros((50, 50), np.float32)) == 0
    noise = np.random.default_rng(1).random((300, 300), np.float32)
    assert count_letters(noise) < 4
