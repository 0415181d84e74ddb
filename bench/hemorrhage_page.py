"""bench/hemorrhage_page.py: figures of slices and studies of head phantoms, and their page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from wetread.archive.types import Float64Array, Int64Array
from wetread.evaluation.aggregate import study_maximum
from wetread.evaluation.intervals import bootstrap
from wetread.evaluation.metrics import roc_auc, weighted_log_loss
from wetread.labels.finding import finding_weights
from wetread.tasks import TASKS

DRAWS = 1000
FINDINGS = TASKS["hemorrhage"].at("image")
ANY = [finding.name for finding in FINDINGS].index("any")


@dataclass(frozen=True, eq=False)
class Truth:
    """Labels (N, F) of the slices that are read, their studies and patients (N,)."""

    image: Float64Array
    studies: list[str]
    patients: list[str]


Figure = Callable[[Float64Array, Truth, Int64Array], float]


def loss(probability: Float64Array, truth: Truth, rows: Int64Array) -> float:
    """The official log loss of slices (n,)."""
    return weighted_log_loss(truth.image[rows], probability[rows], finding_weights(FINDINGS))


def auc_by_slice(probability: Float64Array, truth: Truth, rows: Int64Array) -> float:
    """ROC AUC of any hemorrhage in slices (n,)."""
    return roc_auc(truth.image[rows, ANY], probability[rows, ANY])


def auc_by_study(probability: Float64Array, truth: Truth, rows: Int64Array) -> float:
    """ROC AUC of any hemorrhage in the studies of slices (n,), each as its worst slice."""
    names = np.array(truth.studies)[rows].tolist()
    _, true = study_maximum(truth.image[rows][:, [ANY]], names)
    _, answered = study_maximum(probability[rows][:, [ANY]], names)
    return roc_auc(true[:, 0], answered[:, 0])


FIGURES: dict[str, Figure] = {
    "weighted log loss": loss,
    "ROC AUC by slice": auc_by_slice,
    "ROC AUC by study": auc_by_study,
}


def page(
    answers: dict[str, dict[int, Float64Array]], truth: Truth, default: str, studies: int
) -> str:
    """Write docs/experiments/benchmark.md of the answers of each way by seed; default: the way that
    the others are compared with; studies: how many were learned."""
    everything = np.arange(len(truth.patients))
    lines = [
        "# Experiments: a benchmark of head phantoms", "",
        f"Written by `python -m bench hemorrhage`: {studies} phantom studies are learned (of which "
        f"the training keeps a fifth for its own score), {studies} others read: "
        f"{len(truth.patients):,} slices, {int(truth.image[:, ANY].sum()):,} with hemorrhage. Mean "
        "over the seeds (with two and more the standard deviation in brackets), then the "
        f"difference to `{default}` of the first seed and its 95 % interval over patients, paired, "
        f"{DRAWS} draws. Below 0 in the first column is better than ours, above 0 in the others. "
        "Of a way marked by * the log loss is no lower than the histogram's: to beat it counts for "
        "nothing. All learned phantoms alone, so that their calibration is fitted to phantoms "
        "changed as if other scanners had made them; here it costs what the row without it gains.",
        "",
        "| way | seeds | " + " | ".join(FIGURES) + " |", "|---|---|" + "---|" * len(FIGURES),
    ]  # fmt: skip
    ours = answers.get(default, {}).get(0)
    floor = loss(answers["histogram"][0], truth, everything)
    for name, by_seed in answers.items():
        cells = []
        for figure in FIGURES.values():
            values = [figure(one, truth, everything) for one in by_seed.values()]
            cell = f"{np.mean(values):.4f}"
            if len(values) > 1:
                cell += f" ({np.std(values, ddof=1):.4f})"
            if ours is not None and name != default and 0 in by_seed:
                cell += difference(figure, by_seed[0], ours, truth)
            cells.append(cell)
        losses = [loss(one, truth, everything) for one in by_seed.values()]
        mark = " *" if name != "histogram" and np.mean(losses) >= floor else ""
        lines.append(f"| {name}{mark} | {len(by_seed)} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def difference(figure: Figure, one: Float64Array, ours: Float64Array, truth: Truth) -> str:
    """The difference of a figure to ours, with its interval, as text."""
    everything = np.arange(len(truth.patients))
    gap = figure(one, truth, everything) - figure(ours, truth, everything)
    interval = bootstrap(
        lambda rows: figure(one, truth, rows) - figure(ours, truth, rows),
        truth.patients,
        np.random.default_rng(0),
        draws=DRAWS,
    )
    assert interval is not None
    return f" {gap:+.4f} [{interval[0]:+.4f}, {interval[1]:+.4f}]"
