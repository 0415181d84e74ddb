"""tests/view/test_picture.py: a picture through the table is the picture through the formula, and
shows what was asked."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wetread.archive.dataset.luts import LookupTable, VoiWindow
from wetread.archive.rejects import RejectError
from wetread.study.boxes import PixelBox
from wetread.study.slices import Slice
from wetread.study.voi import present
from wetread.view.mode import MODES, apply_mode, as_picture, find_mode
from wetread.view.picture import DisplaySlice, RenderSettings, render_picture

ONE_SLICE = sorted(name for name, mode in MODES.items() if mode.windows and mode.offsets == (0,))
RNG = np.random.default_rng(5)


def ct(stored: np.ndarray, photometric: str = "MONOCHROME2", voi: object = None) -> DisplaySlice:
    one = Slice(stored, 1.0, -1024.0, None, "HU")
    return DisplaySlice(one, voi, photometric)  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)
@given(
    dtype=st.sampled_from(["u1", "i1", "u2", "i2"]),
    slope=st.sampled_from([1.0, 0.5, 2.0, -1.0]),
    intercept=st.sampled_from([0.0, -1024.0, -0.25]),
    padding=st.sampled_from([None, (-2000, -2000), (0, 3)]),
    unit=st.sampled_from(["HU", "grey"]),
    name=st.sampled_from(ONE_SLICE),
    seed=st.integers(0, 1000),
)
def test_the_table_gives_what_the_formula_gives(
    dtype: str,
    slope: float,
    intercept: float,
    padding: tuple[int, int] | None,
    unit: str,
    name: str,
    seed: int,
) -> None:
    limits = np.iinfo(dtype)
    stored = np.random.default_rng(seed).integers(limits.min, limits.max, (9, 12), dtype)
    one = Slice(stored, slope, intercept, padding, unit)
    mode = find_mode(name)
    shown = render_picture([DisplaySlice(one, None, "MONOCHROME2")], RenderSettings(mode))
    np.testing.assert_array_equal(shown, as_picture(apply_mode([one.values()], mode)))


def test_monochrome1_is_inverted_after_the_window() -> None:
    stored = RNG.integers(900, 1200, (6, 7)).astype(np.uint16)
    mode = find_mode("40/400")
    plain = render_picture([ct(stored)], RenderSettings(mode))
    turned = render_picture([ct(stored, "MONOCHROME1")], RenderSettings(mode))
    resized = render_picture([ct(stored, "MONOCHROME1")], RenderSettings(mode, size=7))
    assert plain.min() < 100 < 150 < plain.max()
    np.testing.assert_allclose(turned.astype(int), 255 - plain.astype(int), atol=1)  # both rounded
    np.testing.assert_array_equal(resized[:6], turned)


def test_a_slice_is_shown_as_its_header_wants_it() -> None:
    stored = RNG.integers(900, 1200, (6, 7)).astype(np.uint16)
    values = stored.astype(np.float64) - 1024
    for voi in (
        VoiWindow(30, 80, "SIGMOID"),
        LookupTable(-100, np.arange(200, dtype=np.uint16), 8),
        None,
    ):
        shown = render_picture([ct(stored, voi=voi)], RenderSettings(find_mode("metadata")))
        expected = np.rint(255 * present(values, voi, "MONOCHROME2"))
        np.testing.assert_allclose(shown, expected, atol=1e-9)


def test_neighbors_are_the_channels_in_order() -> None:
    stored = [np.full((4, 5), 1024 + hu, np.int16) for hu in (0, 40, 80)]
    shown = render_picture([ct(one) for one in stored], RenderSettings(find_mode("pe-3slice")))
    grays = [round(255 * (hu + 250) / 700) for hu in (0, 40, 80)]
    np.testing.assert_array_equal(shown, np.broadcast_to(grays, (4, 5, 3)))


def test_a_crop_is_cut_at_the_pictures_edge_and_refused_beside_it() -> None:
    stored = RNG.integers(0, 3000, (6, 7)).astype(np.uint16)
    whole = render_picture([ct(stored)], RenderSettings(find_mode("bsb")))
    part = render_picture([ct(stored)], RenderSettings(find_mode("bsb"), box=PixelBox(2, 9, -3, 4)))
    np.testing.assert_array_equal(part, whole[2:, :4])
    with pytest.raises(RejectError, match="outside a picture of 6 x 7"):
        render_picture([ct(stored)], RenderSettings(find_mode("bsb"), box=PixelBox(6, 9, 0, 4)))


def test_a_resized_picture_is_a_square_with_air_beside_the_slice() -> None:
    stored = np.full((4, 8), 1024 + 40, np.int16)
    shown = render_picture([ct(stored)], RenderSettings(find_mode("brain"), size=16))
    assert shown.shape == (16, 16)
    assert shown[8, 8] == 128
    assert (shown[0] == 0).all()
