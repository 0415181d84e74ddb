"""cli/text.py: results as lines for an 80-column terminal. No file is read here."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wetread.archive.files.foreign_text import visible
from wetread.archive.plural import plural, singular

if TYPE_CHECKING:  # for types alone: the command line starts without loading what it may not need
    from wetread.archive.index.index import Index, IndexCounts
    from wetread.evaluation.score import Score
    from wetread.evaluation.submission import SubmissionScores
    from wetread.study.patients import Identity
    from wetread.verbs.demo import DemoResult
    from wetread.verbs.doctor import Extra, Installation
    from wetread.verbs.features import FeatureTable
    from wetread.verbs.train.train import TrainResult

HEADINGS = (
    "weighted_log_loss", "group_log_loss", "mean_roc_auc", "probabilistic_f1",
    "exam_log_loss", "image_log_loss", "roc_auc", "average_precision", "dice",
    "mean_probability", "ece",
)  # fmt: skip
MOST = 10  # rows printed of a list that may be long
WIDTH = 80  # columns of the terminal


def wrapped(lines: Iterable[str]) -> list[str]:
    """Wrap lines to the width of the terminal, but for a path or an id that is wider by itself.

    Nothing that a terminal obeys stays in them.
    """
    return [
        part
        for line in lines
        for part in textwrap.wrap(
            visible(line),
            WIDTH,
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        or [""]
    ]


def index_lines(found: Index, out: Path, table: Path | None = None) -> list[str]:
    """Return counts that add up, the rejects by reason, and where index and table lie."""
    counts = found.counts()
    lines = [sum_of_files(counts), sum_of_series(counts)]
    if number := counts["without_header"]:
        lines.append(f"{plural(number, 'image')} without a DICOM header, of the modality given")
    lines += [
        f"  rejected  {number:>7}  {reason}" for reason, number in counts["by_reason"].items()
    ]
    if pictures := found.pictures_refused():
        lines.append(
            f"{pictures} of them PNG, JPEG or NIfTI: --pictures MODALITY takes them, as DX or CT"
        )
    return [*lines, f"index: {out}", *([f"table: {table}"] if table else [])]


def sum_of_files(counts: IndexCounts) -> str:
    """`3 files = 1 image + 0 other objects + 1 duplicate + 1 reject`."""
    return (
        f"{plural(counts['files'], 'file')} = {plural(counts['instances'], 'image')} + "
        f"{plural(counts['not_image'], 'other object')} + "
        f"{plural(counts['duplicates'], 'duplicate')} + {plural(counts['rejects'], 'reject')}"
    )


def sum_of_series(counts: IndexCounts) -> str:
    """`1 patient, 1 study, 2 series`."""
    patients, studies = plural(counts["patients"], "patient"), plural(counts["studies"], "study")
    return f"{patients}, {studies}, {plural(counts['series'], 'series')}"


def counted(counts: Mapping[str, int]) -> str:
    """`3 studies, 80 images`."""
    named = ((number, name.replace("_", " ")) for name, number in counts.items())
    return ", ".join(
        f"{number} {singular(name) if number == 1 else name}" for number, name in named
    )


def run_lines(result: TrainResult) -> list[str]:
    """Return how images and labels met, the scores of a run, and where its page lies."""
    counts = result.counts
    return [
        *_left_out(result),
        f"{plural(counts['packed_images'], 'image')}: {counts['labelled_images']} labelled"
        f"{by_study(counts)}, {counts['images_without_label']} without label; "
        f"{plural(counts['labels_without_image'], 'label')} without image",
        f"{plural(counts['duplicate_labels'], 'duplicate label')} dropped, "
        f"{plural(counts['conflicting_labels'], 'conflicting label')} left unknown"
        f"{': conflicting_labels.csv' if counts['conflicting_labels'] else ''}",
        *repaired_lines(counts.get("ids_repaired", 0)),
        *_refused_masks(counts),
        *(
            f"{name}: {positive} of {plural(known, 'known label')} positive: nothing can be "
            "learned of it"
            for name, (positive, known) in result.few.items()
        ),
        *patient_lines(result.identity),
        f"this run {result.origin}",
        *score_lines(result.scores),
        f"run:  {result.run}",
        f"page: {result.run / 'page.html'}",
    ]


def fold_lines(result: TrainResult) -> list[str]:
    """Return the line of a fold that was fitted alone: what its run still lacks."""
    lacking = ", ".join(map(str, result.missing))
    return [
        f"fold {result.fold} is fitted; {plural(len(result.missing), 'fold')} still missing: "
        f"{lacking}: {result.run}"
    ]


def by_study(counts: Mapping[str, int]) -> str:
    """Return how many images have a label by their study alone, in brackets; nothing for none."""
    count = counts.get("labelled_by_study", 0)  # runs of before have none
    return f" ({count} by their study alone)" if count else ""


def _left_out(result: TrainResult) -> list[str]:
    """Return how images add up where not all are learned from, and where the reasons stand."""
    counts = result.counts
    lost, other = counts["undecodable_images"], counts["images_of_other_modalities"]
    lines = []
    if counts["rejects"]:
        lines.append(f"{plural(counts['rejects'], 'file')} rejected when indexed")
    if lost or other:
        sum_of = f"{counts['packed_images']} read + {lost} that cannot be read"
        text = f"{plural(counts['instances'], 'image')} = {sum_of}"
        lines.append(text + (f" + {other} of other modalities" if other else ""))
    if lost:
        labels = counts["labels_of_undecodable_images"]
        lines.append(f"  {labels} of them labelled: {result.run / 'store' / 'rejects.parquet'}")
    return lines


def patient_lines(who: Identity) -> list[str]:
    """Return whether no patient is proven to be in two parts; where not, why and what to do."""
    if not who.proven:
        rest = "its study is" if who.unit == "mixed" else "the study is"
        return [
            f"patients are not known: {who.reason}; {rest} taken for one, and a person of two "
            "studies may be in two parts, of which there is no proof. "
            "Say which image is of which patient with --patients"
        ]
    proof = "no patient shared between the parts (folds.json has the proof)"
    if who.caution is None:
        return [proof]
    return [
        f"{proof} by {who.source}; but {who.caution}: persons could be in two parts. "
        "If so, say which image is of which patient with --patients"
    ]


def repaired_lines(ids: int) -> list[str]:
    """Return the line of how many ids were repaired; none where none was."""
    if not ids:
        return []
    return [f"{plural(ids, 'id')} of label files repaired: a blank, a path or an ending taken off"]


def _refused_masks(counts: Mapping[str, int]) -> list[str]:
    refused = counts.get("refused_masks", 0)
    return (
        [f"{plural(refused, 'mask')} refused and left unknown: refused_masks.csv"]
        if refused
        else []
    )


def score_lines(scores: Sequence[Score]) -> list[str]:
    """Return a table: each score with its interval, its baselines in the line below."""
    shown = [score for score in scores if score.metric in HEADINGS]
    wide = max(map(len, ("finding", *(score.finding for score in shown))))
    lines = [f"{'metric':<17} {'finding':<{wide}} {'level':<6} {'value':>6} {'95 % interval':>15}"]
    for row in shown:
        lines.append(f"{row.metric:<17} {row.finding:<{wide}} {row.level:<6} {_value(row)}")
        baselines = [
            f"{other.metric.removeprefix(row.metric + '_')} {other.value:.3f}"
            for other in scores
            if other.metric.startswith(row.metric + "_")
            and (other.finding, other.level, other.split) == (row.finding, row.level, row.split)
            and other.value is not None
        ]
        if baselines:
            lines.append(f"    beside {', '.join(baselines)}")
    return lines


def _value(score: Score) -> str:
    if score.value is None:
        return str(score.reason)
    if score.low is None:
        return f"{score.value:>6.3f}"
    return f"{score.value:>6.3f} {score.low:>7.3f}-{score.high:.3f}"


def feature_lines(result: FeatureTable) -> list[str]:
    """Return where the table lies, and what it counts."""
    counts = {"encoders": result.encoders, "studies": result.studies, "slices": result.slices}
    return [f"features: {result.file}", counted({**counts, "refused": result.refused})]


def submission_lines(result: SubmissionScores) -> list[str]:
    """Return the scores, then the ids that truth and submission do not share."""
    lines = score_lines(result.scores)
    for name, ids in (("missing in the submission", result.missing), ("too many", result.too_many)):
        lines.append(f"{plural(len(ids), 'label')} {name}" + (":" if ids else ""))
        lines += [f"  {label}" for label in ids[:MOST]]
        if len(ids) > MOST:
            lines.append(f"  ... and {len(ids) - MOST} more (--json lists all)")
    return lines + repaired_lines(result.ids_repaired) + _contradictions(result)


def _contradictions(result: SubmissionScores) -> list[str]:
    """Return how many exams contradict themselves and by which rule, where they have rules."""
    counted = [score for score in result.scores if score.metric == "inconsistent_exams"]
    if not counted:
        return []
    if counted[0].value is None:
        return [f"not known how many exams contradict themselves: {counted[0].reason}"]
    broken = [f"  {study}: rule {', '.join(rules)}" for study, rules in result.broken.items()]
    verb = "contradicts itself" if len(broken) == 1 else "contradict themselves"
    lines = [f"{plural(len(broken), 'exam')} {verb}" + (":" if broken else "")]
    lines += broken[:MOST]
    if len(broken) > MOST:
        lines.append(f"  ... and {len(broken) - MOST} more (--json lists all)")
    return lines


def demo_lines(result: DemoResult) -> list[str]:
    """Return the headline scores, the time of each step, and where the files lie."""
    rows = [score for score in result.scores if score.finding in ("all", result.headline)]
    steps = ", ".join(f"{step} {seconds:.0f} s" for step, seconds in result.seconds.items())
    return [
        f"this run {result.origin}",
        *score_lines(rows),
        f"time: {steps}",
        f"{plural(result.readings, 'study')} read: {result.out / 'readings'}",
        f"scores: {result.out / 'scores.json'}",
        f"readings' page: {result.out / 'readings.html'}",
        f"page:   {result.out / 'page.html'}  (open it in a browser)",
    ]


def doctor_lines(found: Installation) -> list[str]:
    """Return one line a package, device and transfer syntax."""
    return [
        f"python {found.python} on {found.platform}, {plural(found.cores, 'core')}",
        *_memory_and_disk(found),
        *(f"{name:<26} {version or 'missing'}" for name, version in found.packages.items()),
        *(_extra_line(name, extra) for name, extra in found.extras.items()),
        *(f"device  {device}" for device in found.devices),
        *(
            f"{row['uid']:<26} {'reads' if row['works'] else 'FAILS':<6} "
            f"{row['reason'] or row['name']}"
            for row in found.transfer_syntaxes
        ),
    ]


def _memory_and_disk(found: Installation) -> list[str]:
    """Return total and free memory, then the free space of each disk, in GB."""
    memory = found.memory
    lines = [
        f"memory  {memory['available'] / 1e9:.1f} GB free of {memory['total'] / 1e9:.1f} GB"
        if memory
        else "memory  not told by this system"
    ]
    return lines + [f"disk    {free / 1e9:.1f} GB free in {at}" for at, free in found.disk.items()]


def _extra_line(name: str, extra: Extra) -> str:
    """Return `extra   pictures: installed; NIfTI, ...`, or the packages that are missing of it."""
    missing = f"lacks {', '.join(extra['missing'])}" if extra["missing"] else "installed"
    return f"extra   {name}: {missing}; {extra['for']}"
