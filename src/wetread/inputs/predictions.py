"""inputs/predictions.py: what somebody predicted, as a user names it: a folder of readings, a table
of probabilities or a submission."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from wetread.archive.files.damaged import expect_form
from wetread.archive.files.json_file import read_json
from wetread.archive.index.index import Index, read_index
from wetread.archive.plural import plural
from wetread.archive.types import JsonObject
from wetread.labels.csv_file import check_ids, label_values, read_header, read_text_columns
from wetread.labels.finding import Finding
from wetread.labels.rle_csv import read_rle_csv
from wetread.labels.table import MASK_SCHEMA, LabelError, LabelTable, label_table
from wetread.outputs.probabilities import SCHEMA
from wetread.prediction.cautions import CALIBRATED_ON
from wetread.tasks import TASKS, Task, find_task, kept_task
from wetread.view.view import View

PROBABILITIES = "probabilities.csv"
READINGS, MASKS, INDEX, STORE = "readings", "masks", "index.parquet", "store"
_READING = "a reading, which wetread predict writes"
_SURE = 0.5  # of a task's findings: a file that names fewer is another's


@dataclass(frozen=True, eq=False)
class Predictions:
    """Probabilities and masks predicted of an archive, with run and index where these are known.

    path:     the folder or file it was read from.
    table:    probabilities as values, of images and studies; masks: what was drawn in images.
    as_answered: whether they are a submission's answers for the task's metric.
    masks_alone: it holds masks and no probability: values are 1 where a mask is not empty.
    index:    of the archive; None where only ids are known.
    unread:   study to the reason why nothing was read of it.
    left_out: studies that calibrated the probabilities, and so are no test of them.
    inside:   study to whether it is like what was learned; studies of which it is not known are not
              in it.
    cautions: names of prediction/cautions.py that hold for all readings.
    models:   what made it, in words; empty where that is not known.
    point:    the operating point by which studies were flagged, as their provenance has it.
    view:     how the first model sees a slice; None where that is not known.
    """

    path: Path
    task: Task
    table: LabelTable
    as_answered: bool = False
    masks_alone: bool = False
    index: Index | None = None
    unread: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    inside: Mapping[str, bool] = field(default_factory=dict)
    cautions: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    point: JsonObject | None = None
    view: View | None = None

    @property
    def store(self) -> Path | None:
        """The folder of packed slices that pictures are made of; None where there is none."""
        folder = self.path / STORE
        return folder if folder.is_dir() else None


def read_predictions_of(path: Path, task: str | None = None) -> Predictions:
    """Read a folder that `predict` wrote, a table of its probabilities, or a submission.

    task: its name; None: as the file's findings say. Raises FileNotFoundError where there is none,
    and LabelError where it is none of these, or its task is not sure.
    """
    if path.is_dir():
        return _read_folder(path, task)
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} does not exist; give a folder of predict, its {PROBABILITIES} or a submission"
        )
    if set(SCHEMA) <= set(read_header(path)):
        table, names = _read_probabilities(path)
        return Predictions(path, _task_of(path, names, task), table)
    return _read_submission(path, task)


def _read_folder(folder: Path, task: str | None) -> Predictions:
    """Read probabilities, masks and cautions of a folder of readings, and its index."""
    if not (folder / PROBABILITIES).is_file():
        raise LabelError(
            f"{folder}: no {PROBABILITIES} in it; give a folder that wetread predict wrote, or a "
            "run alone, without labels"
        )
    table, names = _read_probabilities(folder / PROBABILITIES)
    every = [_reading(file) for file in sorted((folder / READINGS).glob("*.json"))]
    calibrating = [one for one in every if CALIBRATED_ON in one.get("cautions", [])]
    readings = [one for one in every if one not in calibrating]
    if calibrating and not readings:
        raise LabelError(
            f"{folder}: the labels of all {plural(len(calibrating), 'study')} calibrated these "
            "very probabilities (wetread calibrate); score them on others"
        )
    table = _without(table, calibrating)
    makers = (one["provenance"] for one in readings if "task" in one["provenance"])
    made_by: JsonObject = next(makers, {})
    if task is None and made_by:
        chosen = kept_task(folder, made_by["task"])
    else:
        chosen = find_task(task) if task is not None else _task_of(folder, names, task)
    index = read_index(folder / INDEX) if (folder / INDEX).is_file() else None
    models = [f"{one['checkpoint']} ({one['encoder']})" for one in made_by.get("models", ())]
    return Predictions(
        path=folder,
        task=chosen,
        table=replace(
            table, masks=pl.concat([_drawn(readings, chosen), _drawn_series(folder, readings)])
        ),
        index=index,
        unread={
            one["study_uid"]: str(one["reason"]) for one in readings if one["state"] == "unread"
        },
        left_out=tuple(one["study_uid"] for one in calibrating),
        inside=_inside(readings),
        cautions=_cautions(readings),
        models=tuple(models),
        point=_point(folder, made_by),
        view=_view(folder, made_by),
    )


def _point(folder: Path, made_by: JsonObject) -> JsonObject | None:
    """Return the operating point of a folder's readings, its numbers looked at."""
    point: JsonObject | None = made_by.get("operating_point")
    if point is None:
        return None
    with expect_form(folder / READINGS, _READING):
        for name in ("sensitivity", "specificity"):
            float(point[name]["value"])
        float(point["threshold"])
    return point


