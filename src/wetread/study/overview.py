"""study/overview.py: the rows of one series in figures, for people and as plain values."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from wetread.study.geometry import commonest_orientation, step_vector, tilt_degrees
from wetread.study.issue import Issue
from wetread.study.issues import geometry_issues
from wetread.study.series import placed_rows, positions_mm

SAME_MM = 0.01  # positions that differ by less are one place
SAME_DISTANCE_MM = 0.002  # and distances one


@dataclass(frozen=True, eq=False)
class SeriesOverview:
    """One series: what it is, how its slices lie, what is unusual.

    distances_mm: the distances between neighbors that are not at one place, each once, ascending.
    spacing_mm:   (between rows, between columns) of the first slice that has it.
    tilt_degrees: the angle between the normal and the step from slice to slice.
    """

    series_uid: str | None
    study_uid: str | None
    modality: str | None
    slices: int
    rows: int | None
    columns: int | None
    spacing_mm: tuple[float, float] | None
    distances_mm: tuple[float, ...]
    tilt_degrees: float | None
    issues: tuple[Issue, ...]

    def to_dict(self) -> dict[str, object]:
        """Return the figures as plain values, for JSON."""
        entry = {name: getattr(self, name) for name in self.__dataclass_fields__}
        issues = [{"name": issue.name, "detail": issue.detail} for issue in self.issues]
        return {**entry, "distances_mm": list(self.distances_mm), "issues": issues}


def summarize_series(rows: pl.DataFrame) -> SeriesOverview:
    """Summarize one series; its rows in order along the normal."""
    first = rows.row(0, named=True)
    spacing = rows.select("row_spacing_mm", "column_spacing_mm").drop_nulls()
    return SeriesOverview(
        series_uid=first["SeriesInstanceUID"],
        study_uid=first["StudyInstanceUID"],
        modality=first["Modality"],
        slices=rows.height,
        rows=first["Rows"],
        columns=first["Columns"],
        spacing_mm=spacing.row(0) if spacing.height else None,
        distances_mm=_distances(rows),
        tilt_degrees=_tilt(rows),
        issues=geometry_issues(rows),
    )


def _distances(rows: pl.DataFrame) -> tuple[float, ...]:
    """List the distances between neighbors along the normal, those within SAME_DISTANCE_MM once."""
    along = positions_mm(rows)
    apart = np.sort(np.diff(along[np.isfinite(along)]))
    apart = apart[apart > SAME_MM]
    kinds = np.split(apart, np.flatnonzero(np.diff(apart) > SAME_DISTANCE_MM) + 1)
    return tuple(round(float(np.median(kind)), 4) for kind in kinds if len(kind))


def _tilt(rows: pl.DataFrame) -> float | None:
    placed = placed_rows(rows)
    if len(placed) < 2:
        return None
    positions = np.array(rows["position_mm"].gather(placed).to_list())
    orientations = np.array(rows["orientation"].gather(placed).to_list())
    step = step_vector(positions)
    if np.linalg.norm(step) < SAME_MM:
        return None
    return tilt_degrees(step, orientations[commonest_orientation(orientations)])
