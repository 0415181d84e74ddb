"""tests/exports/test_formats.py: what an export can be asked for, and what does not go together."""

import json

import pytest

from wetread.exports.formats import EXPORT_FORMATS, ExportOptions, parse_crop


def test_every_format_has_an_ending_of_its_own() -> None:
    endings = [known.ending for known in EXPORT_FORMATS.values()]
    assert len(set(endings)) == len(endings)
    assert all(ExportOptions(format=name).ending.startswith(".") for name in EXPORT_FORMATS)


def test_a_crop_is_a_box_of_pixels_or_a_word() -> None:
    assert parse_crop("none") is None
    assert parse_crop("head") is None
    assert parse_crop("0,512,10, 500") == (0, 512, 10, 500)


@pytest.mark.parametrize("crop", ["1,2,3", "a,b,c,d", "5,5,1,2", "-1,5,1,2", ""])
def test_a_crop_that_is_no_box_is_refused(crop: str) -> None:
    with pytest.raises(ValueError, match="crop"):
        parse_crop(crop)


def test_neighbors_become_the_offsets_of_a_mode_with_one_window() -> None:
    assert ExportOptions(format="png", window="brain", neighbors=1).mode.offsets == (-1, 0, 1)
    with pytest.raises(ValueError, match="leave `neighbors` out"):
        ExportOptions(format="png", window="pe-3slice", neighbors=1)


def test_the_quality_is_the_one_asked_for_else_the_formats_else_0() -> None:
    assert ExportOptions(format="jpeg", quality=30).lossy_quality == 30
    assert ExportOptions(format="jpeg").lossy_quality == 95
    assert ExportOptions(format="png").lossy_quality == 0


def test_settings_are_plain_values_under_the_names_that_folders_hold() -> None:
    settings = ExportOptions(format="npy", spacing_mm=(1.0, 0.5, 0.5)).to_dict()
    assert settings["spacing_mm"] == [1.0, 0.5, 0.5]
    assert "neighbours" in settings
    assert json.loads(json.dumps(settings)) == settings


def test_the_text_of_the_settings_stays_as_earlier_exports_have_it_in_their_keys() -> None:
    assert ExportOptions(format="png", window="brain", neighbors=1).fingerprint == (
        "Wanted(format='png', window='brain', size=None, neighbours=1, frames=None, crop='none', "
        "depth=8, spacing_mm=None, mask=None, annotate='none', quality=None)"
    )
