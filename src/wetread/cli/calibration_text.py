"""cli/calibration_text.py: what calibrating a run changed, as lines for an 80-column terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from wetread.archive.plural import plural
from wetread.cli.text import repaired_lines

if TYPE_CHECKING:  # the command line starts without loading what it may not need
    from wetread.verbs.calibrate.calibrate import CalibrationResult


def calibration_lines(result: CalibrationResult) -> list[str]:
    """Return on what a run was calibrated, and what that changed on the very same studies."""
    wide = max(len("finding"), *(len(change.finding) for change in result.changes))
    lines = [
        f"calibrated on {plural(result.images, 'labeled image')} of "
        f"{plural(result.patients, 'patient')}, {plural(result.studies, 'study')}; "
        "do not score the run on them",
        f"{'level':<6} {'finding':<{wide}} {'fitted':<14} {'patients':>8} {'with it':>7} "
        f"{'mean':>6} {'now':>6} {'true':>6}",
    ]
    for one in result.changes:
        means = (one.mean_before, one.mean_after, one.share)
        lines.append(
            f"{one.level:<6} {one.finding:<{wide}} {one.kind:<14} {one.patients:>8} "
            f"{one.positives:>7} " + " ".join(f"{_known(mean):>6}" for mean in means)
        )
    if any(one.kind == "shared" for one in result.changes):
        lines.append("shared: too few have it; scaled as all findings together are")
    if any(one.kind == "none" for one in result.changes):
        lines.append("none: with one class alone nothing can be fitted; it stays as it was")
    lines += repaired_lines(result.ids_repaired)
    return [*lines, f"run:  {result.run}", f"page: {result.run / 'page.html'}"]


def _known(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"
