"""evaluation/intervals.py: how far a score would move with other patients. Patients are drawn
with replacement, all rows of a patient together; the interval is the middle 95 % of the scores."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from wetread.archive.types import Float64Array, FloatArray, Int64Array

DRAWS = 500
CONFIDENCE = 0.95
CHUNK_ELEMENTS = 250_000  # of float64 a step: 2 MB, so that a piece stays in the cache


def draw_patients(
    patients: Sequence[str], draws: int, rng: np.random.Generator
) -> tuple[Int64Array, Float64Array]:
    """Draw as many patients as there are, with replacement.

    Returns the number of each row's patient, (N,) int64, in the sorted order of the names; and how
    often each draw took each patient, (draws, P) float64, each row summing to P.
    """
    names, inverse = np.unique(np.asarray(patients, dtype=str), return_inverse=True)
    patient_of_row = inverse.astype(np.int64)
    size = len(names)
    times = rng.multinomial(size, np.full(size, 1.0 / size), size=draws) if size else None
    if times is None:
        return patient_of_row, np.ones((draws, 0))
    return patient_of_row, times.astype(np.float64)


def patient_sums(values: FloatArray, patient_of_row: Int64Array, patients: int) -> Float64Array:
    """Sum values (N,) by patient: (P,) float64. NaN counts as nothing."""
    sums = np.bincount(patient_of_row, weights=np.nan_to_num(values), minlength=patients)
    return np.asarray(sums, np.float64)


def drawn_ratio(
    over: FloatArray, under: FloatArray, patient_of_row: Int64Array, times: FloatArray
) -> Float64Array:
    """Return sum(over) / sum(under) of every draw, (draws,); NaN where a draw has nothing under.

    over, under, patient_of_row: (N,); times: (draws, P) of draw_patients.
    """
    patients = times.shape[1]
    top = times @ patient_sums(over, patient_of_row, patients)
    bottom = times @ patient_sums(under, patient_of_row, patients)
    ratio: Float64Array = np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom > 0)
    return ratio


def row_weights(patient_of_row: Int64Array, times: FloatArray) -> Iterator[FloatArray]:
    """Yield the draws (draws, P) as weights of the rows, (b, N) float64, in pieces of bounded
    memory."""
    step = max(1, CHUNK_ELEMENTS // max(1, len(patient_of_row)))
    for start in range(0, len(times), step):
        yield times[start : start + step][:, patient_of_row]


def percentile_interval(values: FloatArray) -> tuple[float, float] | None:
    """Return the middle 95 % of the draws' scores (draws,); None where under half of them have
    one."""
    known = values[np.isfinite(values)]
    if len(known) == 0 or len(known) < len(values) / 2:
        return None
    tail = (1.0 - CONFIDENCE) / 2.0
    low, high = np.quantile(known, [tail, 1.0 - tail])
    return float(low), float(high)


def bootstrap(
    score: Callable[[Int64Array], float],
    patients: Sequence[str],
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> tuple[float, float] | None:
    """Return the interval of any score, None with fewer than two patients.

    score: takes the row indices (M,) of a draw; called once a draw, for metrics that have no faster
    form.
    """
    patient_of_row, times = draw_patients(patients, draws, rng)
    if times.shape[1] < 2:
        return None
    counts = times.astype(np.int64)
    rows = np.arange(len(patient_of_row))
    return percentile_interval(
        np.array([score(np.repeat(rows, drawn[patient_of_row])) for drawn in counts])
    )
