"""tests/survey/test_damaged_ids.py: what was done to ids is found, and chance is not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetread.survey.damaged_ids import DAMAGES, find_damage


def hexadecimal(count: int, seed: int = 0) -> list[str]:
    """Names as those of the competition of 2019, some of which end in c and d."""
    return [f"ID_{n:09x}" for n in np.random.default_rng(seed).integers(16**9, size=count)]


def test_strip_of_an_ending_is_named_and_the_ids_are_found_again() -> None:
    """`name.strip('.dcm')` lost 12.5 % of one entry's images: ids that end in c or d."""
    images = hexadecimal(400)
    written = [f"{one}.dcm".strip(".dcm") for one in images]
    damage = find_damage(written, images)
    assert damage is not None
    assert "strip('.dcm')" in damage.words
    lost = {one: whole for one, whole in zip(written, images, strict=True) if one != whole}
    assert dict(damage.ids) == lost
    assert damage.missed == len(lost)


@pytest.mark.parametrize(
    ("images", "written", "words"),
    [
        (["0001234", "0005678"], ["1234", "5678"], "leading zeros"),
        (["IMG_abcd", "IMG_bcde"], ["img_abcd", "img_bcde"], "small letters"),
        (["12345678901234567890"], ["1.2345678901234567e+19"], "digits beyond 15"),
        (["123456789012345678"], ["1.23457E+17"], "spreadsheet"),
        (["study1_image1", "study2_image2"], ["image1", "image2"], "underscore"),
        (["1.2.840.11", "1.2.840.12"], ["1284011", "1284012"], "dots"),
    ],
)
def test_every_kind_of_damage_is_named(images: list[str], written: list[str], words: str) -> None:
    damage = find_damage(written, images)
    assert damage is not None
    assert words in damage.words
    assert len(damage.ids) == len(images)


def test_labels_of_other_images_are_not_called_damaged() -> None:
    assert find_damage(hexadecimal(300, seed=1), hexadecimal(300, seed=2)) is None
    assert find_damage(hexadecimal(3), hexadecimal(3)) is None


def test_an_id_that_two_images_may_have_been_is_not_given_to_either() -> None:
    damage = find_damage(["ID_ab12", "ID_ff00"], ["ID_ab12c", "ID_ab12d", "ID_ff00d"])
    assert damage is not None
    assert dict(damage.ids) == {"ID_ff00": "ID_ff00d"}
    assert damage.unsure == 1


@given(st.lists(st.text("0123456789abcdef", min_size=9, max_size=9), min_size=4, unique=True))
def test_a_damage_is_only_named_where_it_makes_the_very_ids(names: list[str]) -> None:
    images = [f"ID_{name}" for name in names]
    for how in DAMAGES.values():
        written = [how(one) for one in images]
        damage = find_damage(written, images)
        if damage is not None:
            explained = DAMAGES[damage.words]
            assert all(explained(whole) == one for one, whole in damage.ids.items())
