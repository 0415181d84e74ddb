"""cli/prediction_text.py: readings as lines for an 80-column terminal, cautions first."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from wetread.archive.plural import plural
from wetread.cli.text import MOST, counted

if TYPE_CHECKING:  # the command line starts without loading what it may not need
    from wetread.archive.types import JsonObject
    from wetread.prediction.reading import Reading
    from wetread.verbs.predict.predict import Prediction


def prediction_lines(result: Prediction) -> list[str]:
    """Return the most urgent studies, why others were not read, where files lie, and counts."""
    ranked = sorted(result.readings, key=lambda r: -r.study.get(result.headline, -1.0))
    wide = max([len("study"), *(len(reading.study_uid) for reading in ranked[:MOST])])
    lines = [
        *_cautions(result),
        *_outside(result),
        *_prevalences(result),
        *_flags(result),
        f"{'study':<{wide}} {result.headline:>7} slices",
    ]
    lines += [
        f"{reading.study_uid:<{wide}} {_probability(reading, result.headline)} "
        f"{len(reading.slices):>6}{' flagged' if reading.flagged else ''}"
        for reading in ranked[:MOST]
    ]
    if len(ranked) > MOST:
        lines.append(f"... and {len(ranked) - MOST} more in {result.out / 'worklist.csv'}")
    return [
        *lines,
        *_unread(result),
        f"page:       {result.out / result.page}  (open it in a browser)",
        f"readings:   {result.out / 'readings'}",
        f"submission: {result.out / 'submission.csv'}",
        *_objects(result),
        "Research use only, not for diagnosis.",
        *_time(result),
        _last_counts(result),
    ]


def _time(result: Prediction) -> list[str]:
    """Return the seconds of a study, where any was read."""
    mean = result.seconds_per_study
    return [] if mean is None else [f"{mean:.1f} seconds a study, {result.seconds:.0f} in all"]


def _last_counts(result: Prediction) -> str:
    """Return all counts, the studies as read and unread, and what of their numbers must be
    known."""
    from wetread.prediction.cautions import short_cautions

    others = {name: number for name, number in result.counts.items() if name != "unread"}
    read = len(result.readings) - result.unread
    line = f"{counted(others)}: {plural(read, 'study')} read, {result.unread} unread"
    found = Counter(name for one in result.readings for name in one.cautions)
    of_all = [name for name, number in found.items() if number == len(result.readings)]
    return f"{line}; {short_cautions(of_all)}" if of_all else line


def _objects(result: Prediction) -> list[str]:
    """Say where DICOM objects lie, and where it stands why a study got none."""
    folder, lines = result.out / "dicom", []
    if result.counts.get("objects"):
        lines.append(f"dicom:      {folder}  (holds the patients' names as the images do)")
    if result.without_objects:
        none = plural(result.without_objects, "study")
        lines.append(f"no objects of {none}, why: {folder / 'refused.csv'}")
    return lines


def _cautions(result: Prediction) -> list[str]:
    """List the cautions of all readings, once each, with the number of studies each is true of;
    then what was learned from and scored on."""
    from wetread.prediction.cautions import CAUTIONS

    found = Counter(name for reading in result.readings for name in reading.cautions)
    origins = dict.fromkeys(words for reading in result.readings for words in reading.origins)
    return [
        *(
            f"caution: {CAUTIONS.get(name, name.replace('_', ' '))}"
            + ("" if number == len(result.readings) else f" ({number} of {len(result.readings)})")
            for name, number in found.items()
        ),
        *(f"models: {words}" for words in origins),
    ]


def _outside(result: Prediction) -> list[str]:
    """Count the studies that are unlike what was learned, with the commonest reasons, and those of
    which that is not known, each with its sign of the table."""
    read = [reading for reading in result.readings if reading.state == "read"]
    outside = [reading for reading in read if reading.placement.inside is False]
    unknown = sum(reading.placement.inside is None for reading in read)
    lines = []
    if outside:
        names = Counter(name for one in outside for name in {r.name for r in one.placement.reasons})
        why = ", ".join(f"{name} {count}" for name, count in names.most_common(4))
        lines.append(
            f"caution: ! {len(outside)} of {plural(len(read), 'study')} unlike what was learned "
            f"({why})"
        )
    if unknown:
        studies = plural(unknown, "study")
        lines.append(f"caution: ? not known whether {studies} are like what was learned")
    return lines


def _prevalences(result: Prediction) -> list[str]:
    """Return the shares of positive studies that were stated, beside those assumed before."""
    stated = result.readings[0].provenance.get("prevalence", {}) if result.readings else {}
    return [
        f"prevalence of {name}: {one['stated']:.3g} stated, "
        f"{one['assumed_before']:.3g} assumed before"
        for name, one in stated.items()
    ]


def _flags(result: Prediction) -> list[str]:
    """Return how many studies are flagged, from which probability on, and what that gave on the
    run's own patients; none where no operating point was asked for."""
    called = [reading for reading in result.readings if reading.flagged is not None]
    if not called:
        return []
    point = called[0].provenance["operating_point"]
    rates = ", ".join(f"{name} {_rate(point[name])}" for name in ("sensitivity", "specificity"))
    return [
        f"flagged: {sum(bool(one.flagged) for one in called)} of {plural(len(called), 'study')}, "
        f"{result.headline} {point['threshold']:.3f} or more; "
        f"on studies the run is scored on: {rates}"
    ]


def _rate(rate: JsonObject) -> str:
    """`0.95 [0.90, 1.00]`, or the value alone."""
    interval = "" if rate["low"] is None else f" [{rate['low']:.2f}, {rate['high']:.2f}]"
    return f"{rate['value']:.2f}{interval}"


def _unread(result: Prediction) -> list[str]:
    """Return the studies of which nothing was read, by name, each with its reason."""
    left = [reading for reading in result.readings if reading.state == "unread"]
    lines = [
        f"unread  {reading.study_uid}  {reading.reason}: {reading.detail}"
        for reading in left[:MOST]
    ]
    if len(left) > MOST:
        lines.append(f"... and {len(left) - MOST} more unread in {result.out / 'worklist.csv'}")
    return lines


def _probability(reading: Reading, finding: str) -> str:
    """Return a probability, 7 wide, after `!` where the study is unlike what was learned and after
    `?` where that is not known."""
    value = reading.study.get(finding)
    if value is None:
        return " unread"
    sign = {True: " ", False: "!", None: "?"}[reading.placement.inside]
    return f"{sign}{value:>6.3f}"