def _without(table: LabelTable, readings: Iterable[JsonObject]) -> LabelTable:
    """Leave out the rows of some readings: of their studies, and of the images of these."""
    studies, images = set[str](), set[str]()
    for one in readings:
        with expect_form(f"reading of {one['study_uid']}", _READING):
            studies.add(one["study_uid"])
            images.update(part["SOPInstanceUID"] for part in one["slices"])
    theirs = pl.when(pl.col("level") == "study").then(pl.col("id").is_in(list(studies)))
    frame = table.frame.filter(~theirs.otherwise(pl.col("id").is_in(list(images))))
    return replace(table, frame=frame)


def _view(folder: Path, made_by: JsonObject) -> View | None:
    if "view" not in made_by:
        return None
    with expect_form(folder / READINGS, _READING):
        return View.from_dict(made_by["view"])


def _reading(file: Path) -> JsonObject:
    needs: dict[str, type | tuple[type, ...]] = {
        "state": str, "study_uid": str, "masks": list, "provenance": dict,
    }  # fmt: skip
    return read_json(file, _READING, needs)


def _inside(readings: Iterable[JsonObject]) -> dict[str, bool]:
    """Return which studies are like what was learned, and which are not."""
    found = {}
    for reading in readings:
        with expect_form(f"reading of {reading['study_uid']}", _READING):
            inside = reading.get("in_distribution", {}).get("inside")
            if inside is not None:
                found[str(reading["study_uid"])] = bool(inside)
    return found


def _cautions(readings: Iterable[JsonObject]) -> tuple[str, ...]:
    """Return the cautions that every reading of something has."""
    lists = [one.get("cautions", []) for one in readings if one["state"] == "read"]
    return tuple(name for name in lists[0] if all(name in one for one in lists)) if lists else ()


def _drawn(readings: Iterable[JsonObject], task: Task) -> pl.DataFrame:
    """Gather the masks of images, MASK_SCHEMA; of several findings the file's name says which."""
    names = [finding.name for finding in getattr(task.spec, "drawn", ())]
    rows: list[tuple[str, str, str, list[str]]] = []
    for reading in readings:
        for mask in reading["masks"]:
            with expect_form(f"reading of {reading['study_uid']}", _READING):
                if "rle" not in mask or not names:
                    continue
                files = " ".join(map(str, mask["files"]))
                found = [name for name in names if f"_{name}." in files]
                text = mask["rle"]
                runs = [] if text == "-1" else [text]
                rows.append((mask["image"], (found or names)[0], "relative", runs))
    return pl.DataFrame(rows, schema=MASK_SCHEMA, orient="row")


