"""tests/tasks/embolism/test_consistency.py: no rule broken, and no consistent exam costs less."""

import importlib.util
from functools import cache, partial
from itertools import combinations_with_replacement, product
from pathlib import Path
from types import ModuleType

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wetread.labels.exams import Exams
from wetread.prediction import consistency
from wetread.prediction.consistency import ABOVE
from wetread.tasks.embolism.consistency import COSTS
from wetread.tasks.embolism.findings import EXAM_NAMES
from wetread.tasks.embolism.rules import RULES

make_consistent = partial(consistency.make_consistent, costs=COSTS)
expected_cost = partial(consistency.expected_cost, costs=COSTS)

WEIGHTS = np.array([
    0.0736196319, 0.2346625767, 0.0782208589, 0.06257668712, 0.1042944785, 0.06257668712,
    0.1042944785, 0.1877300613, 0.09202453988,
])  # fmt: skip
IMAGE_WEIGHT = 0.07361963
GAP = 0.5 + 4e-7  # above a half, and too near to it to be written
GRID = (0.0, 0.3, 0.5, GAP, 0.7, 1.0)


def check(study: np.ndarray, image: np.ndarray) -> tuple[str, ...]:
    """Names of the rules that one exam breaks, study (9,) and image (n,) probabilities."""
    exam = Exams(np.asarray(study)[None], np.asarray(image), np.array([0, len(image)]))
    return RULES.broken_names(exam)[0]


def ragged(study: np.ndarray, images: list[tuple[float, ...]]) -> Exams:
    starts = np.concatenate([[0], np.cumsum([len(part) for part in images])]).astype(np.int64)
    return Exams(np.asarray(study, float), np.array([v for part in images for v in part]), starts)


def obeys(yes: tuple[bool, ...], images: tuple[bool, ...]) -> bool:
    """The six rules in words."""
    said = dict(zip(EXAM_NAMES, yes, strict=True))
    ratios = said["rv_lv_ratio_gte_1"] + said["rv_lv_ratio_lt_1"]
    sides = said["central_pe"] + said["leftsided_pe"] + said["rightsided_pe"]
    chronic = said["chronic_pe"] + said["acute_and_chronic_pe"]
    neither = said["negative_exam_for_pe"] + said["indeterminate"]
    if any(images):
        return ratios == 1 and sides >= 1 and chronic <= 1 and neither == 0
    return neither == 1 and ratios == sides == chronic == 0


@cache
def allowed(images: int) -> np.ndarray:
    """(P, 9 + images) bool: all patterns of so many images that obey the rules."""
    patterns = product((False, True), repeat=9 + images)
    return np.array([pattern for pattern in patterns if obeys(pattern[:9], pattern[9:])])


def entropy(raw: np.ndarray, said: np.ndarray) -> np.ndarray:
    said = np.clip(said, 1e-15, 1 - 1e-15)
    return -(raw * np.log(said) + (1 - raw) * np.log(1 - said))


def costs(study: np.ndarray, image: np.ndarray, said: np.ndarray) -> np.ndarray:
    """Expected cost of each row of said, (P, 9 + n), where study (9,) and image (n,) are true."""
    raw = np.concatenate([study, image])
    weight = np.concatenate([WEIGHTS, np.full(len(image), IMAGE_WEIGHT * image.mean())])
    return entropy(raw, said) @ weight


def least_costs(study: np.ndarray, image: np.ndarray) -> np.ndarray:
    """(K,) of K exams, (K, 9) and (K, n): the least over all 2^(9 + n) patterns that obey, each at
    its nearest point."""
    raw = np.concatenate([study, image], axis=1)
    each = IMAGE_WEIGHT * np.repeat(image.mean(axis=1, keepdims=True), image.shape[1], axis=1)
    weight = np.concatenate([np.tile(WEIGHTS, (len(study), 1)), each], axis=1)
    yes = weight * entropy(raw, np.maximum(raw, ABOVE))
    no = weight * entropy(raw, np.minimum(raw, 0.5))
    pattern = allowed(image.shape[1])
    least: np.ndarray = (yes @ pattern.T + no @ ~pattern.T).min(axis=1)
    return least


def assert_least(study: np.ndarray, image: np.ndarray) -> None:
    """Of K exams, (K, 9) and (K, n)."""
    raw = ragged(study, [tuple(part) for part in image])
    given = make_consistent(raw)
    assert not RULES.broken_rules(given).any()
    assert expected_cost(raw, given) == pytest.approx(least_costs(study, image), abs=1e-13)


@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_every_pattern_of_labels_and_images_is_made_consistent_at_the_least_cost(
    length: int,
) -> None:
    """All 512 patterns of the nine labels with every choice of so many images from the grid."""
    rng = np.random.default_rng(length)
    labels = np.array(list(product((0.3, 0.7), repeat=9)))
    for images in combinations_with_replacement(GRID, length):
        assert_least(labels, np.tile(rng.permutation(images), (len(labels), 1)))


