"""verbs/explore/value_part.py: the values of a sample: histograms, intercepts, letters."""

from __future__ import annotations

from functools import partial

import polars as pl

from wetread.archive.index.intercept import WRONG_INTERCEPT
from wetread.archive.plural import plural
from wetread.inputs.progress import stage
from wetread.pages.page import PageCase
from wetread.pages.survey_page import PageTable
from wetread.study.histogram import Histogram
from wetread.survey.charts import histogram_chart
from wetread.survey.objects import PIXEL_FORM, collected, images_of
from wetread.survey.values import (
    LETTERS,
    SampledValues,
    describe_values,
    draw_images,
    sample_values,
    suspected_intercepts,
)
from wetread.survey.warning import MOST_EXAMPLES, SurveyWarning, first_examples
from wetread.verbs.explore.gallery import HEADER, picture_panel
from wetread.verbs.explore.opened import OpenedArchive
from wetread.verbs.explore.part import DrawChart, Part
from wetread.verbs.explore.request import ExploreRequest

LOOKED_FOR = ("wrong_intercept", "burnt_in_text", "constant_image")
MOST_FORMS = 6  # drawn in one chart
SHOWN = 3  # pictures a fault


def value_part(opened: OpenedArchive, request: ExploreRequest) -> Part:
    """Survey the pixels of a sample, by the forms in which they are stored."""
    seed = request.seed
    drawn = draw_images(opened.table, seed)
    sampled = sample_values(drawn, request.workers, stage(request.report, "read a sample"))
    images = sampled.images
    forms = drawn.unique("form").sort("form").select("form", *PIXEL_FORM)
    described = describe_values(images).join(forms, on="form", how="left", maintain_order="left")
    warnings, cases = [], []
    for find in (_intercepts, _letters, _constant):
        warning, shown = find(opened, drawn, sampled)
        warnings += warning
        cases += shown
    rejects = pl.DataFrame(
        [(one.path, one.member, one.reason, one.detail) for one in sampled.rejects],
        schema=dict.fromkeys(("path", "member", "reason", "detail"), pl.String()), orient="row",
    )  # fmt: skip
    total = opened.counts["images"][0]
    return Part(
        title="The values",
        note=f"Of {plural(images.height, 'image')}, drawn by seed {seed} from {total:,}, some of "
        "every form in which pixels are stored.",
        charts=_charts(sampled, forms),
        tables=(
            PageTable("values", "What pixels hold, by form", described),
            PageTable("unreadable", "Of the sample could not be read", rejects),
        ),
        cases=tuple(cases),
        warnings=tuple(warnings),
        looked_for=LOOKED_FOR if images.height else (),
        not_looked={} if images.height else {"faults of the values": "no image could be read"},
    )


def _charts(sampled: SampledValues, forms: pl.DataFrame) -> tuple[DrawChart, ...]:
    """Draw the histograms of the most frequent forms: as stored, and in HU."""
    names = {
        row["form"]: f"form {row['form']}: {row['BitsStored']} bit, "
        f"{'signed' if row['PixelRepresentation'] else 'unsigned'}, "
        + ("no intercept" if (b := row["RescaleIntercept"]) is None else f"intercept {b:g}")
        for row in forms.iter_rows(named=True)
    }

    def named(histograms: dict[int, Histogram]) -> dict[str, Histogram]:
        """Name the histograms of the most frequent forms."""
        return {names[form]: histograms[form] for form in sorted(histograms)[:MOST_FORMS]}

    charts = []
    if sampled.stored:
        charts.append(partial(histogram_chart, named(sampled.stored), "as stored", "Stored values"))
    in_hu = set(sampled.images.filter(pl.col("unit") == "HU")["form"])
    values = {form: one for form, one in sampled.values.items() if form in in_hu}
    if values:
        charts.append(partial(histogram_chart, named(values), "HU", "Hounsfield units"))
    return tuple(charts)


Found = tuple[list[SurveyWarning], list[PageCase]]


def _intercepts(opened: OpenedArchive, drawn: pl.DataFrame, sampled: SampledValues) -> Found:
    """Warn of series whose intercept is wrong: repaired by the index, or suspected of the sample;
    with pictures by the header, and as it is read."""
    noted = pl.col("notes").list.contains(WRONG_INTERCEPT).fill_null(False)
    uid = pl.coalesce("SeriesInstanceUID", "SOPInstanceUID")
    repaired = collected(
        images_of(opened.table).filter(noted).group_by(uid=uid).agg(images=pl.len())
    ).sort("uid")  # fmt: skip
    suspected = suspected_intercepts(sampled.images)
    names = [*repaired["uid"], *suspected["SeriesInstanceUID"]]
    if not names:
        return [], []
    parts = []
    if repaired.height:
        parts.append(f"{plural(repaired.height, 'series')} confirmed on the pixels, and repaired")
    others = suspected.filter(~pl.col("SeriesInstanceUID").is_in(repaired["uid"].implode()))
    if others.height:
        found = (
            f"{plural(others.height, 'series')} whose air is not near -1000 HU, whose soft tissue "
        )
        parts.append(f"{found}is near 1000 HU or whose 12 bits wrap, in half of the images read")
    count = repaired.height + others.height
    warning = SurveyWarning("wrong_intercept", "; ".join(parts), count, first_examples(names))
    series = drawn.filter(pl.col("SeriesInstanceUID").is_in(names))
    rows = series.unique("SeriesInstanceUID", maintain_order=True).head(SHOWN)
    return [warning], [
        PageCase(
            panels=tuple(
                panel
                for values, words in (("header", "by the header"), ("read", "as it is read"))
                if (panel := picture_panel(row, "brain", words, values)) is not None
            ),
            title="Intercept",
            caption="brain window, both",
            group="Intercepts before and after",
            where=f"series {row['SeriesInstanceUID']}",
        )
        for row in rows.iter_rows(named=True)
    ]


def _letters(opened: OpenedArchive, drawn: pl.DataFrame, sampled: SampledValues) -> Found:
    """Warn of text in the pixels: where the header says so, and where the sample has lines of
    letters."""
    noted = pl.col("notes").list.contains("burned_in")
    marked = images_of(opened.table).filter(noted.fill_null(False))
    stated: int = collected(marked.select(pl.len())).item()
    examples = collected(marked.select("path").head(MOST_EXAMPLES))["path"]
    seen = sampled.images.filter(pl.col("letters") >= LETTERS)
    if not stated and not seen.height:
        return [], []
    names = first_examples([*seen["SOPInstanceUID"], *examples])
    detail = f"the header says so of {plural(stated, 'image')}; of {sampled.images.height} that "
    detail += f"were read {seen.height} have a line of letters"
    count = max(stated, seen.height)
    shown = set(seen.sort("letters", descending=True)["SOPInstanceUID"].head(SHOWN))
    cases = [
        PageCase((panel,), "Letters", "", "Letters in the pixels", f"image {row['SOPInstanceUID']}")
        for row in drawn.iter_rows(named=True)
        if row["SOPInstanceUID"] in shown
        and (panel := picture_panel(row, HEADER, "as displayed")) is not None
    ]
    return [SurveyWarning("burnt_in_text", detail, count, names)], cases


def _constant(opened: OpenedArchive, drawn: pl.DataFrame, sampled: SampledValues) -> Found:
    """Warn of images of one value."""
    flat = sampled.images.filter("constant")
    if not flat.height:
        return [], []
    detail = f"{plural(flat.height, 'image')} of {sampled.images.height} that were read"
    examples = first_examples(flat["path"])
    return [SurveyWarning("constant_image", detail, flat.height, examples)], []