def _drawn_series(folder: Path, readings: Iterable[JsonObject]) -> pl.DataFrame:
    """Gather the masks along series, MASK_SCHEMA, a row an image of the series, drawn in or not."""
    rows: list[tuple[str, str, str, list[str]]] = []
    for reading in readings:
        for mask in reading.get("series_masks", ()):
            with expect_form(f"reading of {reading['study_uid']}", _READING):
                finding, files = str(mask["finding"]), list(mask["files"])
            for name in files:
                path = folder / MASKS / Path(str(name)).name
                if path.suffix == ".csv" and path.is_file():
                    table = read_rle_csv(path, (Finding(finding),))
                    runs = {
                        one: list(texts) for one, texts in table.masks.select("id", "runs").rows()
                    }
                    rows += [
                        (image, finding, "relative", runs.get(image, []))
                        for image in table.frame["id"]
                    ]
    return pl.DataFrame(rows, schema=MASK_SCHEMA, orient="row")


def _read_probabilities(path: Path) -> tuple[LabelTable, set[str]]:
    """Read level, id, finding, probability, and the names of its findings."""
    rows = read_text_columns(path, tuple(SCHEMA))
    for column in ("level", "id", "finding"):
        check_ids(path, rows, column)
    strange = rows.filter(~pl.col("level").is_in(["image", "study"]))
    if not strange.is_empty():
        raise LabelError(
            f"{path}: line {strange['line'][0]}: level {strange['level'][0]!r}; a row is of an "
            "image or a study"
        )
    values = label_values(path, rows, "probability")
    table = label_table(rows.select("level", "id", "finding", values.alias("value")))
    return table, set(rows["finding"].unique())


def _task_of(path: Path, names: set[str], task: str | None) -> Task:
    """Find the task of these findings; LabelError where it is not one task's."""
    if task is not None:
        return find_task(task)
    known = {one.name: {finding.name for finding in one.findings} for one in TASKS.values()}
    fitting = [name for name, findings in known.items() if names & findings]
    if len(fitting) != 1:
        raise LabelError(
            f"{path}: its findings ({', '.join(sorted(names)[:6])}) tell no single task; give "
            f"`task`, one of {', '.join(TASKS)}"
        )
    return TASKS[fitting[0]]


def _read_submission(path: Path, task: str | None) -> Predictions:
    """Read a submission in the form of its task, or of the one task that it names findings of."""
    if task is not None:
        chosen = find_task(task)
        return _submitted(path, chosen, chosen.submission.read(path, chosen.findings))
    problems = []
    for candidate in TASKS.values():
        try:
            table = candidate.submission.read(path, candidate.findings)
        except LabelError as problem:
            problems.append(f"{candidate.name}: {problem}")
            continue
        named = {*table.frame.select("level", "finding").unique().iter_rows()}
        if len(named) >= _SURE * len(candidate.findings):
            return _submitted(path, candidate, table)
    raise LabelError(
        f"{path}: neither probabilities of predict (columns {', '.join(SCHEMA)}) nor a submission "
        f"that names its task; give `task`, one of {', '.join(TASKS)} ({problems[0]})"
        if problems
        else f"{path}: its task is not sure; give `task`, one of {', '.join(TASKS)}"
    )


def _submitted(path: Path, task: Task, table: LabelTable) -> Predictions:
    calls = table.frame["value"].drop_nulls().is_in([0.0, 1.0]).all()
    masks_alone = bool(table.masks.height) and bool(calls)
    if not masks_alone:
        return Predictions(path, task, table, as_answered=True)
    # An image with the value 0 and no text is a mask without a pixel.
    empty = table.frame.filter(pl.col("value") == 0.0).join(table.masks, on="id", how="anti")
    rows: list[tuple[str, str, str, list[str]]] = [
        (image, finding, "relative", []) for image, finding in empty.select("id", "finding").rows()
    ]
    masks = pl.concat([table.masks, pl.DataFrame(rows, schema=MASK_SCHEMA, orient="row")])
    return Predictions(path, task, replace(table, masks=masks), masks_alone=True)


def findings_at(task: Task, level: str) -> tuple[Finding, ...]:
    """Return the findings of a level as rows of that level carry them: of images, series or
    studies."""
    findings = task.at("study" if level == "study" else "image")
    return tuple(replace(finding, level=level) for finding in findings)  # type: ignore[arg-type]
