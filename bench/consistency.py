"""bench/consistency.py: what it costs to obey the rules, ours beside two known ways.

python -m bench consistency: the real exams' out-of-fold probabilities of the nine labels, each exam
with image probabilities drawn from a seed (none were published), and as many random exams. The
table of docs/embolism.md is printed by python -m bench.consistency. WETREAD_DATA names the folder
that holds `embolism/` (exam_labels.csv, exam_predictions_oof.csv).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from bench.rule_rivals import clip_by_images, two_candidates
from wetread.labels.exams import Exams
from wetread.prediction import consistency
from wetread.tasks.embolism.consistency import COSTS
from wetread.tasks.embolism.findings import EXAM_NAMES, NOT_POSITIVE
from wetread.tasks.embolism.metric import exam_losses
from wetread.tasks.embolism.rules import RULES

make_consistent = partial(consistency.make_consistent, costs=COSTS)
expected_cost = partial(consistency.expected_cost, costs=COSTS)

SEED = 0
RANDOM = 20_000
WAYS: dict[str, Callable[[Exams], Exams]] = {
    "ours": make_consistent,
    "clipping": clip_by_images,
    "two candidates": two_candidates,
}


def compare() -> list[dict[str, Any]]:
    """Rows for the bench: expected cost added on the real exams, rival by rival."""
    raw, _ = real_exams()
    ours, _, _ = judged(raw, make_consistent)
    rows = []
    for name in ("clipping", "two candidates"):
        theirs, _, _ = judged(raw, WAYS[name])
        rows.append(
            {
                "name": f"consistency_vs_{name.replace(' ', '_')}",
                "ours": ours,
                "theirs": theirs,
                "unit": "expected cost added an exam",
                "ratio": theirs / ours,
                "remark": f"{len(raw)} real exams, drawn images",
            }
        )
    return rows


def judged(raw: Exams, way: Callable[[Exams], Exams]) -> tuple[float, float, float]:
    """Mean expected cost added an exam, share of exams that break a rule after, exams a second."""
    began = time.process_time()
    given = way(raw)
    seconds = time.process_time() - began
    added = expected_cost(raw, given) - expected_cost(raw, raw)
    return (
        float(added.mean()),
        float(RULES.broken_rules(given).any(axis=1).mean()),
        len(raw) / seconds,
    )


def real_exams() -> tuple[Exams, Exams]:
    """Probabilities and labels (those of images unknown) of the real exams.

    Images: a bump over a tenth or so of the exam, its height about what the labels say of an
    embolus (1 - negative - indeterminate), off by one in its logit; and a floor of small noise.
    """
    folder = Path(os.environ.get("WETREAD_DATA", "../shared/data")) / "embolism"
    table = pl.read_csv(folder / "exam_labels.csv", infer_schema_length=None)
    predicted = pl.read_csv(folder / "exam_predictions_oof.csv").select(EXAM_NAMES).to_numpy()
    rng = np.random.default_rng(SEED)
    sizes = table.select(pl.coalesce("n_slices", "n_slices_at_least")).to_series().to_numpy()
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    embolus = np.clip(1 - predicted[:, list(NOT_POSITIVE)].sum(axis=1), 0.01, 0.99)
    height = 1 / (1 + np.exp(-np.log(embolus / (1 - embolus)) - rng.normal(0, 1, len(sizes))))
    center, width = rng.uniform(0.3, 0.7, len(sizes)), rng.uniform(0.03, 0.12, len(sizes))
    exam = np.repeat(np.arange(len(sizes)), sizes)
    place = (np.arange(starts[-1]) - starts[exam]) / sizes[exam]
    bump = height[exam] * np.exp(-(((place - center[exam]) / width[exam]) ** 2) / 2)
    image = np.clip(bump + rng.beta(1, 60, len(exam)), 0, 1)
    labels = table.select(EXAM_NAMES).to_numpy().astype(np.float64)
    unknown = np.full(len(exam), np.nan)
    return Exams(predicted, image, starts), Exams(labels, unknown, starts)


def random_exams() -> Exams:
    """Exams that mean nothing: every label and image anywhere between 0 and 1."""
    rng = np.random.default_rng(SEED)
    sizes = rng.integers(40, 301, RANDOM)
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    image = rng.random(starts[-1]) * np.repeat(rng.uniform(0.1, 1, RANDOM), sizes)
    return Exams(rng.random((RANDOM, 9)), image, starts)


def tied_exams() -> Exams:
    """The random ones rounded to tenths: full of ties and exact halves."""
    exams = random_exams()
    return replace(exams, study=exams.study.round(1), image=exams.image.round(1))


def table() -> str:
    """The table of docs/embolism.md."""
    raw, truth = real_exams()
    lines = [
        "| exams | way | break a rule | cost added | exam loss | exams a second |",
        "|---|---|---|---|---|---|",
    ]
    for title, exams, known in (
        ("real", raw, truth),
        ("random", random_exams(), None),
        ("random, in tenths", tied_exams(), None),
    ):
        before = RULES.broken_rules(exams).any(axis=1).mean()
        lines.append(f"| {title} | as predicted | {before:.1%} | 0 | {_loss(known, exams)} | |")
        for name, way in WAYS.items():
            added, after, speed = judged(exams, way)
            loss = _loss(known, way(exams))
            lines.append(f"| | {name} | {after:.2%} | {added:.5f} | {loss} | {speed:,.0f} |")
    return "\n".join(lines)


def _loss(truth: Exams | None, given: Exams) -> str:
    if truth is None:
        return ""
    parts = exam_losses(truth, given)
    return f"{parts.study_loss.sum() / parts.study_weight.sum():.5f}"


if __name__ == "__main__":
    print(table())
