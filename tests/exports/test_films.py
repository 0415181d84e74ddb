"""tests/exports/test_films.py: a film has one scale: the same value is the same grey, or colour, in
every frame."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from wetread.exports.films import _require_whole, write_gif, write_mp4
from wetread.view.mode import apply_mode, as_picture, find_mode

iio = pytest.importorskip("imageio.v3")
ffmpeg = pytest.importorskip("imageio_ffmpeg")
RNG = np.random.default_rng(0)
# yuv420p has 219 levels of grey for 256: going there and back costs up to 1, in all frames alike.
# The rest is what H.264 leaves out of a block at rate factor 13, and its mean is nothing.
MP4_GREY, MP4_MEAN, MP4_DRIFT = 4, 1.0, 0.3


def moving_patch(count: int, shape: tuple[int, int] = (64, 80)) -> Iterator[np.ndarray]:
    """HU: a ramp that stays and, beside it, a background that is brighter in every frame."""
    for number in range(count):
        hu = np.full(shape, -200.0 + 150 * number)
        hu[:, :40] = np.linspace(-100, 200, 40)
        yield hu


def read_mp4(path: Path, columns: int, rows: int) -> tuple[str, np.ndarray]:
    """(what ffmpeg says of the file, its frames (n, rows, columns, 3) uint8)."""
    command = [ffmpeg.get_ffmpeg_exe(), "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    done = subprocess.run(command, check=True, capture_output=True)
    return done.stderr.decode(), np.frombuffer(done.stdout, np.uint8).reshape(-1, rows, columns, 3)


def test_a_gif_gives_back_every_grey_of_every_frame(tmp_path: Path) -> None:
    frames = RNG.integers(0, 256, (6, 33, 41), np.uint8)
    frames[3] = 7  # a frame of one grey does not change the scale of the others
    assert write_gif(tmp_path / "f.gif", iter(frames), 0) == (33, 41)
    back = iio.imread(tmp_path / "f.gif", mode="RGB")
    np.testing.assert_array_equal(back, np.repeat(frames[..., None], 3, axis=3))


@pytest.mark.parametrize("name", ["bsb", "gradient", "all-channels"])
def test_few_colours_come_back_exactly(name: str, tmp_path: Path) -> None:
    mode = find_mode(name)
    hu = RNG.choice(np.arange(-150, 1500, 13), (5, 20, 30)).astype(np.float32)
    frames = [as_picture(apply_mode([one], mode)) for one in hu]
    assert len(np.unique(np.concatenate(frames).reshape(-1, 3), axis=0)) <= 256
    write_gif(tmp_path / "f.gif", iter(frames), 0)
    np.testing.assert_array_equal(iio.imread(tmp_path / "f.gif", mode="RGB"), frames)


def test_many_colours_share_one_palette(tmp_path: Path) -> None:
    """One value, one colour in all frames, near the true one, though no frame has all of them."""
    mode = find_mode("bsb")
    hu = np.concatenate(list(moving_patch(12, (40, 80)))).reshape(12, 40, 80)
    hu += np.linspace(0, 120, 40)[:, None]
    frames = np.stack([as_picture(apply_mode([one], mode)) for one in hu])
    assert len(np.unique(frames.reshape(-1, 3), axis=0)) > 256
    write_gif(tmp_path / "f.gif", iter(frames), 0)
    back = iio.imread(tmp_path / "f.gif", mode="RGB")
    pairs = np.unique(np.concatenate([frames, back], axis=3).reshape(-1, 6), axis=0)
    assert len(pairs) == len(np.unique(frames.reshape(-1, 3), axis=0))
    assert np.abs(back.astype(int) - frames).max() <= 24
    assert len(np.unique(back.reshape(-1, 3), axis=0)) <= 256


def test_an_mp4_keeps_one_scale_within_the_codecs_tolerance(tmp_path: Path) -> None:
    mode = find_mode("40/400")
    frames = np.stack([as_picture(apply_mode([hu], mode)) for hu in moving_patch(9)])
    assert write_mp4(tmp_path / "f.mp4", iter(frames), 75) == (64, 80)
    about, back = read_mp4(tmp_path / "f.mp4", 80, 64)
    assert re.search(r"Video: h264 .*yuv420p", about)
    assert back.shape == (9, 64, 80, 3)
    ramp = back[:, 4:60, 2:36].astype(int)  # away from the edge beside it
    off = ramp - frames[:, 4:60, 2:36, None]
    assert np.abs(off).max() <= MP4_GREY
    by_frame = off.mean(axis=(1, 2, 3))
    assert np.abs(by_frame).max() <= MP4_MEAN
    assert np.ptp(by_frame) <= MP4_DRIFT


def test_an_mp4_of_odd_sides_doubles_its_last_row_and_column(tmp_path: Path) -> None:
    frames = np.full((3, 33, 47), 128, np.uint8)
    assert write_mp4(tmp_path / "f.mp4", iter(frames), 75) == (34, 48)
    _, back = read_mp4(tmp_path / "f.mp4", 48, 34)
    assert back.shape == (3, 34, 48, 3)
    assert np.abs(back.astype(int) - 128).max() <= MP4_GREY


def test_an_mp4_keeps_its_colours_apart(tmp_path: Path) -> None:
    frame = np.zeros((48, 48, 3), np.uint8)
    frame[:, :16], frame[:, 16:32], frame[:, 32:] = (200, 30, 30), (30, 200, 30), (30, 30, 200)
    write_mp4(tmp_path / "f.mp4", iter([frame] * 3), 90)
    _, back = read_mp4(tmp_path / "f.mp4", 48, 48)
    for middle in (8, 24, 40):
        assert np.abs(back[1, 24, middle].astype(int) - frame[24, middle]).max() <= 6


def test_a_lower_quality_is_smaller(tmp_path: Path) -> None:
    frames = RNG.integers(0, 256, (4, 64, 64), np.uint8)
    write_mp4(tmp_path / "a.mp4", iter(frames), 90)
    write_mp4(tmp_path / "b.mp4", iter(frames), 30)
    assert (tmp_path / "b.mp4").stat().st_size < (tmp_path / "a.mp4").stat().st_size


def test_a_film_that_the_disk_did_not_take_is_no_film(tmp_path: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 255, (4, 64, 64), np.uint8)
    write_mp4(tmp_path / "f:1.mp4", iter(frames), 90)
    _require_whole(tmp_path / "f:1.mp4")
    whole = (tmp_path / "f:1.mp4").read_bytes()
    for content in (whole[:-9], whole[: whole.rindex(b"moov") - 4], b""):
        (tmp_path / "f:1.mp4").write_bytes(content)
        with pytest.raises(OSError, match="not written whole"):
            _require_whole(tmp_path / "f:1.mp4")
