"""exports/formats.py: the files an export can write, and all its settings as one value.

To add a format: a line in EXPORT_FORMATS, and who writes it (stills.py, films.py or arrays.py).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Literal

from wetread.study.boxes import PixelBox
from wetread.view.mode import Mode, find_mode

FormatContent = Literal["slice", "film", "array"]
Annotation = Literal["none", "header", "identifiers"]


@dataclass(frozen=True)
class ExportFormat:
    """A file format of exports.

    ending:  of the file's name.
    content: one slice as a picture, a stack as a film, or a stack as an array of values.
    library: of the extra `pictures`, which writes it; None: none is needed.
    quality: the default, 1 to 100; None: the format loses nothing.
    """

    ending: str
    content: FormatContent
    library: str | None = None
    quality: int | None = None


EXPORT_FORMATS: dict[str, ExportFormat] = {
    "png": ExportFormat(".png", "slice"),
    "jpeg": ExportFormat(".jpg", "slice", quality=95),
    "tiff": ExportFormat(".tiff", "slice", "tifffile"),
    "gif": ExportFormat(".gif", "film", "PIL.Image"),
    "mp4": ExportFormat(".mp4", "film", "imageio_ffmpeg", quality=75),
    "npy": ExportFormat(".npy", "array"),
    "npz": ExportFormat(".npz", "array"),
    "nifti": ExportFormat(".nii.gz", "array", "nibabel"),
}
FORMATS_OF_16_BITS = ("png", "tiff")
_KEYS = {"neighbors": "neighbours"}  # field: its name in export.json


@dataclass(frozen=True)
class ExportOptions:
    """All settings of an export; ValueError where they do not go together.

    format:     a name of EXPORT_FORMATS.
    window:     a mode of view/mode.py; pictures of 8 bits and films only.
    size:       side of the square that comes out, pixels; None: as the slice is.
    neighbors:  k slices on either side become channels, too (view/view.py).
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
    neighbors: int = 0
    frames: int | None = None
    crop: str = "none"
    depth: int = 8
    spacing_mm: tuple[float, float, float] | None = None
    mask: str | None = None
    annotate: Annotation = "none"
    quality: int | None = None

    def __post_init__(self) -> None:
        if self.format not in EXPORT_FORMATS:
            raise ValueError(f"no format {self.format!r}; known: {', '.join(EXPORT_FORMATS)}")
        for is_set, suited, name in self._misplaced():
            if is_set:
                raise ValueError(f"{name} is for {suited}, not for {self.format}")
        parse_crop(self.crop)
        if self.depth not in (8, 16):
            raise ValueError(f"`depth` is 8 or 16, not {self.depth}")
        if self.depth == 16 and (self.size or self.neighbors or self.annotate != "none"):
            raise ValueError(
                "`depth=16` keeps a slice's values; leave `size`, `neighbors` and `annotate` out"
            )
        if self.spacing_mm is not None and not all(0 < step < 1e3 for step in self.spacing_mm):
            raise ValueError(f"`spacing_mm` is in mm, above 0, not {self.spacing_mm}")
        if self.file_format.content != "array" and self.depth == 8:
            self._check_mode(self.mode)

    def _misplaced(self) -> list[tuple[bool, str, str]]:
        """Whether a setting is given, the formats that it is for, and its name."""
        content = self.file_format.content
        array, film = content == "array", content == "film"
        pictures = "pictures and films"
        return [
            (array and self.window != "metadata", pictures, "`window`"),
            (array and self.size is not None, pictures, "`size`"),
            (array and self.neighbors != 0, pictures, "`neighbors`"),
            (array and self.frames is not None, pictures, "`frames`"),
            (array and self.annotate != "none", pictures, "`annotate`"),
            (not array and self.spacing_mm is not None, "npy, npz and nifti", "`spacing_mm`"),
            (not array and self.mask is not None, "npy, npz and nifti", "`mask`"),
            (
                self.depth == 16 and self.format not in FORMATS_OF_16_BITS,
                " and ".join(FORMATS_OF_16_BITS),
                "`depth=16`",
            ),
            (
                self.depth == 16 and self.window != "metadata",
                "8 bits (16 hold the values)",
                "`window`",
            ),
            (
                self.quality is not None and self.file_format.quality is None,
                "jpeg and mp4",
                "`quality`",
            ),
            (film and self.mode.slicewise, "pictures (a film has one scale)", "a slicewise mode"),
        ]

    def _check_mode(self, mode: Mode) -> None:
        if mode.channels not in (1, 3):
            raise ValueError(
                f"a picture has one channel or three; {self.window} with {self.neighbors} "
                f"neighbors has {mode.channels}: one window with `neighbors=1` has three"
            )

    @property
    def file_format(self) -> ExportFormat:
        """The format's row of EXPORT_FORMATS."""
        return EXPORT_FORMATS[self.format]

    @property
    def mode(self) -> Mode:
        """The window mode, with the neighbors that are asked for."""
        mode = find_mode(self.window)
        if not self.neighbors:
            return mode
        if mode.offsets != (0,) or mode.mix != "channels":
            raise ValueError(f"{self.window} has all its channels; leave `neighbors` out")
        return replace(mode, offsets=tuple(range(-self.neighbors, self.neighbors + 1)))

    @property
    def ending(self) -> str:
        """The ending of the files' names."""
        return self.file_format.ending

    @property
    def lossy_quality(self) -> int:
        """The quality asked for, else the format's own; 0 for formats that lose nothing."""
        return self.quality or self.file_format.quality or 0

    @property
    def fingerprint(self) -> str:
        """The settings as text that the keys of an export's parts are made of.

        Parts of earlier versions are taken up only while this text stays as it is.
        """
        fields = (f"{_KEYS.get(name, name)}={value!r}" for name, value in vars(self).items())
        return f"Wanted({', '.join(fields)})"

    def to_dict(self) -> dict[str, object]:
        """Return the settings as plain values, for export.json."""
        named = {_KEYS.get(name, name): value for name, value in asdict(self).items()}
        plain: dict[str, object] = json.loads(json.dumps(named))
        return plain


def parse_crop(crop: str) -> PixelBox | None:
    """Return (row0, row1, column0, column1) of a crop that names them; None for "none" and "head".

    ValueError for any other text, and for rows or columns that do not grow.
    """
    if crop in ("none", "head"):
        return None
    try:
        row0, row1, column0, column1 = map(int, crop.split(","))
    except ValueError as error:
        raise ValueError(
            f"`crop` is none, head, or row0,row1,column0,column1 in pixels, not {crop!r}"
        ) from error
    if not (0 <= row0 < row1 and 0 <= column0 < column1):
        raise ValueError(
            f"`crop={crop}`: rows and columns grow from 0: row0 < row1, as 0,512,0,512"
        )
    return PixelBox(row0, row1, column0, column1)
