"""verbs/explore/gallery.py: pictures of findings, of hard geometry, and of one study in motion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import imagecodecs
import numpy as np
import polars as pl

from wetread.archive.rejects import RejectError
from wetread.archive.types import Row, UInt8Array
from wetread.inputs.progress import stage
from wetread.outputs.pictures import png_bytes
from wetread.outputs.sides import series_edge_letters
from wetread.pages.environment import spaced_words
from wetread.pages.page import PageCase
from wetread.pages.panel import Panel, window_label
from wetread.study.issue import RULES
from wetread.study.issues import geometry_issues
from wetread.study.series import series_slices
from wetread.study.unit import is_ct
from wetread.survey.label_counts import POSITIVE
from wetread.survey.objects import collected, images_of
from wetread.survey.series import draw_series
from wetread.tasks import Task
from wetread.training.recipe_file import read_recipe
from wetread.verbs.explore.labels import OpenedLabels
from wetread.verbs.explore.opened import OpenedArchive
from wetread.verbs.explore.part import Part
from wetread.verbs.explore.request import ExploreRequest
from wetread.verbs.montage.panels import PanelRequest, render_panel
from wetread.view.window import WINDOWS

SHOWN = 3  # images a finding
HARD = 3  # series of the hardest geometry
HARD_FROM = 6000  # images of the series among which they are looked for
SIZE = 288  # pixels of a picture's longer side
MOVING, FRAMES, FRAME_MS = 200, 24, 250  # pixels, frames and their time, of the study in motion
HEADER = "metadata"  # the mode of the file's own window


def gallery_part(
    opened: OpenedArchive, labels: OpenedLabels | None, request: ExploreRequest
) -> Part:
    """Show a seeded panel of every finding, the hardest geometry, and one study in motion."""
    seed, progress = request.seed, stage(request.report, "draw pictures")
    cases: list[PageCase] = []
    if labels is not None:
        cases += finding_cases(opened, labels, seed)
    progress(1, 3)
    series = series_slices(draw_series(opened.table, seed, HARD_FROM))
    cases += geometry_cases(series)
    progress(2, 3)
    cases += moving_case(series)
    progress(3, 3)
    note = (
        f"Pictures of findings are drawn by seed {seed}; the hardest geometry and the longest "
        f"series are those among series of {HARD_FROM:,} images, drawn likewise."
    )
    return Part("Pictures", note=note, cases=tuple(cases))


def picture_panel(
    row: Row,
    mode: str,
    label: str,
    values: str = "read",
    sides: Mapping[str, tuple[str, str]] | None = None,
) -> Panel | None:
    """Make the picture of one row of an index in a mode; None where it cannot be read."""
    found = render_panel(PanelRequest((row,), mode, (), values=values, size=SIZE))
    if not isinstance(found, np.ndarray):
        return None
    picture = found if found.ndim == 2 else np.ascontiguousarray(found[:, :, ::-1])
    letters = (sides or {}).get(str(row["SeriesInstanceUID"]), ("", ""))
    alt = f"image {row['SOPInstanceUID']}: {label}"
    return Panel(png_bytes(picture), label, alt, *letters)


def finding_cases(opened: OpenedArchive, labels: OpenedLabels, seed: int) -> list[PageCase]:
    """Show positive images of every finding, in the windows of the task's recipe."""
    positive = labels.placed.frame.filter(
        (pl.col("value") >= POSITIVE) & pl.col("level").is_in(["image", "study"])
    )
    rng = np.random.default_rng(seed)
    chosen: list[tuple[str, str]] = []
    for (finding,), rows in positive.group_by("finding", maintain_order=True):
        images = _images_of(rows, labels)
        drawn = rng.permutation(len(images))[:SHOWN]
        chosen += [(str(finding), images[int(place)]) for place in np.sort(drawn)]
    wanted = list({image for _, image in chosen})
    table = images_of(opened.table).filter(pl.col("SOPInstanceUID").is_in(wanted))
    found = collected(table)
    by_image = {row["SOPInstanceUID"]: row for row in found.iter_rows(named=True)}
    sides = series_edge_letters(found)
    cases = []
    for finding, image in chosen:
        if (row := by_image.get(image)) is None:
            continue
        modes = task_modes(labels.task, row)
        panels = [picture_panel(row, mode, label, sides=sides) for mode, label in modes.items()]
        shown = tuple(panel for panel in panels if panel is not None)
        if shown:
            words = spaced_words(finding)
            cases.append(PageCase(shown, words, "", f"With {words}", f"image {image}"))
    return cases


