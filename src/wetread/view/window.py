"""view/window.py: Hounsfield units become grey levels. Nothing here reads files.

One formula, DICOM's LINEAR_EXACT (PS3.3 C.11.2.1.3.2), with fixed bounds: one HU is one grey on
every slice. To add a window, add a line to WINDOWS.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Window:
    """A range of HU that is spread over the greys: center and width, both HU."""

    center_hu: float
    width_hu: float

    def __post_init__(self) -> None:
        if not self.width_hu > 0:
            raise ValueError(f"a window's width must be above 0 HU, not {self.width_hu:g}")

    @property
    def low_hu(self) -> float:
        """HU that is black, and all below it."""
        return self.center_hu - self.width_hu / 2


BRAIN, SUBDURAL, BONE = Window(40, 80), Window(80, 200), Window(600, 2000)
STROKE, SOFT_HEAD, TEMPORAL_BONE = Window(40, 40), Window(40, 380), Window(600, 2800)
LUNG, PULMONARY, MEDIASTINUM = Window(-600, 1500), Window(100, 700), Window(40, 400)

WINDOWS: dict[str, Window] = {
    "brain": BRAIN,
    "subdural": SUBDURAL,
    "bone": BONE,
    "temporal_bone": TEMPORAL_BONE,
    "stroke": STROKE,
    "stroke_narrow": Window(32, 8),
    "soft_head": SOFT_HEAD,
    "lung": LUNG,
    "lung_wide": Window(-200, 2000),
    "pulmonary": PULMONARY,
    "mediastinum": MEDIASTINUM,
    "chest_bone": Window(300, 2000),
    "spine_bone": Window(400, 1800),
    "abdomen": Window(50, 400),
    "liver": Window(30, 150),
    "spine_soft": Window(50, 250),
    "display": Window(2047.5, 4095),  # a radiograph's grey: study/display.py
}


def find_window(name: str) -> Window:
    """A name of WINDOWS, or center/width in HU as text ("40/80"), to its Window."""
    if name in WINDOWS:
        return WINDOWS[name]
    center, slash, width = name.partition("/")
    try:
        return Window(float(center), float(width if slash else "?"))
    except ValueError as error:
        raise ValueError(
            f"no window {name!r}; known: {', '.join(WINDOWS)}; or give center/width in HU, as 40/80"
        ) from error


def apply_window(hu: npt.NDArray[np.floating], window: Window) -> npt.NDArray[np.float32]:
    """HU (any shape, float) to grey: same shape, in [0, 1]; equal HU, equal grey, in any slice."""
    grey = (np.asarray(hu, np.float32) - window.low_hu) / window.width_hu
    return np.asarray(np.clip(grey, 0.0, 1.0), np.float32)


def as_uint8(grey: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    """Grey in [0, 1] to 0..255, rounded to the nearest."""
    return np.asarray(np.rint(np.clip(grey, 0.0, 1.0) * 255), np.uint8)
