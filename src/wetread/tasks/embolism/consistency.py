"""tasks/embolism/consistency.py: the consistent exam of least expected cost. Pure NumPy, exact.

**What is asked.** An exam has raw probabilities: p_j of its nine labels, s_k of its images. Wanted
are x_j and y_k that obey the six rules of tasks/embolism/rules.py and cost least, where

    cost(x, y) = sum_j w_j H(p_j, x_j) + w m sum_k H(s_k, y_k),
    H(p, x) = -p log c(x) - (1 - p) log(1 - c(x)),  c clips to [1e-15, 1 - 1e-15],  m = mean_k s_k.

That is the exam's expected part of the official log loss if the raw probabilities are those of the
truth, with the share q of positive images, which weighs the images, at its expectation m. (What the
loss is divided by does not depend on x and y.) "Above 0.5" means at least ABOVE = 0.5 + 1e-6, so
that it is still above 0.5 in single precision and when written with six decimals; "not above" means
at most 0.5. A raw value between the two moves to one of them.

**Why the answer is exact.** Let a pattern say of every label and every image whether it is above.
A rule looks at the pattern alone, so the least cost is the least over the allowed patterns of the
least within a pattern.

1. Within a pattern the cost is a sum of terms of one unknown each, held to [0, 0.5] or to
   [ABOVE, 1]. H(p, .) falls up to p and rises after it (its derivative has the sign of x - p inside
   the clip and is 0 outside), so each term is least at the point of its interval nearest to p:
   min(p, 0.5) or max(p, ABOVE). Call its costs there "no" and "yes".
2. The nine labels and "some image is above" have 2^10 patterns. Those that break no rule are few
   (PATTERNS: 2 without, 42 with such an image); all are tried.
3. Without a positive image every image is a "no". With one, each image would be on its cheaper
   side; if none is above there, exactly one has to be raised (raising another only adds). All
   images have one weight, and the price of raising, H(s, y) - H(s, z) with z on its "no" side, has
   the derivative log(z / (1 - z)) - log(y / (1 - y)) in s (where z moves with s, H is least in it
   and adds nothing), negative as z < y = ABOVE: the image of the largest s is the cheapest.

So one pass over the images is enough, and exams are solved all at once. Of patterns that cost the
same the first in PATTERNS is taken, of images the first. An exam without images is not positive.
"""

from itertools import product

import numpy as np

from wetread.evaluation.metrics import log_losses
from wetread.tasks.embolism.exams import Exams, require_probabilities
from wetread.tasks.embolism.findings import IMAGE_FINDING
from wetread.tasks.embolism.metric import WEIGHTS
from wetread.tasks.embolism.rules import THRESHOLD, rules_broken

ABOVE = THRESHOLD + 1e-6


def _allowed(some_image: bool) -> np.ndarray:
    """(P, 9) bool: what may be said of the nine labels."""
    said = np.array(list(product((False, True), repeat=len(WEIGHTS))))
    broken = rules_broken(said, np.full(len(said), some_image))
    return said[~broken.any(axis=1)]


_WITHOUT, _WITH = _allowed(some_image=False), _allowed(some_image=True)
PATTERNS = np.concatenate([_WITHOUT, _WITH])  # (44, 9) bool
POSITIVE = np.arange(len(PATTERNS)) >= len(_WITHOUT)  # (44,): those with a positive image


def make_consistent(raw: Exams) -> Exams:
    """The exams of least expected cost that break no rule. Raises ValueError for a raw value that
    is no probability."""
    require_probabilities(raw)
    none, some = _below(raw.image), _some_above(raw)
    pattern = _cheapest_patterns(raw, none, some)
    study = np.where(PATTERNS[pattern], _above(raw.study), _below(raw.study))
    image = np.where(POSITIVE[pattern][raw.exam_of_image], some, none)
    return Exams(study, image, raw.starts)


def expected_cost(raw: Exams, given: Exams) -> np.ndarray:
    """(N,) cost of the module's docstring: what saying `given` costs where `raw` is the truth's."""
    study = log_losses(raw.study, given.study) @ WEIGHTS
    image: np.ndarray = raw.sum_images(log_losses(raw.image, given.image))
    total: np.ndarray = study + _image_weight(raw) * image
    return total


def _below(raw: np.ndarray) -> np.ndarray:
    value: np.ndarray = np.minimum(raw, THRESHOLD)
    return value


def _above(raw: np.ndarray) -> np.ndarray:
    value: np.ndarray = np.maximum(raw, ABOVE)
    return value


def _price(raw: np.ndarray, said: np.ndarray) -> np.ndarray:
    """What it costs to say this instead of the raw value; exactly 0 where they are the same."""
    price: np.ndarray = log_losses(raw, said) - log_losses(raw, raw)
    return price


def _image_weight(raw: Exams) -> np.ndarray:
    """(N,) w m: the weight of each image of an exam."""
    mean = raw.sum_images(raw.image) / np.maximum(raw.sizes, 1)
    weight: np.ndarray = IMAGE_FINDING.weight * mean
    return weight


def _cheapest_patterns(raw: Exams, none: np.ndarray, some: np.ndarray) -> np.ndarray:
    """(N,) the row of PATTERNS that costs the exam least. none, some: (M,) the cheapest images with
    none above 0.5 and with at least one."""
    weight = _image_weight(raw)
    of_none = weight * raw.sum_images(_price(raw.image, none))
    of_some = weight * raw.sum_images(_price(raw.image, some))
    of_some[raw.sizes == 0] = np.inf
    cost = np.where(POSITIVE, of_some[:, None], of_none[:, None])  # (N, 44)
    no, yes = _price(raw.study, _below(raw.study)), _price(raw.study, _above(raw.study))
    for column, weight_of_label in enumerate(WEIGHTS):  # one by one: the same in every batch
        said = PATTERNS[:, column]
        cost += weight_of_label * np.where(said, yes[:, [column]], no[:, [column]])
    best: np.ndarray = np.argmin(cost, axis=1)
    return best


def _some_above(raw: Exams) -> np.ndarray:
    """(M,) each image on its cheaper side, and the largest above where none is."""
    said = raw.image.copy()
    between = np.flatnonzero((said > THRESHOLD) & (said < ABOVE))
    value = said[between]
    up = _price(value, _above(value)) <= _price(value, _below(value))
    said[between] = np.where(up, _above(value), _below(value))
    lacking = (raw.sum_images(said > THRESHOLD) == 0) & (raw.sizes > 0)
    said[_first_largest(raw)[lacking]] = ABOVE
    return said


def _first_largest(raw: Exams) -> np.ndarray:
    """(N,) int64, the place in raw.image of each exam's first largest image; 0 without images."""
    place = np.zeros(len(raw), dtype=np.int64)
    full = raw.sizes > 0
    if full.any():
        largest = np.maximum.reduceat(raw.image, raw.starts[:-1][full])
        is_it = raw.image == np.repeat(largest, raw.sizes[full])
        places = np.flatnonzero(is_it)
        exams, first = np.unique(raw.exam_of_image[places], return_index=True)
        place[exams] = places[first]
    return place
