"""exports/formats.py: the files an export can write, and all its settings as one value.

To add a format: a line in FORMATS, and who writes it (stills.py, films.py or arrays.py).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from wetread.study.boxes import PixelBox
from wetread.view.mode import Mode, find_mode

Holds = Literal["slice", "film", "array"]
Annotation = Literal["none", "header", "identifiers"]


@dataclass(frozen=True)
class ExportFormat:
    """ending: of the file's name; holds: one slice as a picture, a stack as a film, or a stack as
    an array of values; needs: a library of the extra `pictures`; quality: what is taken where none
    is asked for, None where it means nothing.
    """

    ending: str
    holds: Holds
    needs: str | None = None
    quality: int | None = None


FORMATS: dict[str, ExportFormat] = {
    "png": ExportFormat(".png", "slice"),
    "jpeg": ExportFormat(".jpg", "slice", quality=95),
    "tiff": ExportFormat(".tiff", "slice", "tifffile"),
    "gif": ExportFormat(".gif", "film", "PIL.Image"),
    "mp4": ExportFormat(".mp4", "film", "imageio_ffmpeg", quality=75),
    "npy": ExportFormat(".npy", "array"),
    "npz": ExportFormat(".npz", "array"),
    "nifti": ExportFormat(".nii.gz", "array", "nibabel"),
}
DEEP = ("png", "tiff")  # formats that hold 16 bits


@dataclass(frozen=True)
class ExportOptions:
    """Everything that is asked of an export; what does not go together is a ValueError.

    format:     a name of FORMATS.
    window:     a mode of view/mode.py; pictures of 8 bits and films only.
    size:       side of the square that comes out, pixels; None: as the slice is.
    neighbours: k slices on either side are seen too, as channels (view/view.py).
    frames:     of a stack so many slices, evenly spread; None: all.
    crop:       "none", "head", or "row0,row1,column0,column1" in pixels.
    depth:      8: pictures for the eye; 16: the values themselves.
    spacing_mm: arrays at these distances (between slices, rows, columns); None: as they are.
    mask:       a file of the volume's own space; outside it arrays hold air.
    annotate:   "header" draws what the header says below the picture, "identifiers" also what
                identifies; "none": nothing is drawn.
    quality:    1 to 100, for the formats that lose something; None: the format's own.
    """

    format: str
    window: str = "metadata"
    size: int | None = None
    neighbours: int = 0
    frames: int | None = None
    crop: str = "none"
    depth: int = 8
    spacing_mm: tuple[float, float, float] | None = None
    mask: str | None = None
    annotate: Annotation = "none"
    quality: int | None = None

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise ValueError(f"no format {self.format!r}; known: {', '.join(FORMATS)}")
        for asked, where, option in self._out_of_place():
            if asked:
                raise ValueError(f"{option} is for {where}, not for {self.format}")
        parse_crop(self.crop)
        if self.depth not in (8, 16):
            raise ValueError(f"--depth is 8 or 16, not {self.depth}")
        if self.depth == 16 and (self.size or self.neighbours or self.annotate != "none"):
            raise ValueError(
                "--depth 16 keeps a slice's values; leave --size, --neighbours and --annotate out"
            )
        if self.spacing_mm is not None and not all(0 < step < 1e3 for step in self.spacing_mm):
            raise ValueError(f"--spacing is in mm, above 0, not {self.spacing_mm}")
        if self.kind.holds != "array" and self.depth == 8:
            self._check_mode(self.mode)

    def _out_of_place(self) -> list[tuple[bool, str, str]]:
        array, film = self.kind.holds == "array", self.kind.holds == "film"
        pictures = "pictures and films"
        return [
            (array and self.window != "metadata", pictures, "--window"),
            (array and self.size is not None, pictures, "--size"),
            (array and self.neighbours != 0, pictures, "--neighbours"),
            (array and self.frames is not None, pictures, "--frames"),
            (array and self.annotate != "none", pictures, "--annotate"),
            (not array and self.spacing_mm is not None, "npy, npz and nifti", "--spacing"),
            (not array and self.mask is not None, "npy, npz and nifti", "--mask"),
            (self.depth == 16 and self.format not in DEEP, " and ".join(DEEP), "--depth 16"),
            (
                self.depth == 16 and self.window != "metadata",
                "8 bits (16 hold the values)",
                "--window",
            ),
            (self.quality is not None and self.kind.quality is None, "jpeg and mp4", "--quality"),
            (film and self.mode.slicewise, "pictures (a film has one scale)", "a slicewise mode"),
        ]

    def _check_mode(self, mode: Mode) -> None:
        if mode.channels not in (1, 3):
            raise ValueError(
                f"a picture has one channel or three; {self.window} with {self.neighbours} "
                f"neighbours has {mode.channels}: one window with --neighbours 1 has three"
            )

    @property
    def kind(self) -> ExportFormat:
        """The format itself."""
        return FORMATS[self.format]

    @property
    def mode(self) -> Mode:
        """The window mode, with the neighbours that are asked for."""
        mode = find_mode(self.window)
        if not self.neighbours:
            return mode
        if mode.offsets != (0,) or mode.mix != "channels":
            raise ValueError(f"{self.window} has all its channels; leave --neighbours out")
        return replace(mode, offsets=tuple(range(-self.neighbours, self.neighbours + 1)))

    @property
    def ending(self) -> str:
        """Of the files' names."""
        return self.kind.ending

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain


def parse_crop(crop: str) -> PixelBox | None:
    """(row0, row1, column0, column1) of a crop that names them; None for "none" and "head"."""
    if crop in ("none", "head"):
        return None
    try:
        row0, row1, column0, column1 = map(int, crop.split(","))
    except ValueError as error:
        raise ValueError(
            f"--crop is none, head, or row0,row1,column0,column1 in pixels, not {crop!r}"
        ) from error
    if not (0 <= row0 < row1 and 0 <= column0 < column1):
        raise ValueError(
            f"--crop {crop}: rows and columns grow from 0: row0 < row1, as 0,512,0,512"
        )
    return PixelBox(row0, row1, column0, column1)
