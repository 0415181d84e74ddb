"""view/view.py: the input of a network made from a slice, as one value."""

from dataclasses import dataclass

from wetread.archive.types import JsonObject
from wetread.view.mode import Mode
from wetread.view.window import Window

MOST_PIXELS, MOST_NEIGHBORS = 4096, 64  # more no detector has, and no memory holds


@dataclass(frozen=True)
class View:
    """Windows x neighboring slices x size.

    windows:   each gives one gray of every slice.
    neighbors: k slices on either side are read too, in order of position: 2k + 1 slices.
    size:      rows and columns of the square that comes out, pixels.
    mix:       a name of view/mode.py's MIXES: a slice's grays to its channels.
    neighbor_mm: how far apart the slices of one input lie, mm; 0: the adjacent ones.

    Channels run slice by slice, and within a slice window by window, or red, green, blue.
    """

    windows: tuple[Window, ...]
    neighbors: int = 0
    size: int = 128
    mix: str = "channels"
    neighbor_mm: float = 0.0

    def __post_init__(self) -> None:
        if not self.windows:
            raise ValueError("a view needs at least one window")
        if not 0 <= self.neighbors <= MOST_NEIGHBORS or not 1 <= self.size <= MOST_PIXELS:
            raise ValueError(
                f"a view's neighbours must be 0 or more, {MOST_NEIGHBORS} at most, and its size 1 "
                f"or more, {MOST_PIXELS} at most, not {self.neighbors} and {self.size}"
            )
        _ = self.mode  # which refuses a mix that there is not, or that takes other windows

    @property
    def mode(self) -> Mode:
        """How one slice becomes its channels."""
        return Mode(self.windows, self.mix)

    @property
    def slices(self) -> int:
        """Slices of one input: the one that is read and its neighbors."""
        return 2 * self.neighbors + 1

    @property
    def channels(self) -> int:
        """Channels of what comes out."""
        return self.slices * self.mode.channels

    def to_dict(self) -> JsonObject:
        """Return plain values, for JSON and checkpoints."""
        windows = [
            {"center_hu": float(w.center_hu), "width_hu": float(w.width_hu), "curve": w.curve}
            for w in self.windows
        ]
        sizes = {"neighbours": self.neighbors, "size": self.size}
        apart = {"neighbor_mm": self.neighbor_mm} if self.neighbor_mm else {}
        return {"windows": windows, **sizes, "mix": self.mix, **apart}

    @staticmethod
    def from_dict(values: JsonObject) -> "View":
        """Read to_dict's values; those that were written before windows had curves, too."""
        windows = tuple(Window(**window) for window in values["windows"])
        sizes = int(values["neighbours"]), int(values["size"])
        apart = float(values.get("neighbor_mm", 0.0))
        return View(windows, *sizes, values.get("mix", "channels"), apart)
