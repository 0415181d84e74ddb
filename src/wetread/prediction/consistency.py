"""prediction/consistency.py: the answer of least expected cost that obeys a task's rules. Exact.

**The question.** A study has raw probabilities: p_j of its S findings, s_k of its images. Wanted
are x_j and y_k that obey the rules (evaluation/group_rules.py) and cost least, where

    cost(x, y) = sum_j w_j H(p_j, x_j) + w m sum_k H(s_k, y_k),
    H(p, x) = -p log c(x) - (1 - p) log(1 - c(x)),  c clips to [1e-15, 1 - 1e-15],  m = mean_k s_k.

That is the study's expected part of a weighted log loss if the raw probabilities are those of the
truth, with the share q of positive images, which weighs the images, at its expectation m. (What the
loss is divided by does not depend on x and y.) "Above 0.5" means at least ABOVE = 0.5 + 1e-6, so
that it is still above 0.5 in single precision and when written with six decimals; "not above" means
at most 0.5. A raw value between the two moves to one of them.

**Why the answer is exact.** Let a pattern say of every finding and every image whether it is above.
A rule looks at the pattern alone, so the least cost is the least over the allowed patterns of the
least within a pattern.

1. Within a pattern the cost is a sum of terms of one unknown each, locked to [0, 0.5] or to
   [ABOVE, 1]. H(p, .) falls up to p and rises after it (its derivative has the sign of x - p inside
   the clip and is 0 outside), so each term is least at the point of its interval nearest to p:
   min(p, 0.5) or max(p, ABOVE). Call its costs there "no" and "yes".
2. The findings and "some image is above" have 2^(S + 1) patterns. Those that break no rule are
   listed once for a task, and all of them are tried.
3. Without a positive image every image is a "no". With one, each image would be on its cheaper
   side; if none is above there, exactly one has to be raised (raising another only adds). All
   images have one weight, and the price of raising, H(s, y) - H(s, z) with z on its "no" side, has
   the derivative log(z / (1 - z)) - log(y / (1 - y)) in s (where z moves with s, H is least in it
   and adds nothing), negative as z < y = ABOVE: the image of the largest s is the cheapest.

So one pass over the images is enough, and studies are solved all at once. Of patterns that cost the
same the first is taken, of images the first. A study without images has no positive one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np

from wetread.archive.types import BoolArray, Float64Array, Int64Array
from wetread.evaluation.group_rules import RuleSet
from wetread.evaluation.metrics import THRESHOLD, log_losses
from wetread.labels.exams import Exams, require_probabilities

ABOVE = THRESHOLD + 1e-6
MOST_FINDINGS = 16  # all patterns are listed


@dataclass(frozen=True, eq=False)
class AnswerCosts:
    """Rules that an answer of a task obeys, and its costs.

    rules:        over the S findings of studies.
    weights:      (S,) float64 of the findings in the loss.
    image_weight: of an image, times the share of positive images in its study.
    """

    rules: RuleSet
    weights: Float64Array
    image_weight: float

    def __post_init__(self) -> None:
        count = len(self.rules.findings)
        if count > MOST_FINDINGS or self.weights.shape != (count,):
            raise ValueError(
                f"{count} findings and weights {self.weights.shape}; up to {MOST_FINDINGS} "
                "findings have one weight each"
            )
        if not self.patterns.size:
            raise ValueError("no answer obeys all rules: they contradict each other")

    @cached_property
    def patterns(self) -> BoolArray:
        """List what may be present at once, (P, S) bool: first without a positive image."""
        return np.concatenate([self._allowed(False), self._allowed(True)])

    @cached_property
    def with_image(self) -> BoolArray:
        """Mark the patterns that go with a positive image, (P,) bool."""
        without = len(self._allowed(False))
        return np.arange(len(self.patterns)) >= without

    def _allowed(self, some_image: bool) -> BoolArray:
        present = np.array(list(product((False, True), repeat=len(self.rules.findings))))
        broken = self.rules.broken_patterns(present, np.full(len(present), some_image))
        return present[~broken.any(axis=1)]


def make_consistent(raw: Exams, costs: AnswerCosts) -> Exams:
    """Find the exams of least expected cost that break no rule: study (N, S), image (M,).

    Raises ValueError for a raw value that is no probability, and where no answer obeys: an exam
    without images under rules that ask for a positive one.
    """
    costs.rules.require_columns(raw)
    require_probabilities(raw)
    none, some = _below(raw.image), _some_above(raw)
    pattern = _cheapest_patterns(raw, none, some, costs)
    study = np.where(costs.patterns[pattern], _above(raw.study), _below(raw.study))
    image = np.where(costs.with_image[pattern][raw.exam_of_image], some, none)
    return Exams(study, image, raw.starts)


def expected_cost(raw: Exams, given: Exams, costs: AnswerCosts) -> Float64Array:
    """Cost (N,) of the module's docstring of answering `given` where `raw` is the truth's."""
    study = log_losses(raw.study, given.study) @ costs.weights
    image = raw.sum_images(log_losses(raw.image, given.image))
    total: Float64Array = study + _image_weight(raw, costs) * image
    return total


def _below(raw: Float64Array) -> Float64Array:
    value: Float64Array = np.minimum(raw, THRESHOLD)
    return value


def _above(raw: Float64Array) -> Float64Array:
    value: Float64Array = np.maximum(raw, ABOVE)
    return value


def _price(raw: Float64Array, answer: Float64Array) -> Float64Array:
    """Cost of an answer in place of the raw value, any shape; exactly 0 where they are equal."""
    price: Float64Array = log_losses(raw, answer) - log_losses(raw, raw)
    return price


def _image_weight(raw: Exams, costs: AnswerCosts) -> Float64Array:
    """Weight w m of each image of an exam, (N,)."""
    mean = raw.sum_images(raw.image) / np.maximum(raw.sizes, 1)
    weight: Float64Array = costs.image_weight * mean
    return weight


def _cheapest_patterns(
    raw: Exams, none: Float64Array, some: Float64Array, costs: AnswerCosts
) -> Int64Array:
    """Choose the row of the patterns that costs each exam least, (N,). none, some: (M,) the
    cheapest images with none above 0.5 and with at least one."""
    weight = _image_weight(raw, costs)
    of_none = weight * raw.sum_images(_price(raw.image, none))
    of_some = weight * raw.sum_images(_price(raw.image, some))
    of_some[raw.sizes == 0] = np.inf
    cost = np.where(costs.with_image, of_some[:, None], of_none[:, None])  # (N, P)
    no, yes = _price(raw.study, _below(raw.study)), _price(raw.study, _above(raw.study))
    for column, weight_of_label in enumerate(costs.weights):  # one by one: alike in every batch
        present = costs.patterns[:, column]
        cost += weight_of_label * np.where(present, yes[:, [column]], no[:, [column]])
    best: Int64Array = np.argmin(cost, axis=1)
    if np.isinf(cost[np.arange(len(cost)), best]).any():
        raise ValueError("an exam without images has no answer that obeys: the rules ask for one")
    return best


def _some_above(raw: Exams) -> Float64Array:
    """Put each image (M,) on its cheaper side, and raise the largest where none is above."""
    image = raw.image.copy()
    between = np.flatnonzero((image > THRESHOLD) & (image < ABOVE))
    value = image[between]
    up = _price(value, _above(value)) <= _price(value, _below(value))
    image[between] = np.where(up, _above(value), _below(value))
    lacking = (raw.sum_images(image > THRESHOLD) == 0) & (raw.sizes > 0)
    image[_first_largest(raw)[lacking]] = ABOVE
    return image


def _first_largest(raw: Exams) -> Int64Array:
    """Find the place in raw.image of each exam's first largest image, (N,); 0 without images."""
    place = np.zeros(len(raw), dtype=np.int64)
    full = raw.sizes > 0
    if full.any():
        largest = np.maximum.reduceat(raw.image, raw.starts[:-1][full])
        is_it = raw.image == np.repeat(largest, raw.sizes[full])
        places = np.flatnonzero(is_it)
        exams, first = np.unique(raw.exam_of_image[places], return_index=True)
        place[exams] = places[first]
    return place