@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_ties_and_exact_halves_are_made_consistent_at_the_least_cost(length: int) -> None:
    rng = np.random.default_rng(10 + length)
    images = np.array(list(combinations_with_replacement(GRID, length)) * 200)
    assert_least(rng.choice(GRID, (len(images), 9)), rng.permuted(images, axis=1))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.floats(0, 1), min_size=9, max_size=9),
    st.lists(st.floats(0, 1), min_size=1, max_size=4),
)
def test_any_exam_is_made_consistent_at_the_least_cost(
    study: list[float], image: list[float]
) -> None:
    assert_least(np.array([study]), np.array([image]))


@settings(max_examples=300, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1))
def test_no_point_of_a_half_line_costs_less_than_the_nearest(raw: float, other: float) -> None:
    """The premise of least_costs: of the points on one side the nearest is the cheapest."""
    p = np.array(raw)
    yes, no = max(ABOVE, other), min(0.5, other)
    assert entropy(p, np.array(max(raw, ABOVE))) <= entropy(p, np.array(yes)) + 1e-12
    assert entropy(p, np.array(min(raw, 0.5))) <= entropy(p, np.array(no)) + 1e-12


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6))
def test_no_consistent_exam_drawn_at_random_costs_less(seed: int) -> None:
    rng = np.random.default_rng(seed)
    study, image = rng.random(9), rng.random(3)
    raw = ragged(study[None], [tuple(image)])
    least = expected_cost(raw, make_consistent(raw)).item()
    pattern = allowed(3)[rng.integers(0, len(allowed(3)), 400)]
    near = np.concatenate([study, image]) + rng.normal(0, 0.1, pattern.shape)
    said = np.where(pattern, np.clip(near, ABOVE, 1), np.clip(near, 0, 0.5))
    assert costs(study, image, said).min() >= least - 1e-13


