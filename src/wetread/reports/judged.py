"""reports/judged.py: a level's headline beside how unsure it is, for scores and the page."""

from __future__ import annotations

from wetread.evaluation.abstention import JudgedRows, judge_rows
from wetread.labels.finding import finding_names
from wetread.training.predictions import LevelPredictions


def judged_headline(part: LevelPredictions, headline: str) -> JudgedRows | None:
    """Put one level's rows of the headline beside their uncertainties; None where it has it not."""
    names = finding_names(part.findings)
    if headline not in names:
        return None
    column = names.index(headline)
    apart = None if part.disagreement is None else part.disagreement[:, column]
    return judge_rows(part.truth[:, column], part.probability[:, column], part.patients, apart)
