"""tasks/embolism/label_csv.py: the competition's CSV of images, tables of exams, submissions."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from wetread.archive.files.table_file import scan_csv
from wetread.labels.csv_file import (
    LINE,
    check_ids,
    find_column,
    label_values,
    number,
    read_header,
    read_text_columns,
)
from wetread.labels.exams import PLACEHOLDER
from wetread.labels.finding import Finding, finding_names
from wetread.labels.table import (
    EXAM_SCHEMA,
    LABEL_SCHEMA,
    LabelError,
    LabelTable,
    label_table,
    unique_images,
)
from wetread.labels.text_table import is_plain
from wetread.tasks.embolism.findings import (
    EXAM_FINDINGS,
    EXAM_NAMES,
    IMAGE_FINDING,
    NOT_POSITIVE,
    POSITIVE_EXAM,
    RATIOS,
)

STUDY, SERIES, IMAGE = "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"
ID, LABEL = "id", "label"
# The study as short as can be: `acute_and_chronic_pe` ends in `chronic_pe`.
STUDY_LABEL = rf"^(?P<study>.+?)_(?P<finding>{'|'.join(EXAM_NAMES)})\s*$"


def read_exam_csv(path: Path, findings: Sequence[Finding]) -> LabelTable:
    """Labels of images and their exams, or of exams alone.

    With a column SOPInstanceUID a row is an image: three UIDs, pe_present_on_image, and the nine
    labels of its exam again in every row. Without one a row is an exam: StudyInstanceUID and the
    nine labels. Other columns (qa_motion, flow_artifact, ...) are not read.

    A label of an exam is one of its study; where rows of a study disagree it is unknown, and
    listed as a conflict. The two RV/LV labels are unknown in an exam that is negative or
    indeterminate: they are undefined there, whatever the file says. `positive_exam` is derived:
    neither negative nor indeterminate. Which image is of which series and study is in `exams`.

    findings: the labels wanted. Raises LabelError where a study or series is called by a
    placeholder (`0`), which two of them would share.
    """
    names = finding_names(findings)
    with_images = find_column(IMAGE, read_header(path)) is not None
    ids = (STUDY, SERIES, IMAGE) if with_images else (STUDY,)
    labels = (*EXAM_NAMES, IMAGE_FINDING.name) if with_images else EXAM_NAMES
    rows = _scan(path, ids, labels)
    _refuse(path, rows, ids, labels)
    studies = rows.select(STUDY, *map(number, EXAM_NAMES))
    if with_images:  # every image repeats them, so repeating is no duplicate here
        studies = studies.unique(maintain_order=True)
    of_studies = study_labels(studies.collect(engine="streaming"))
    wanted = pl.col("finding").is_in(names)
    frame, conflicts = of_studies.frame.filter(wanted), of_studies.conflicts.filter(wanted)
    if not with_images:
        return LabelTable(frame, conflicts, of_studies.duplicates)
    images = label_table(
        rows.select(
            pl.lit(IMAGE_FINDING.level).alias("level"),
            pl.col(IMAGE).alias("id"),
            pl.lit(IMAGE_FINDING.name).alias("finding"),
            number(IMAGE_FINDING.name).alias("value"),
        ).collect(engine="streaming")
    )
    return LabelTable(
        pl.concat([images.frame.filter(wanted), frame]),
        pl.concat([images.conflicts.filter(wanted), conflicts]),
        images.duplicates,
        exams=_exams(path, rows),
    )


def study_labels(studies: pl.DataFrame) -> LabelTable:
    """Columns StudyInstanceUID and EXAM_NAMES, a study in one row or more, to the labels of each
    study: RV/LV unknown where it is undefined, positive_exam beside the nine."""
    given = label_table(_long(studies, EXAM_NAMES))
    value = {name: pl.col("value").filter(pl.col("finding") == name) for name in EXAM_NAMES}
    wide = given.frame.group_by(pl.col("id").alias(STUDY), maintain_order=True).agg(
        each.first().alias(name) for name, each in value.items()
    )
    no_embolus = [pl.col(EXAM_NAMES[column]) >= 0.5 for column in NOT_POSITIVE]
    not_positive = pl.any_horizontal(no_embolus)  # null where neither is 1 and one is unknown
    ratios = [EXAM_NAMES[column] for column in RATIOS]
    derived = wide.with_columns(
        *(
            pl.when(not_positive.fill_null(False)).then(None).otherwise(pl.col(name)).alias(name)
            for name in ratios
        ),
        (~not_positive).cast(pl.Float64).alias(POSITIVE_EXAM.name),
    )
    frame = _long(derived, (*EXAM_NAMES, POSITIVE_EXAM.name))
    return LabelTable(frame, given.conflicts, given.duplicates)


def read_exam_submission(path: Path, findings: Sequence[Finding]) -> LabelTable:
    """A file `id,label` of probabilities: `<study>_<label>` for the nine labels of an exam, the
    image's own UID for an image. An id that ends in no label's name is taken as an image's; where
    it is none, scoring lists it."""
    names = finding_names(findings)
    rows = read_text_columns(path, (ID, LABEL))
    check_ids(path, rows, ID)
    parts = rows.select(
        pl.col(ID).str.extract_groups(STUDY_LABEL).alias("parts"),
        ID,
        label_values(path, rows, LABEL).alias("value"),
    ).unnest("parts")
    of_study = pl.col("finding").is_not_null()
    return label_table(
        parts.select(
            pl.when(of_study).then(pl.lit("study")).otherwise(pl.lit("image")).alias("level"),
            pl.coalesce("study", ID).alias("id"),
            pl.col("finding").fill_null(IMAGE_FINDING.name),
            "value",
        ).filter(pl.col("finding").is_in(names))
    )


def _scan(path: Path, ids: Sequence[str], labels: Sequence[str]) -> pl.LazyFrame:
    """The columns as text, lazily: 1.8 million rows are never locked as text all at once."""
    try:
        if not is_plain(path):
            return read_text_columns(path, (*ids, *labels)).drop(LINE).lazy()
        scan = scan_csv(path, infer_schema=False)
        header = scan.collect_schema().names()
        columns = {name: find_column(name, header) for name in (*ids, *labels)}
        if None in columns.values():
            raise pl.exceptions.ColumnNotFoundError
        rows = scan.filter(~pl.all_horizontal(pl.all().is_null()))  # so every field is looked at
        return rows.select(pl.col(str(column)).alias(name) for name, column in columns.items())
    except (pl.exceptions.PolarsError, OSError):
        read_text_columns(path, (*ids, *labels))  # says what is wrong, and where
        raise


def _refuse(path: Path, rows: pl.LazyFrame, ids: Sequence[str], labels: Sequence[str]) -> None:
    """LabelError where an id is missing, a label is no number from 0 to 1, or a name names none."""
    missing = [pl.col(name).is_null() | (pl.col(name) == "") for name in ids]
    wrong = [
        (pl.col(name).str.strip_chars() != "") & ~number(name).is_between(0.0, 1.0).fill_null(False)
        for name in labels
    ]
    nameless = [pl.col(name).str.contains(PLACEHOLDER) for name in ids]
    try:
        found = rows.select(
            pl.any_horizontal(*missing, *wrong).any().alias("wrong"),
            pl.any_horizontal(nameless).any().alias("nameless"),
        ).collect(engine="streaming")
    except (pl.exceptions.PolarsError, OSError):
        found = pl.DataFrame({"wrong": [True], "nameless": [False]})
    if found["wrong"][0]:
        text = read_text_columns(path, (*ids, *labels))
        for name in ids:
            check_ids(path, text, name)
        for name in labels:
            label_values(path, text, name)
    if found["nameless"][0]:
        text = read_text_columns(path, ids)
        for name in ids:
            lines = text.filter(pl.col(name).str.contains(PLACEHOLDER))
            if not lines.is_empty():
                raise LabelError(
                    f"{path}: line {lines['line'][0]}, column {name!r}: {lines[name][0]!r} names "
                    f"none ({lines.height} such lines); two that are called so would be taken for "
                    "one. Give each a name of its own, in this file and in the archive."
                )


def _exams(path: Path, rows: pl.LazyFrame) -> pl.DataFrame:
    """EXAM_SCHEMA of the form of images."""
    named = {"image": IMAGE, "series": SERIES, "study": STUDY}
    exams = rows.select(pl.col(column).alias(name) for name, column in named.items())
    try:
        return unique_images(exams.select(list(EXAM_SCHEMA)).collect(engine="streaming"))
    except LabelError as problem:
        raise LabelError(f"{path}: {problem}") from None


def _long(wide: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """A row a study and a column a label to LABEL_SCHEMA, studies in their order."""
    level = EXAM_FINDINGS[0].level
    return (
        wide.with_row_index("row")
        .unpivot(names, index=["row", STUDY], variable_name="finding", value_name="value")
        .sort("row", maintain_order=True)
        .select(
            pl.lit(level).alias("level"),
            pl.col(STUDY).alias("id"),
            "finding",
            "value",
        )
        .cast(LABEL_SCHEMA)  # type: ignore[arg-type]
    )
