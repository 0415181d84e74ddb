"""exports/films.py: frames of one stack become a GIF or an MP4 file, all on one scale."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path

import numpy as np

from wetread.archive.types import UInt8Array
from wetread.outputs.optional import import_optional

FRAMES_PER_SECOND = 10
_SHIFTS = np.array([16, 8, 0], np.uint32)  # of red, green and blue in one number
PALETTE_SIZE = 256  # of a GIF's one palette
FrameIterator = Iterator[UInt8Array]
WriteFilm = Callable[[Path, FrameIterator, int], tuple[int, int]]


def write_gif(path: Path, frames: FrameIterator, quality: int) -> tuple[int, int]:
    """Write frames as a GIF that runs in a loop; return its rows and columns.

    frames: (rows, columns) or (rows, columns, 3) uint8, red first, alike in shape. Gray is kept
    exactly. Colors go through one palette of 256, the same in every frame, each to the nearest of
    it: exactly where the film has no more than so many. quality has no effect.
    """
    imaging = import_optional("PIL.Image")
    shown = list(frames)
    if shown[0].ndim == 2:
        pictures = [imaging.fromarray(frame) for frame in shown]
    else:
        palette, numbers = _in_one_palette(shown)
        pictures = [imaging.fromarray(frame, "P") for frame in numbers]
        for picture in pictures:
            picture.putpalette(palette.tobytes())
    pictures[0].save(
        path,
        format="GIF",
        save_all=True,
        append_images=pictures[1:],
        duration=1000 // FRAMES_PER_SECOND,
        loop=0,
        optimize=False,
    )
    return pictures[0].height, pictures[0].width


def write_mp4(path: Path, frames: FrameIterator, quality: int) -> tuple[int, int]:
    """Write frames as H.264, yuv420p, which every player shows; return its rows and columns.

    frames: (rows, columns) or (rows, columns, 3) uint8, red first, alike in shape; an odd last row
    or column is doubled. quality: 1 to 100, H.264's rate factor from 51 to 0. OSError where the
    film was not written whole.
    """
    first = next(frames)
    rows, columns = (side + side % 2 for side in first.shape[:2])
    writer = import_optional("imageio_ffmpeg").write_frames(
        os.path.abspath(path),  # a colon in it names no protocol
        (columns, rows),
        fps=FRAMES_PER_SECOND,
        codec="libx264",
        pix_fmt_in="gray" if first.ndim == 2 else "rgb24",
        pix_fmt_out="yuv420p",
        macro_block_size=1,
        ffmpeg_log_level="quiet",
        output_params=["-crf", str(round(51 * (1 - quality / 100))), "-f", "mp4"],
    )
    with closing(writer):
        writer.send(None)
        for frame in chain([first], frames):
            writer.send(_pad_to_even(frame, rows, columns).tobytes())
    _require_whole(path)
    return rows, columns


def _require_whole(path: Path) -> None:
    """Raise OSError where a film ends before its index (ISO 14496-12: the box `moov`).

    The program that writes it reports no error when the disk is full.
    """
    size, at, kinds = path.stat().st_size, 0, set()
    with path.open("rb") as file:
        while at < size:
            file.seek(at)
            head = file.read(16)
            length = int.from_bytes(head[:4], "big")
            length = int.from_bytes(head[8:], "big") if length == 1 else length
            if length < 8:
                break
            kinds.add(head[4:8])
            at += length
        if at == size and b"moov" in kinds:
            return
    with path.open("ab", buffering=0) as file:  # says why
        file.write(bytes(1 << 16))
    raise OSError(errno.EIO, "the film was not written whole", str(path))


def _pad_to_even(frame: UInt8Array, rows: int, columns: int) -> UInt8Array:
    """Return the frame with its last row and column doubled where its sides are odd."""
    grow = [(0, rows - frame.shape[0]), (0, columns - frame.shape[1])]
    return np.pad(frame, [*grow, (0, 0)][: frame.ndim], mode="edge")


def _in_one_palette(frames: list[UInt8Array]) -> tuple[UInt8Array, list[UInt8Array]]:
    """Return the palette (n, 3) and each frame (rows, columns) as uint8 numbers in it."""
    packed = [(frame.astype(np.uint32) << _SHIFTS).sum(axis=2, dtype=np.uint32) for frame in frames]
    found = np.unique(np.concatenate([np.unique(frame) for frame in packed]))
    colors = (found[:, None] >> _SHIFTS).astype(np.uint8)
    palette = colors if len(colors) <= PALETTE_SIZE else _median_cut(colors)
    nearest = _nearest(colors, palette)
    return palette, [nearest[np.searchsorted(found, frame)] for frame in packed]


def _median_cut(colors: UInt8Array) -> UInt8Array:
    """Return colors (PALETTE_SIZE, 3) uint8 that stand for (n, 3)."""
    imaging = import_optional("PIL.Image")
    few = imaging.fromarray(colors[None]).quantize(PALETTE_SIZE, imaging.Quantize.MEDIANCUT)
    return np.array(few.getpalette(), np.uint8).reshape(-1, 3)


def _nearest(colors: UInt8Array, palette: UInt8Array) -> UInt8Array:
    """Return (n,), for each color of (n, 3) the number of the nearest in the palette (m, 3)."""
    entries = palette.astype(np.int32)
    found = [
        ((some[:, None].astype(np.int32) - entries) ** 2).sum(axis=2).argmin(axis=1)
        for some in np.array_split(colors, 1 + len(colors) // 4096)
    ]
    return np.concatenate(found).astype(np.uint8)


FILM_WRITERS: dict[str, WriteFilm] = {"gif": write_gif, "mp4": write_mp4}
