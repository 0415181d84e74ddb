"""tasks/own/build.py: the words of a task's file become a Task; what contradicts itself is refused.

Findings of images alone are learned slice by slice, findings of studies from whole series.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from wetread.archive.types import Float32Array, Float64Array
from wetread.evaluation.baselines import gray_histogram, histogram_features
from wetread.evaluation.task_metric import TaskMetric
from wetread.labels.finding import Finding, finding_weights
from wetread.store.pack_series import FindBox, OneBox
from wetread.study.display import display_grey, hounsfield
from wetread.study.series_choice import SeriesPreference
from wetread.tasks.own.coherence import CoherentProbabilities, coherent_probabilities
from wetread.tasks.own.crops import CT_CROPS, FILM_CROPS, PHANTOMS_OF, PICTURE
from wetread.tasks.own.findings import (
    derived_unions,
    drawn_findings,
    headline,
    task_findings,
    unions,
)
from wetread.tasks.own.labels import label_forms, read_by_forms
from wetread.tasks.own.mask_submission import WRITTEN, OwnMaskSubmission
from wetread.tasks.own.recipe import task_recipe
from wetread.tasks.own.rules import TaskRules, label_rules, task_rules
from wetread.tasks.own.schema import (
    SubmissionEntry,
    TaskEntry,
    TaskFileError,
    parse_task,
    read_text,
)
from wetread.tasks.own.submission import OwnSubmission
from wetread.tasks.task import NO_PHANTOMS, Demo, SubmissionForm, Task
from wetread.training.series.pooling import Pool
from wetread.training.series.spec import CropEncoder, SeriesSpec
from wetread.training.slices.spec import SliceSpec

if TYPE_CHECKING:
    from wetread.training.losses import SeriesLoss
    from wetread.training.series.series import Series

VALUES_IN_HU = "CT"  # of other modalities the gray as it is displayed is packed
Histogram = Callable[[Float32Array], Float32Array]


def read_task_file(path: Path) -> Task:
    """Read a task of a TOML file. TaskFileError, with the key, for what does not fit."""
    return build_task(read_text(path), str(path), path.stem)


def build_task(text: str, where: str, stem: str) -> Task:
    """Make a Task of its TOML. where: its file, for messages; stem: its name where it has none."""
    entry = parse_task(text, where)
    in_hu = _in_hu(entry, where)
    findings = task_findings(entry, where)
    crops = CT_CROPS if in_hu else FILM_CROPS
    crop = entry.crop or PICTURE
    if crop not in crops:
        raise TaskFileError(
            f"{where}: crop = {crop!r} is none for {', '.join(entry.modalities)}; "
            f"known: {', '.join(crops)}"
        )
    name = entry.name or stem
    of_studies = any(one.level == "study" for one in findings)
    if entry.series.pool != "best" and not of_studies:
        raise TaskFileError(
            f"{where}: series.pool = {entry.series.pool!r} is for findings of studies, and these "
            "are of images"
        )
    phantoms_of = PHANTOMS_OF.get(crop) if in_hu else None
    recipe, settings = task_recipe(
        entry, where, in_hu=in_hu, of_studies=of_studies, phantoms=phantoms_of is not None
    )
    histogram = histogram_features if in_hu else gray_histogram
    any_of = unions(entry, findings, where)
    rules = _rules(entry, findings, any_of, where)
    metric = _metric(entry, rules, of_studies=of_studies)
    return Task(
        name=name,
        title=entry.title or name,
        modalities=tuple(entry.modalities),
        headline=headline(entry, findings, where),
        spec=_spec(
            name,
            findings,
            drawn_findings(entry, findings, where),
            crops[crop],
            histogram,
            entry.series.pool,
            rules,
        ),
        read_labels=partial(
            read_by_forms, forms=label_forms(entry), any_of=derived_unions(entry, any_of)
        ),
        submission=_submission(entry, findings, metric, where, of_studies=of_studies),
        recipe=recipe,
        settings=settings,
        phantoms=NO_PHANTOMS,
        phantoms_of=phantoms_of,
        descriptions={one.name: one.description for one in entry.findings if one.description},
        abbreviations=entry.abbreviations,
        preference=SeriesPreference(
            tuple(entry.series.body_parts),
            entry.series.least_slices,
            entry.series.thickness_mm,
            entry.series.sharp,
        )
        if in_hu
        else None,  # each film of a study is a series of its own
        values=hounsfield if in_hu else display_grey,
        metric=metric,
        label_rules=label_rules([group.exactly_one for group in entry.groups], any_of),
        demo=Demo(),
        source=text,
    )


def _spec(
    name: str,
    findings: Sequence[Finding],
    drawn: tuple[Finding, ...],
    find_box: FindBox,
    histogram: Histogram,
    pool: Pool,
    rules: TaskRules | CoherentProbabilities,
) -> SliceSpec | SeriesSpec:
    """Say how findings are learned: slice by slice where all are of images; else from whole series,
    where each finding may be known of studies, of slices, or of both."""
    if all(one.level == "image" for one in findings):
        obey = rules.obey if rules.all else None
        return SliceSpec(name, tuple(findings), find_box, drawn, histogram=histogram, obey=obey)
    of_images = tuple(replace(one, level="image") for one in findings)
    weights = finding_weights(findings).tolist()
    return SeriesSpec(
        image_findings=of_images,
        study_findings=tuple(replace(one, level="study") for one in findings),
        encoders=(CropEncoder(name, of_images, slice_targets),),
        find_boxes=OneBox(find_box),
        loss=partial(pooled_loss, weights=weights),
        make_consistent=rules.obey_series,
        broken_rules=rules.broken_series,
        histogram=histogram,
        study_from_images=True,
        study_labels=True,
        pool=pool,
    )


def slice_targets(image: Float64Array, study: Float64Array) -> Float64Array:
    """Return the labels of slices, image (N, F), and where they have none those of their studies at
    each slice, study (N, F)."""
    return np.where(np.isnan(image), study, image)


def pooled_loss(learned: Series, weights: Sequence[float]) -> SeriesLoss:
    """Make the loss of series: the cross entropy of what is known of studies and of slices."""
    from wetread.training.losses import pooled_series_loss  # torch: where it is learned alone

    return pooled_series_loss(weights)


def _in_hu(entry: TaskEntry, where: str) -> bool:
    """Whether the values are HU. TaskFileError where modalities of both kinds are named."""
    kinds = {modality == VALUES_IN_HU for modality in entry.modalities}
    if len(kinds) > 1:
        raise TaskFileError(
            f"{where}: modalities = {entry.modalities}: CT is in HU and the others are not; write "
            "a task for each"
        )
    return kinds.pop()


def _metric(
    entry: TaskEntry, rules: TaskRules | CoherentProbabilities, *, of_studies: bool
) -> TaskMetric:
    """Return the metric, whose answers obey the rules: of studies read as wholes all of them."""
    groups = tuple(tuple(group.exactly_one) for group in entry.groups)
    if not rules.all:
        return TaskMetric(entry.metric, groups)
    return TaskMetric(entry.metric, groups, partial(_obey_all, rules) if of_studies else rules.obey)


def _obey_all(
    rules: TaskRules | CoherentProbabilities, level: str, answer: Float64Array
) -> Float64Array:
    return rules.obey("image", answer)


def _submission(
    entry: TaskEntry,
    findings: Sequence[Finding],
    metric: TaskMetric,
    where: str,
    *,
    of_studies: bool,
) -> SubmissionForm:
    """Return the form of submissions, whose rows are of what the findings are of."""
    drawn = any(one.level == "pixel" for one in entry.findings)
    if entry.metric == "dice" and not drawn:
        raise TaskFileError(
            f"{where}: metric = 'dice' is of what is drawn; give a finding level = \"pixel\""
        )
    given = entry.submission or SubmissionEntry(
        layout="masks" if entry.metric == "dice" else "long"
    )
    if given.layout == "masks":
        return _masks(entry, given, where)
    by = given.by or ("study" if of_studies else "image")
    if (by == "image") == of_studies:
        level = "studies" if of_studies else "images"
        raise TaskFileError(f"{where}: submission.by = {by!r}, and the findings are of {level}")
    words = {one.name: (one.label or [one.name])[0] for one in entry.findings}
    return OwnSubmission(
        metric=metric,
        findings=tuple(findings),
        layout=given.layout,
        by=by,
        words=words,
        id=given.id,
        value=given.value,
        separator=given.separator,
    ).form


def _masks(entry: TaskEntry, given: SubmissionEntry, where: str) -> SubmissionForm:
    """Return the form of submissions of masks, which are of the one finding that is drawn."""
    drawn = [one.name for one in entry.findings if one.level == "pixel"]
    if len(drawn) != 1:
        raise TaskFileError(
            f"{where}: submission.layout = 'masks' is of one finding of level 'pixel', and there "
            f"are {len(drawn)}"
        )
    if given.runs_form not in WRITTEN:
        raise TaskFileError(
            f"{where}: submission.runs_form = {given.runs_form!r} is not written; known: "
            f"{', '.join(WRITTEN)}"
        )
    written = given.model_fields_set
    names = {name: getattr(given, name) for name in ("id", "value") if name in written}
    return OwnMaskSubmission(drawn[0], runs_form=given.runs_form, empty=given.empty, **names).form


def _rules(
    entry: TaskEntry,
    findings: Sequence[Finding],
    any_of: Mapping[str, tuple[str, ...]],
    where: str,
) -> TaskRules | CoherentProbabilities:
    """Return the rules of groups and unions: by decisions where the metric is the weighted log
    loss, else as probabilities agree."""
    names = [one.name for one in findings]
    for number, group in enumerate(entry.groups, start=1):
        strange = [name for name in group.exactly_one if name not in names]
        if strange:
            raise TaskFileError(
                f"{where}: groups[{number}].exactly_one names {strange[0]!r}, which is no finding; "
                f"there are: {', '.join(names)}"
            )
    make = task_rules if entry.metric == "weighted_log_loss" else coherent_probabilities
    try:
        return make(findings, [group.exactly_one for group in entry.groups], any_of)
    except ValueError as error:
        raise TaskFileError(f"{where}: groups and any_of: {error}") from None