def _images_of(rows: pl.DataFrame, labels: OpenedLabels) -> list[str]:
    """List the images of positive labels: their own, or the middle one of each study."""
    of_images = rows.filter(pl.col("level") == "image")["id"].to_list()
    if of_images or labels.images is None:
        return [str(one) for one in of_images]
    studies = labels.images.filter(pl.col("StudyInstanceUID").is_in(rows["id"].implode()))
    middle = studies.group_by("StudyInstanceUID", maintain_order=True).agg(
        pl.col("SOPInstanceUID").sort_by("InstanceNumber").get(pl.len() // 2)
    )
    return middle["SOPInstanceUID"].drop_nulls().to_list()


def task_modes(task: Task, row: Row) -> dict[str, str]:
    """Return the modes in which a task's networks see an image, and their labels: the windows of
    its recipe; of what is no CT the file's own."""
    if not is_ct(row):
        return {HEADER: "the film as displayed"}
    names = {window: name for name, window in WINDOWS.items()}
    windows = read_recipe(task.recipe, task.settings).view.windows
    return {names[window]: window_label(window) for window in windows if window in names}


def geometry_cases(series: Sequence[pl.DataFrame]) -> list[PageCase]:
    """Show the series of the most issues of geometry: the first, middle and last slice."""
    issues = [geometry_issues(rows) for rows in series]
    order = sorted(range(len(series)), key=lambda number: -len(issues[number]))
    cases = []
    for number in order[:HARD]:
        if not issues[number]:
            break
        rows = series[number]
        places = sorted({0, rows.height // 2, rows.height - 1})
        panels = [
            picture_panel(
                rows.row(place, named=True), HEADER, f"slice {place + 1} of {rows.height}"
            )
            for place in places
        ]
        shown = tuple(panel for panel in panels if panel is not None)
        if shown:
            names = dict.fromkeys(issue.name for issue in issues[number])
            caption = "; ".join(f"{spaced_words(name)}: {RULES[name]}" for name in names)
            where = f"series {rows['SeriesInstanceUID'][0]}"
            cases.append(PageCase(shown, "Geometry", caption, "The hardest geometry", where))
    return cases


def moving_case(series: Sequence[pl.DataFrame]) -> list[PageCase]:
    """Show the longest series slice by slice, as a PNG that moves; none where no series has two
    slices that can be read."""
    if not series:
        return []
    rows = max(series, key=lambda one: one.height)
    places = np.unique(np.linspace(0, rows.height - 1, FRAMES).round().astype(int))
    frames: list[UInt8Array] = []
    for place in places.tolist():
        request = PanelRequest((rows.row(place, named=True),), HEADER, (), size=MOVING)
        found = render_panel(request)
        if isinstance(found, RejectError) or found is None or found.ndim != 2:
            continue
        if not frames or found.shape == frames[0].shape:
            frames.append(found)
    if len(frames) < 2:
        return []
    image = imagecodecs.apng_encode(np.stack(frames), delay=FRAME_MS)
    label = f"{len(frames)} of {rows.height} slices, from the lowest to the highest"
    where = f"series {rows['SeriesInstanceUID'][0]}"
    panel = Panel(bytes(image), label, f"{where}: {label}")
    return [PageCase((panel,), "In motion", "", "One series, slice by slice", where)]
