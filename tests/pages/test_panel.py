"""tests/pages/test_panel.py: the label of a window, and a picture's media type by its bytes."""

import numpy as np
import pytest

from wetread.outputs.pictures import jpeg_bytes, png_bytes
from wetread.pages.panel import media_type, window_label
from wetread.view.window import BRAIN, WINDOWS, Window


def test_a_known_window_has_its_name_and_an_own_one_its_numbers() -> None:
    assert window_label(BRAIN) == "brain window (center 40, width 80 HU)"
    assert window_label(WINDOWS["soft_head"]).startswith("soft head window (center ")
    assert window_label(Window(41, 83.5)) == "window: center 41, width 83.5 HU"
    assert window_label(WINDOWS["display"]) == "the film as displayed"


def test_the_bytes_say_what_a_picture_is() -> None:
    picture = np.zeros((8, 8), np.uint8)
    assert media_type(png_bytes(picture)) == "image/png"
    assert media_type(jpeg_bytes(picture)) == "image/jpeg"
    with pytest.raises(ValueError, match="PNG and JPEG"):
        media_type(b"GIF89a")
