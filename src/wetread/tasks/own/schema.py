"""tasks/own/schema.py: the words of a task's TOML, checked; an error names file and key."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
)

from wetread.archive.errors import WetreadError
from wetread.evaluation.task_metric import MetricName

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$")]


def _policy(value: object) -> float | None:
    """Take "unknown" as None, and a number from 0 to 1 as it is."""
    if value == "unknown":
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    raise ValueError('should be "unknown", or a number from 0 to 1')


def _words(value: object) -> object:
    """Take one text as a list of it."""
    return [value] if isinstance(value, str) else value


Policy = Annotated[float | None, PlainValidator(_policy)]  # None: unknown
Words = Annotated[list[str], BeforeValidator(_words)]


class TaskFileError(WetreadError, ValueError):
    """A task's file that cannot be taken as it is; the message names the file and the key."""


class Entry(BaseModel):
    """A table of the file; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FindingEntry(Entry):
    """[[findings]]: one thing that is found."""

    name: Name
    # By default what the label file's ids name; pixel: of images, and it is drawn.
    level: Literal["image", "study", "pixel"] | None = None
    label: Words = []  # its column, or its word, in the label file; by default its name
    weight: float = Field(default=1.0, ge=0)  # in the metric
    positive_weight: float | None = Field(default=None, ge=0)  # of its positives; by default weight
    mirror: str | None = None  # the finding that it becomes in a mirror image
    description: str = ""  # its look, in a reader's words
    any_of: list[str] = []  # it is present where any of these is: without a label, by these


class LabelsEntry(Entry):
    """[[labels]]: how a label file is written."""

    layout: Literal["columns", "names", "rows", "long", "marks"] = "columns"
    id: str  # the column of ids
    id_of: Literal["image", "series", "study", "patient", "file"] = "image"
    value: str | None = None  # the column of values, where a row is of one finding
    finding: str | None = None  # the column of names of findings
    reader: str | None = None  # the column of readers, where a row is of one finding
    separator: str | None = None  # between names in one cell, or an id and its finding
    none: Words = []  # words in the place of names for: nothing found
    other: Words = []  # names of findings that the file has and that are not learned
    values: dict[str, Policy] = {}  # what words count as
    blank: Policy = None  # what an empty cell counts as
    uncertain: Policy = None  # what -1 counts as; where the key is not there, -1 is an error
    boxes: list[str] = []  # the columns of x, y, width and height of a box
    corners: list[str] = []  # the columns of a box's left, upper, right and lower edge
    unit: Literal["pixel", "mm"] = "pixel"  # of boxes
    runs: str | None = None  # the column of run-length masks
    runs_form: str = "relative"  # their form, of labels/rle.py
    several: Literal["equal", "majority", "mean", "any"] = "equal"  # labels of one finding in an id


class GroupEntry(Entry):
    """[[groups]]: findings of which exactly one holds."""

    exactly_one: list[str] = Field(min_length=2)


class SeriesEntry(Entry):
    """[series]: which series of a study suits best."""

    body_parts: list[str] = []
    least_slices: int = Field(default=1, ge=1)
    thickness_mm: tuple[float, float] = (0.0, float("inf"))
    sharp: bool | None = None
    # What a study of several series is said to be: as the one that suits best, or of all of them.
    pool: Literal["best", "mean", "max"] = "best"


class SubmissionEntry(Entry):
    """[submission]: how probabilities are written for a competition."""

    # A row an id and finding, or a column a finding; masks: a row an image, of what is drawn.
    layout: Literal["long", "wide", "masks"] = "long"
    by: Literal["image", "series", "study"] | None = None  # by default the findings' level
    id: str = "ID"  # the column of ids
    value: str = "Label"  # the column of probabilities, of the long layout
    separator: str = "_"  # between an id and its finding, in the long layout
    runs_form: str = "relative"  # of masks; value is their column
    empty: Literal["-1", ""] = "-1"  # the text of a mask without a pixel


class TaskEntry(Entry):
    """The whole file. Everything but modalities, findings and labels has a default."""

    name: Name | None = None  # by default the file's
    title: str = ""
    modalities: list[str] = Field(min_length=1)
    headline: str | None = None  # the finding that orders a worklist; by default the first
    crop: str | None = None  # a name of tasks/own/crops.py; by default the whole picture
    findings: list[FindingEntry] = Field(min_length=1)
    labels: list[LabelsEntry] = Field(min_length=1)
    groups: list[GroupEntry] = []
    metric: MetricName = "weighted_log_loss"
    series: SeriesEntry = SeriesEntry()
    submission: SubmissionEntry | None = None
    recipe: dict[str, Any] = {}  # name: whose settings are the default; others change them
    abbreviations: dict[str, str] = {}


def parse_task(text: str, where: str) -> TaskEntry:
    """Parse a task's TOML; where: its file, for messages. TaskFileError for what does not fit."""
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise TaskFileError(f"{where}: not TOML: {error}") from None
    try:
        entry = TaskEntry.model_validate(values)
    except ValidationError as error:
        strange = [one for one in error.errors() if one["type"] == "extra_forbidden"]
        first = (strange or error.errors())[0]  # a key that is mistyped is missing, too
        raise TaskFileError(f"{where}: {_fault(first)}") from None
    return entry


def read_text(path: Path) -> str:
    """Read a task's file. TaskFileError where there is none, or it is not in UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise TaskFileError(
            f"{path}: there is no such file of a task; write one with wetread task new"
        ) from None
    except UnicodeDecodeError as error:
        raise TaskFileError(f"{path}: not TOML: not in UTF-8 ({error.reason})") from None
    except OSError as error:
        raise TaskFileError(f"{path}: cannot be read ({error.strerror})") from None


def _fault(error: Any) -> str:
    """Say in one line what is wrong with a key, and what is known there."""
    key = _key(error["loc"])
    match error["type"]:
        case "extra_forbidden":
            known = ", ".join(_known_keys(error["loc"]))
            return f"no key {key}; known there: {known}"
        case "missing":
            return f"{key} is missing; add it"
    message = error["msg"].replace("Input should", "should").replace("String should", "should")
    message = message.removeprefix("Value error, ")
    shown = error["input"]
    told = "" if isinstance(shown, Mapping | list) else f" = {shown!r}"
    return f"{key}{told} {message}"


def _key(location: tuple[int | str, ...]) -> str:
    """Write the place of a value as TOML's reader sees it: findings[2].weight, counted from 1."""
    text = ""
    for part in location:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    tables: dict[str, type[Entry]] = {
        "findings": FindingEntry,
        "labels": LabelsEntry,
        "groups": GroupEntry,
        "series": SeriesEntry,
        "submission": SubmissionEntry,
    }
    return list(tables.get(str(location[0]) if len(location) > 1 else "", TaskEntry).model_fields)
