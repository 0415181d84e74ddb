"""tests/phantoms/graft/head_slice.py: a slice of a head in closed form: ellipses of known place."""

import numpy as np

SIZE = 128
NOISE_HU = 3.0
CENTER = 63.5
INNER = 52.0, 42.0  # half axes of the inner table, rows and columns, pixels


def head_slice(seed: int = 0) -> np.ndarray:
    """HU (128, 128): bone round brain of 34 HU, two ventricles, fluid at the surface."""
    rows, columns = np.indices((SIZE, SIZE)) - CENTER

    def ellipse(a: float, b: float, row: float = 0.0, column: float = 0.0) -> np.ndarray:
        return ((rows - row) / a) ** 2 + ((columns - column) / b) ** 2 < 1

    a, b = INNER
    hu = np.full((SIZE, SIZE), -1000.0)
    hu[ellipse(a + 6, b + 6)] = 900
    hu[ellipse(a, b)] = 8  # fluid at the surface
    hu[ellipse(a - 3, b - 3)] = 34
    for side in (-1, 1):
        hu[ellipse(12, 4, 2, side * 7)] = 7
    rng = np.random.default_rng(seed)
    return (hu + np.where(hu > -500, rng.normal(0, NOISE_HU, hu.shape), 0)).astype(np.float32)


def inside_of_skull() -> np.ndarray:
    """(128, 128) bool, exactly."""
    rows, columns = np.indices((SIZE, SIZE)) - CENTER
    return (rows / INNER[0]) ** 2 + (columns / INNER[1]) ** 2 < 1