def random_exams(count: int, seed: int) -> Exams:
    """Exams of 0 to 40 images, with ties, exact halves, zeros and ones."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(0, 41, count)
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    level = np.repeat(rng.choice([0.05, 0.4, 1.0], count), sizes)
    study, image = rng.random((count, 9)), rng.random(starts[-1]) * level
    for part in (study, image):
        odd = rng.random(part.shape) < 0.3
        part[odd] = rng.choice(GRID, part.shape)[odd]
    return Exams(study, image, starts)


def test_none_of_100_000_exams_breaks_a_rule() -> None:
    raw = random_exams(100_000, seed=0)
    given = make_consistent(raw)
    assert RULES.broken_rules(raw).any(axis=1).mean() > 0.9
    assert RULES.broken_rules(given).sum() == 0
    assert ((given.study <= 0.5) | (given.study >= 0.5 + 1e-6)).all()
    assert ((given.image <= 0.5) | (given.image >= 0.5 + 1e-6)).all()


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(GRID) | st.floats(0, 1), min_size=9, max_size=9),
    st.lists(st.sampled_from(GRID) | st.floats(0, 1), max_size=30),
)
def test_no_rule_is_broken_whatever_is_given(study: list[float], image: list[float]) -> None:
    given = make_consistent(ragged(np.array([study]), [tuple(image)]))
    assert check(given.study[0], given.image) == ()


def test_the_answer_obeys_in_single_precision_and_with_six_decimals(tmp_path: Path) -> None:
    given = make_consistent(random_exams(5_000, seed=1))
    path = tmp_path / "said.csv"
    pl.DataFrame({"image": given.image}).write_csv(path, float_precision=6)
    written = pl.read_csv(path)["image"].to_numpy()
    rounded = Exams(np.round(given.study, 6), written, given.starts)
    single = Exams(
        given.study.astype(np.float32).astype(float),
        given.image.astype(np.float32).astype(float),
        given.starts,
    )
    assert not RULES.broken_rules(rounded).any()
    assert not RULES.broken_rules(single).any()


def test_a_consistent_exam_stays_as_it_is() -> None:
    given = make_consistent(random_exams(5_000, seed=2))
    again = make_consistent(given)
    assert np.array_equal(again.study, given.study)
    assert np.array_equal(again.image, given.image)
    assert (expected_cost(given, again) == expected_cost(given, given)).all()


def test_an_exam_gets_the_same_answer_whatever_other_exams_there_are() -> None:
    raw = random_exams(300, seed=3)
    whole = make_consistent(raw)
    for exam in range(300):
        alone = make_consistent(raw.select(exam))
        assert np.array_equal(alone.study, whole.study[[exam]])
        assert np.array_equal(alone.image, whole.select(exam).image)


def test_the_image_that_is_raised_is_the_largest_and_of_equal_ones_the_first() -> None:
    positive = [0.1, 0.9, 0.1, 0.9, 0.1, 0.9, 0.1, 0.9, 0.1]
    given = make_consistent(ragged(np.array([positive]), [(0.1, 0.4, 0.2, 0.4)]))
    assert given.image.tolist() == [0.1, ABOVE, 0.2, 0.4]


def test_an_image_between_a_half_and_what_counts_as_above_goes_to_the_nearer() -> None:
    positive = [0.1, 0.9, 0.1, 0.9, 0.1, 0.9, 0.1, 0.9, 0.1]
    given = make_consistent(ragged(np.array([positive]), [(0.9, 0.5 + 9e-7, 0.5 + 1e-7)]))
    assert given.image.tolist() == [0.9, ABOVE, 0.5]


def test_where_two_sides_are_equal_one_is_raised() -> None:
    study = np.array([[0.1, 0.9, 0.1, 0.4, 0.1, 0.4, 0.1, 0.0, 0.1]])
    given = make_consistent(ragged(study, [(0.9, 0.9)]))
    sides = given.study[0, [EXAM_NAMES.index(f"{side}sided_pe") for side in ("left", "right")]]
    assert sorted(sides) == [0.4, ABOVE]


def test_an_exam_without_images_is_never_positive() -> None:
    given = make_consistent(ragged(np.array([[0.1] + [0.9] * 7 + [0.2]]), [()]))
    assert given.study[0].tolist() == [0.1] + [0.5] * 7 + [ABOVE]
    assert make_consistent(ragged(np.zeros((0, 9)), [])).study.shape == (0, 9)


def test_what_is_no_probability_is_refused() -> None:
    with pytest.raises(ValueError, match="nan is no probability"):
        make_consistent(ragged(np.full((1, 9), np.nan), [(0.5,)]))


@pytest.fixture(scope="module")
def rivals() -> ModuleType:
    """bench/rule_rivals.py."""
    path = Path(__file__).parents[3] / "bench" / "rule_rivals.py"
    spec = importlib.util.spec_from_file_location("rule_rivals", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def real_exams(real_data: Path) -> Exams:
    """Out-of-fold probabilities of the nine labels of all 7,279 real exams; images, of which none
    were published, drawn: flat noise, or with a few slices as sure as the exam is of an embolus."""
    folder = real_data / "embolism"
    if not folder.is_dir():
        pytest.skip(f"no folder {folder}")
    study = pl.read_csv(folder / "exam_predictions_oof.csv").select(EXAM_NAMES).to_numpy()
    sizes = pl.read_csv(folder / "exam_labels.csv")["n_slices_at_least"].to_numpy()
    starts = np.concatenate([[0], np.cumsum(sizes)])
    rng = np.random.default_rng(0)
    sure = np.repeat(1 - study[:, 0] - study[:, 8], sizes).clip(0, 1)
    image = rng.beta(1, 40, starts[-1]) + sure * (rng.random(starts[-1]) < 0.03)
    return Exams(study, image.clip(0, 1), starts)


def test_none_of_the_real_exams_breaks_a_rule(real_exams: Exams) -> None:
    given = make_consistent(real_exams)
    assert len(given) == 7279
    assert RULES.broken_rules(real_exams).any(axis=1).mean() > 0.05
    assert RULES.broken_rules(given).sum() == 0


def assert_never_dearer(raw: Exams, theirs: Exams) -> int:
    """Of exams in which theirs obeys; how many those are."""
    obeyed = ~RULES.broken_rules(theirs).any(axis=1)
    # Values between 0.5 and ABOVE, which they may leave, are no consistent answer here.
    between = [(part > 0.5) & (part < ABOVE) for part in (theirs.study, theirs.image)]
    obeyed &= ~between[0].any(axis=1) & (theirs.sum_images(between[1]) == 0)
    dearer = expected_cost(raw, make_consistent(raw)) - expected_cost(raw, theirs)
    assert dearer[obeyed].max() <= 1e-12
    return int(obeyed.sum())


@pytest.mark.parametrize("name", ["clip_by_images", "two_candidates"])
def test_no_rival_that_obeys_costs_less(rivals: ModuleType, name: str) -> None:
    raw = random_exams(2_000, seed=4)
    assert assert_never_dearer(raw, getattr(rivals, name)(raw)) > 200


@pytest.mark.parametrize("name", ["clip_by_images", "two_candidates"])
def test_no_rival_that_obeys_costs_less_on_the_real_exams(
    rivals: ModuleType, real_exams: Exams, name: str
) -> None:
    assert assert_never_dearer(real_exams, getattr(rivals, name)(real_exams)) > 7200


def test_the_winners_repair_leaves_two_equal_sides_unsolved(rivals: ModuleType) -> None:
    study = np.array([[0.1, 0.9, 0.1, 0.4, 0.1, 0.4, 0.1, 0.0, 0.1]])
    raw = ragged(study, [(0.9, 0.9)])
    assert check(rivals.two_candidates(raw).study[0], raw.image) == ("1b",)
