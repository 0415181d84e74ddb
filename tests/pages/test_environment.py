"""tests/pages/test_environment.py: templates escape text, and fail where a name is not given."""

import base64

import jinja2
import numpy as np
import pytest

from wetread.outputs.pictures import png_bytes
from wetread.pages.environment import counted, listed, page_environment, percent, spaced_words


def test_text_is_escaped_and_a_missing_name_is_an_error() -> None:
    template = page_environment().from_string("{{ text }}")
    assert template.render(text="<b>&") == "&lt;b&gt;&amp;"
    with pytest.raises(jinja2.UndefinedError):
        template.render()


def test_a_picture_becomes_an_address_that_holds_its_bytes() -> None:
    image = png_bytes(np.zeros((2, 2), np.uint8))
    address = page_environment().from_string("{{ image|data }}").render(image=image)
    head, _, content = address.partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(content) == image


def test_numbers_and_names_are_written_for_readers() -> None:
    assert spaced_words("held_out") == "held out"
    assert (percent(0.157), percent(0.0012), percent(None)) == ("15.7 %", "0.12 %", "–")
    assert (counted(1, "images"), counted(5, "studies")) == ("1 image", "5 studies")
    assert (listed(["brain", "bone"]), listed([]), listed(None), listed(3)) == (
        "brain, bone", "none", "none", "3",
    )  # fmt: skip
