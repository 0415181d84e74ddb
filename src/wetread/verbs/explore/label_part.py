"""verbs/explore/label_part.py: the labels: counts and shares, what meets, what contradicts."""

from __future__ import annotations

from functools import partial

import polars as pl

from wetread.archive.identity.pseudonym import PSEUDONYM
from wetread.archive.plural import plural
from wetread.pages.survey_page import PageTable
from wetread.survey.charts import bar_chart, heat_chart, matrix_chart, place_chart, spread_chart
from wetread.survey.damaged_ids import find_damage
from wetread.survey.label_counts import (
    co_occurrence,
    count_labels,
    positive_places,
    unit_shares,
)
from wetread.survey.masks import MOST_MASKS, describe_masks, mask_areas
from wetread.survey.warning import SurveyWarning, first_examples
from wetread.verbs.explore.labels import OpenedLabels, existing_ids
from wetread.verbs.explore.part import DrawChart, Part

SHARES_NOTE = (
    "One set has several shares of positives, and each is right: of label rows, of images, of "
    "studies, of patients. Say which."
)


def label_part(opened: OpenedLabels, seed: int) -> Part:
    """Survey labels: how many, how even, together, along the series, where masks lie."""
    labels, task = opened.placed, opened.task
    counts = count_labels(opened.given)
    shares = unit_shares(labels, _owners(opened))
    charts: list[DrawChart] = []
    tables = [
        PageTable("label_counts", "Labels by finding", counts),
        PageTable("label_shares", "Shares of positives, by what is counted", shares, SHARES_NOTE),
    ]  # fmt: skip
    for level in labels.frame["level"].unique(maintain_order=True):
        own = count_labels(labels).filter(pl.col("level") == level)
        charts.append(partial(bar_chart, own, "finding", "positive", f"Positive by {level}"))
        if own.height > 1:
            together = co_occurrence(labels, level)
            charts.append(partial(matrix_chart, together, f"Positive together, by {level}"))
            tables.append(
                PageTable(f"co_occurrence_{level}", f"Together, by {level}", together, folded=True)
            )
    if opened.images is not None:
        places = positive_places(labels, opened.images)
        if places["finding"].len() and places["positive"].sum():
            charts.append(partial(place_chart, places, "Where in the series positive slices lie"))
            tables.append(PageTable("positive_places", "Along the series", places, folded=True))
        of_masks, table = _of_masks(opened, seed)
        charts += of_masks
        tables.append(table)
    return Part(
        title="The labels",
        note=f"Read as {'a file of its own form' if opened.drafted else f'labels of {task.title}'}"
        f" ({', '.join(task.modalities)}).",
        charts=tuple(charts),
        tables=(*tables, *_fault_tables(opened)),
        warnings=tuple(label_warnings(opened)),
        looked_for=(
            "label_conflict", "rule_broken",
            *(("label_without_file", "file_without_label", "ids_damaged")
              if opened.images is not None else ()),
        ),
        not_looked={} if opened.images is not None else {
            "ids that meet no image": "no archive was given"
        },
    )  # fmt: skip


def _owners(opened: OpenedLabels) -> pl.DataFrame:
    """Return which image is of which study and patient: by the archive, else by the label file."""
    if opened.images is not None:
        return opened.images.select("SOPInstanceUID", "StudyInstanceUID", "patient")
    exams = opened.given.exams
    return exams.select(
        SOPInstanceUID="image", StudyInstanceUID="study", patient=pl.lit(None, pl.String)
    )


