"""verbs/explore/copy_part.py: the same pixels under other ids, in one archive and across two."""

from __future__ import annotations

import polars as pl

from wetread.archive.plural import plural
from wetread.inputs.progress import stage
from wetread.pages.page import PageCase
from wetread.pages.survey_page import PageTable
from wetread.survey.objects import draw_rows
from wetread.survey.pixel_copies import PixelCopies, same_pixels, same_pixels_across
from wetread.survey.warning import SurveyWarning, first_examples
from wetread.verbs.explore.gallery import HEADER, picture_panel
from wetread.verbs.explore.opened import OpenedArchive
from wetread.verbs.explore.part import Part
from wetread.verbs.explore.request import ExploreRequest

SHOWN = 6  # pairs with both pictures
HERE, ACROSS = "here", "in both archives"
PIXELS = "the same pixels under other ids"


def copy_part(opened: OpenedArchive, other: OpenedArchive | None, request: ExploreRequest) -> Part:
    """Compare the pixels of images with each other, and with those of another archive."""
    most, seed, workers = request.pixels, request.seed, request.workers
    if most == 0:
        return Part("Copies", not_looked={PIXELS: "no pixels were to be compared"})
    images = rows = draw_rows(opened.table, most, seed)
    progress, total = stage(request.report, "compare pixels"), [opened.counts["images"][0]]
    if other is None:
        found = {HERE: same_pixels(images, workers, progress)}
    else:
        others = draw_rows(other.table, most, seed)
        copies = same_pixels_across(images, others, workers, progress)
        found = dict(zip((HERE, ACROSS), copies, strict=True))
        rows = pl.concat([images, others])
        total.append(other.counts["images"][0])
    if found[HERE].compared == 0:
        return Part("Copies", not_looked={PIXELS: "no image could be read"})
    unread = len(found[HERE].rejects)
    warnings = [one for where, copies in found.items() for one in _warnings(where, copies)]
    similar = pl.concat([copies.similar for copies in found.values()])
    compared = " and ".join(f"{min(most, count):,} of {count:,}" for count in total)
    limits = [f"The pixels of {compared} images were compared"]
    limits += [f"{unread:,} of them could not be read"] if unread else []
    limits += ["of the others nothing is known"] if max(total) > most else []
    return Part(
        title="Copies",
        note=f"{'; '.join(limits)}.",
        tables=(
            PageTable("same_pixels", "Equal pixels, by group",
                      pl.concat([copies.exact.with_columns(where=pl.lit(where))
                                 for where, copies in found.items()])),
            PageTable("similar_pixels", "Perhaps the same image", similar),
        ),
        cases=tuple(_cases(similar, rows)),
        warnings=tuple(warnings),
        looked_for=(
            "same_pixels", "similar_pixels",
            *(("same_pixels_in_two_sources",) if other is not None else ()),
        ),
    )  # fmt: skip


def _warnings(where: str, copies: PixelCopies) -> list[SurveyWarning]:
    found = []
    exact = copies.exact
    if exact.height:
        groups = exact["group"].n_unique()
        detail = f"{plural(exact.height, 'image')} {where} in {plural(groups, 'group')} of equal "
        examples = first_examples(exact["SOPInstanceUID"])
        name = "same_pixels" if where == HERE else "same_pixels_in_two_sources"
        found.append(SurveyWarning(name, f"{detail}pixels", exact.height, examples))
    similar = copies.similar
    if similar.height:
        ways = ", ".join(similar["how"].unique().sort())
        detail = f"{plural(similar.height, 'pair')} {where} with the same fine structure ({ways})"
        pairs = similar.select("first_SOPInstanceUID", "second_SOPInstanceUID").iter_rows()
        examples = first_examples(f"{first} and {second}" for first, second in pairs)
        found.append(SurveyWarning("similar_pixels", detail, similar.height, examples))
    return found


def _cases(similar: pl.DataFrame, images: pl.DataFrame) -> list[PageCase]:
    """Show the surest pairs beside each other."""
    rows = {(row["path"], row["member"]): row for row in images.iter_rows(named=True)}
    surest = similar.sort(pl.col("correlation").abs(), descending=True).head(SHOWN)
    cases = []
    for pair in surest.iter_rows(named=True):
        panels = []
        for which in ("first", "second"):
            row = rows.get((pair[f"{which}_path"], pair[f"{which}_member"]))
            panel = None if row is None else picture_panel(row, HEADER, f"the {which}")
            panels += [] if panel is None else [panel]
        if panels:
            where = f"{pair['first_SOPInstanceUID']} and {pair['second_SOPInstanceUID']}"
            title = f"{pair['how']}, correlation {pair['correlation']:.2f}"
            cases.append(PageCase(tuple(panels), title, "", "Perhaps the same image", where))
    return cases
