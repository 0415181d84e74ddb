"""survey/readers.py: several readers of the same studies: kappa, majority, who differs from whom.

In: Reads (labels/reads_csv.py). Out: frames, each value with its 95 % interval over studies.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import polars as pl

from wetread.archive.types import Float32Array, Float64Array, Int64Array
from wetread.evaluation.intervals import percentile_interval
from wetread.evaluation.reader_study import majority
from wetread.labels.reads_csv import Reads

DRAWS = 500
FAIR = 0.4  # kappa: below it Landis and Koch (Biometrics 1977) call agreement fair at best
LEAST_CALLS = 10  # that a reader or the others made, before a low kappa is warned of


def count_reads(reads: Reads) -> pl.DataFrame:
    """Count calls by finding: finding, studies, a column a reader, majority, any, all, tied (as
    many readers say the other), unanimous (share of studies)."""
    rows = []
    for finding, calls in reads.calls.items():
        known = ~np.isnan(calls)
        called, count = np.nansum(calls, axis=0), known.sum(axis=0)
        agreed = majority(calls)
        rows.append(
            {
                "finding": finding,
                "studies": int((count > 0).sum()),
                **{r: int(np.nansum(row)) for r, row in zip(reads.readers, calls, strict=True)},
                "majority": int(np.nansum(agreed)),
                "any": int((called > 0).sum()),
                "all": int(((called == count) & (count > 0)).sum()),
                "tied": int((np.isnan(agreed) & (count > 0)).sum()),
                "unanimous": _share_alike(called, count),
            }
        )
    return pl.DataFrame(rows)


def _share_alike(called: Float64Array, count: Int64Array) -> float | None:
    """Return the share of studies with two calls and more whose calls are alike; None of none."""
    several = count > 1
    alike = (called == 0) | (called == count)
    return float(alike[several].mean()) if several.any() else None


def kappa_table(reads: Reads, seed: int = 0) -> pl.DataFrame:
    """Compute Cohen's kappa of every two readers, of each reader against the majority of the
    others, and Fleiss' of all: finding, readers, kappa, low, high, studies, positive (calls of
    either)."""
    rng = np.random.default_rng(seed)
    rows = []
    for finding, calls in reads.calls.items():
        count = calls.shape[1]
        if count == 0:
            continue
        drawn = np.empty((DRAWS, count), np.float32)  # a row at a time: studies may be many
        for row in drawn:
            row[:] = np.bincount(rng.integers(count, size=count), minlength=count)
        for names, first, second in _pairs(reads.readers, calls):
            rows.append({"finding": finding, "readers": names, **_cohen(first, second, drawn)})
        if len(calls) > 2:
            rows.append({"finding": finding, "readers": "all (Fleiss)", **_fleiss(calls, drawn)})
    schema = {
        "finding": pl.String(), "readers": pl.String(), "kappa": pl.Float64(), "low": pl.Float64(),
        "high": pl.Float64(), "studies": pl.Int64(), "positive": pl.Int64(),
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema)


def _pairs(
    readers: tuple[str, ...], calls: Float64Array
) -> list[tuple[str, Float64Array, Float64Array]]:
    """List every two readers, and where there are more, each against the majority of the others."""
    found = [
        (f"{readers[a]} and {readers[b]}", calls[a], calls[b])
        for a, b in combinations(range(len(readers)), 2)
    ]
    if len(readers) > 2:
        found += [
            (f"{name} and the others", calls[k], majority(np.delete(calls, k, axis=0)))
            for k, name in enumerate(readers)
        ]
    return found


def _cohen(first: Float64Array, second: Float64Array, drawn: Float32Array) -> Mapping[str, object]:
    """Compute Cohen's kappa of calls (N,) and (N,), with drawn (draws, N) how often each study was
    drawn."""
    known = ~np.isnan(first) & ~np.isnan(second)
    a, b = np.nan_to_num(first) * known, np.nan_to_num(second) * known
    columns = np.stack([known, a, b, a * b], axis=1).astype(np.float64)
    values = _kappa_of(np.concatenate([np.ones((1, len(known))), drawn]) @ columns)
    positive = int(((a + b) > 0).sum())
    return _with_interval(values, int(known.sum()), positive)


def _kappa_of(sums: Float64Array) -> Float64Array:
    """Compute kappa of sums (D, 4): studies, called by the first, by the second, by both."""
    total, first, second, both = sums.T
    with np.errstate(invalid="ignore", divide="ignore"):
        agreed = (total - first - second + 2 * both) / total
        chance = (first * second + (total - first) * (total - second)) / total**2
        kappa: Float64Array = (agreed - chance) / (1 - chance)
    return kappa


def _fleiss(calls: Float64Array, drawn: Float32Array) -> Mapping[str, object]:
    """Compute Fleiss' kappa of calls (R, N) over the studies that all readers read."""
    whole = ~np.isnan(calls).any(axis=0)
    readers = len(calls)
    called = np.nan_to_num(calls).sum(axis=0) * whole
    pairs = (called * (called - 1) + (readers - called) * (readers - called - 1)) * whole
    columns = np.stack([whole, called, pairs / (readers * (readers - 1))], axis=1)
    sums = np.concatenate([np.ones((1, calls.shape[1])), drawn]) @ columns.astype(np.float64)
    total, positive, agreed = sums.T
    with np.errstate(invalid="ignore", divide="ignore"):
        share = positive / (total * readers)
        chance = share**2 + (1 - share) ** 2
        values = (agreed / total - chance) / (1 - chance)
    return _with_interval(values, int(whole.sum()), int((called > 0).sum()))


def _with_interval(values: Float64Array, studies: int, positive: int) -> Mapping[str, object]:
    """Return the first of values (1 + draws,) with the interval of the rest."""
    low, high = percentile_interval(values[1:]) or (None, None)
    value = float(values[0]) if np.isfinite(values[0]) else None
    return {
        "kappa": value, "low": low if value is not None else None,
        "high": high if value is not None else None, "studies": studies, "positive": positive,
    }  # fmt: skip


def disagreements(reads: Reads, finding: str) -> pl.DataFrame:
    """List the studies that readers call differently: id, and a column a reader (1, 0, null)."""
    calls = reads.calls[finding]
    differ = np.nanmax(calls, axis=0, initial=-1, where=~np.isnan(calls)) != np.nanmin(
        calls, axis=0, initial=2, where=~np.isnan(calls)
    )
    differ &= (~np.isnan(calls)).sum(axis=0) > 1
    frame = pl.DataFrame(
        {"id": list(reads.ids)} | {name: calls[k] for k, name in enumerate(reads.readers)}
    )
    return frame.filter(differ).with_columns(pl.col(list(reads.readers)).fill_nan(None))


def doubtful_readers(kappas: pl.DataFrame) -> pl.DataFrame:
    """Find readers whose agreement with the others is fair at best: rows of a kappa_table whose
    interval lies below FAIR. Of two readers both are meant."""
    several = kappas["readers"].str.ends_with("and the others").any()
    against = pl.col("readers").str.ends_with("and the others") if several else pl.lit(True)
    low = (pl.col("high") < FAIR) & (pl.col("positive") >= LEAST_CALLS)
    return kappas.filter(against & low.fill_null(False))
