"""verbs/explore/shortcut_part.py: what the header tells of a finding, and what a run says of
labels."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import polars as pl

from wetread.archive.files.table_file import read_parquet
from wetread.archive.plural import plural
from wetread.outputs.optional import missing_learn
from wetread.pages.survey_page import PageTable
from wetread.survey.charts import bar_chart
from wetread.survey.doubts import doubtful_labels
from wetread.survey.header_shortcuts import FOLDS, LEAST, NEEDED, shortcut_table, shortcuts
from wetread.survey.warning import SurveyWarning, first_examples
from wetread.training.predictions import FILE, SCHEMA, WANTED
from wetread.verbs.explore.labels import OpenedLabels
from wetread.verbs.explore.opened import OpenedArchive
from wetread.verbs.explore.part import Part

UIDS = ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "PatientID")
SHORTCUTS = "findings told from the header"


def shortcut_part(opened: OpenedArchive, labels: OpenedLabels, seed: int) -> Part:
    """Predict every finding from the header alone."""
    images = opened.read(tuple(dict.fromkeys((*UIDS, *NEEDED))))
    try:
        table = shortcut_table(labels.placed, images, seed)
    except ImportError as error:
        if (missing := missing_learn(error)) is None:
            raise
        return Part("Shortcuts", not_looked={SHORTCUTS: str(missing)})
    if table.is_empty():
        few = f"no finding that {LEAST} patients have, and {LEAST} have not"
        return Part("Shortcuts", not_looked={SHORTCUTS: few})
    return Part(
        title="Shortcuts",
        note=f"Each finding is predicted from the header alone, {FOLDS} folds by patient; 0.5 is "
        "chance. What a header tells, a network may learn in place of the disease.",
        charts=(partial(bar_chart, table, "finding", "roc_auc", "ROC AUC of the header alone"),),
        tables=(PageTable("shortcuts", "What the header tells", table),),
        warnings=tuple(_warning(row) for row in shortcuts(table).iter_rows(named=True)),
        looked_for=("shortcut",),
    )


def _warning(row: dict[str, object]) -> SurveyWarning:
    columns = row["columns"] if isinstance(row["columns"], list) else []
    carried = f", carried by {' and '.join(columns)}" if columns else ""
    detail = (
        f"{row['finding']} by {row['level']}: ROC AUC {row['roc_auc']:.2f} "
        f"[{row['low']:.2f}, {row['high']:.2f}] from the header alone{carried}"
    )
    return SurveyWarning("shortcut", detail, int(str(row["ids"])), tuple(map(str, columns)))


def doubt_part(run: Path) -> Part:
    """List the labels that a run's predictions speak against. Raises FileNotFoundError where it has
    none, DamagedFileError where they are not whole."""
    needed = {name: SCHEMA[name] for name in
              ("level", "id", "study", "finding", "truth", "probability")}  # fmt: skip
    predictions = read_parquet(run / FILE, schema=needed, expected=WANTED)
    doubtful = doubtful_labels(predictions)
    known = predictions.filter(pl.col("truth").is_not_null())
    warnings = []
    if doubtful.height:
        detail = f"{plural(doubtful.height, 'label')} of {known.height} that the run predicted"
        warnings.append(
            SurveyWarning("label_doubtful", detail, doubtful.height, first_examples(doubtful["id"]))
        )
    return Part(
        title="Doubtful labels",
        note="Predicted by networks that did not learn these patients; the contrary of the label "
        "is predicted more surely than it usually is where it is true.",
        tables=(PageTable("doubtful_labels", "Labels to look at again", doubtful),),
        warnings=tuple(warnings),
        looked_for=("label_doubtful",),
    )
