"""tasks/own/findings.py: the findings of a task's file; names that do not fit each other are
refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wetread.labels.finding import Finding, Level
from wetread.labels.rle import FORMS
from wetread.tasks.own.schema import LabelsEntry, TaskEntry, TaskFileError


def task_findings(entry: TaskEntry, where: str) -> tuple[Finding, ...]:
    """Return the findings, in their order. TaskFileError where names do not fit each other."""
    names = [one.name for one in entry.findings]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise TaskFileError(f"{where}: findings named {twice[0]!r} stand twice; name each once")
    twins = {one.name: one.mirror for one in entry.findings if one.mirror is not None}
    for number, one in enumerate(entry.findings, start=1):
        if one.mirror is not None and twins.get(one.mirror) != one.name:
            raise TaskFileError(
                f"{where}: findings[{number}].mirror = {one.mirror!r}, whose mirror is "
                f"{twins.get(one.mirror)!r}; twins name each other"
            )
        for part in one.any_of:
            if part not in names or part == one.name:
                raise TaskFileError(
                    f"{where}: findings[{number}].any_of names {part!r}, which is no other "
                    f"finding; there are: {', '.join(names)}"
                )
    of_images = [labels.id_of in ("image", "file") for labels in entry.labels]
    by_ids: Level = "image" if of_images[0] else "study"
    findings = tuple(
        Finding(
            one.name,
            "image" if one.level == "pixel" else one.level or by_ids,
            one.weight,
            one.mirror,
            one.positive_weight,
        )
        for one in entry.findings
    )
    if not any(of_images) and all(one.level == "image" for one in findings):
        raise TaskFileError(
            f"{where}: findings are of level 'image', and labels[1].id_of = "
            f"{entry.labels[0].id_of!r}; what is known of these alone is of level 'study'"
        )
    return findings


def drawn_findings(
    entry: TaskEntry, findings: Sequence[Finding], where: str
) -> tuple[Finding, ...]:
    """Return the findings that are drawn. TaskFileError where marks do not fit them."""
    named = [one.name for one in entry.findings if one.level == "pixel"]
    if named and any(one.level == "study" for one in findings):
        raise TaskFileError(
            f"{where}: {named[0]!r} is of level 'pixel', and other findings are of studies; what "
            "is drawn goes with findings of images alone"
        )
    twins = [one.name for one in entry.findings if one.level == "pixel" and one.mirror]
    if twins:
        raise TaskFileError(
            f"{where}: {twins[0]!r} is of level 'pixel' and has a mirror; masks of twins are not "
            "learned, leave one of the two out"
        )
    for number, labels in enumerate(entry.labels, start=1):
        fault = _fault_of_marks(labels, named)
        if fault is not None:
            raise TaskFileError(f"{where}: labels[{number}].{fault}")
    return tuple(Finding(name, level="pixel") for name in named)


def _fault_of_marks(labels: LabelsEntry, drawn: Sequence[str]) -> str | None:
    """Say why the columns that say where a finding is do not fit; None where they do."""
    given = {"boxes": labels.boxes, "corners": labels.corners, "runs": labels.runs}
    named = [name for name, value in given.items() if value]
    if not named:
        return None
    if len(named) > 1:
        return f"{named[1]}: there is {named[0]} too, and one of them is read"
    key = named[0]
    if not drawn:
        return f'{key}: no finding is drawn; give the one that is marked level = "pixel"'
    if key != "runs" and len(given[key] or ()) != 4:
        return f"{key} = {given[key]}: should name four columns"
    if labels.runs is not None and labels.runs_form not in FORMS:
        return f"runs_form = {labels.runs_form!r} is none; known: {', '.join(FORMS)}"
    if labels.layout in ("long", "names"):
        return f"{key}: a row of layout = {labels.layout!r} is of no one finding; it is not marked"
    if labels.id_of not in ("image", "file"):
        return f"{key}: what is marked is of images, and id_of = {labels.id_of!r}"
    if len(drawn) > 1 and labels.layout != "rows":
        return (
            f"{key}: {len(drawn)} findings are of level 'pixel', and only rows of "
            'layout = "rows" say which is marked'
        )
    return None


def unions(entry: TaskEntry, findings: Sequence[Finding], where: str) -> dict[str, tuple[str, ...]]:
    """Return the findings that are unions of others of the same level."""
    level = {one.name: one.level for one in findings}
    for number, one in enumerate(entry.findings, start=1):
        for part in one.any_of:
            if level[part] != level[one.name]:
                raise TaskFileError(
                    f"{where}: findings[{number}].any_of names {part!r} of level {level[part]}, "
                    f"and {one.name!r} is of level {level[one.name]}"
                )
    return {one.name: tuple(one.any_of) for one in entry.findings if one.any_of}


def derived_unions(
    entry: TaskEntry, any_of: Mapping[str, tuple[str, ...]]
) -> Mapping[str, tuple[str, ...]]:
    """Return the unions that no column of a label file has."""
    labeled = {one.name for one in entry.findings if one.label}
    return {name: parts for name, parts in any_of.items() if name not in labeled}


def headline(entry: TaskEntry, findings: Sequence[Finding], where: str) -> str:
    """Return the finding that orders a worklist."""
    names = [one.name for one in findings]
    if entry.headline is not None and entry.headline not in names:
        raise TaskFileError(
            f"{where}: headline = {entry.headline!r} is no finding; there are: {', '.join(names)}"
        )
    return entry.headline or names[0]