def _of_masks(opened: OpenedLabels, seed: int) -> tuple[list[DrawChart], PageTable]:
    """Survey masks: areas, marks an image, and where they lie, by view."""
    assert opened.images is not None
    areas, heat = mask_areas(opened.placed, opened.images, seed)
    given = opened.placed.masks.filter(pl.col("runs").list.len() > 0).height
    note = (
        f"Of {areas.height:,} of the {given:,} masks of the files, those of images that are here."
    )
    if areas.height == MOST_MASKS:
        note = f"Of {areas.height:,} of the {given:,} masks of the files, drawn by seed {seed}."
    charts: list[DrawChart] = []
    for (finding,), rows in areas.group_by("finding", maintain_order=True):
        if rows["share"].count():
            share = 100 * rows["share"]
            charts.append(partial(spread_chart, share, "% of the picture", f"Area of {finding}"))
    for (finding, view), rows in heat.group_by("finding", "view", maintain_order=True):
        where = f", {view}" if view else ""
        charts.append(partial(heat_chart, rows, f"Where {finding} lies{where}"))
    return charts, PageTable("masks", "Masks", describe_masks(areas), note)


def _fault_tables(opened: OpenedLabels) -> list[PageTable]:
    """List what contradicts itself, what meets nothing, and what meets after a repair."""
    shown = shown_ids()
    conflicts = opened.placed.conflicts.filter(shown)
    broken = opened.broken.filter(shown)
    repaired = pl.DataFrame(
        {"written": list(opened.repaired), "is": list(opened.repaired.values())},
        schema={"written": pl.String(), "is": pl.String()},
    )
    tables = [
        PageTable("label_conflicts", "Labels that stand twice, unequal", conflicts),
        PageTable("broken_rules", "Labels that contradict each other", broken),
        PageTable("repaired_ids", "Ids that meet only after a repair", repaired),
        PageTable("labels_without_file", "Labels that name nothing here",
                  opened.unmatched.filter(shown)),
    ]  # fmt: skip
    if opened.images is not None:
        columns = ["SOPInstanceUID", "StudyInstanceUID", "path", "member"]
        without = opened.unlabeled.select(columns)
        tables.append(PageTable("files_without_label", "Images without a label", without))
    return tables


def label_warnings(opened: OpenedLabels) -> list[SurveyWarning]:
    """Warn of labels that contradict themselves or meet nothing, and of damaged ids."""
    shown = shown_ids()
    conflicts, found = opened.placed.conflicts, []
    if conflicts.height:
        detail = f"{plural(conflicts.height, 'label')} with unequal values, taken as unknown"
        found.append(_warning("label_conflict", detail, conflicts.height, conflicts.filter(shown)))
    broken = opened.broken
    if broken.height:
        ids = broken["id"].n_unique()
        rules = ", ".join(broken["rule"].unique().sort())
        detail = f"labels of {plural(ids, 'id')} break a rule: {rules}"
        found.append(_warning("rule_broken", detail, ids, broken.filter(shown)))
    if opened.images is None:
        return found
    unmatched = opened.unmatched
    if unmatched.height:
        total = opened.placed.frame.select("level", "id").n_unique()
        detail = f"{unmatched.height} of {plural(total, 'id')} with labels name nothing here"
        found.append(
            _warning("label_without_file", detail, unmatched.height, unmatched.filter(shown))
        )
        damage = find_damage(unmatched.filter(shown)["id"].to_list(), existing_ids(opened.images))
        if damage is not None:
            count = len(damage.ids) + damage.unsure
            detail = (
                f"{count} of {damage.missed} ids that meet nothing would meet if they were not "
            )
            pairs = [f"{written} was {one}" for written, one in damage.ids.items()]
            found.append(
                SurveyWarning(
                    "ids_damaged", f"{detail}damaged by {damage.words}", count,
                    first_examples(pairs),
                )
            )  # fmt: skip
    without = opened.unlabeled
    if without.height:
        detail = f"{without.height} of {plural(opened.images.height, 'image')} have no known label"
        examples = first_examples(without["SOPInstanceUID"])
        found.append(SurveyWarning("file_without_label", detail, without.height, examples))
    return found


def shown_ids() -> pl.Expr:
    """Select the rows, with level and id, that name no patient: these are shown nowhere."""
    return (pl.col("level") != "patient") & ~pl.col("id").str.contains(PSEUDONYM)


def _warning(name: str, detail: str, count: int, rows: pl.DataFrame) -> SurveyWarning:
    return SurveyWarning(name, detail, count, first_examples(rows["id"]))
