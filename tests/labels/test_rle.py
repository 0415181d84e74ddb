"""tests/labels/test_rle.py: run-length text and masks, against loops a reader can follow."""

import itertools
import pickle
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from wetread.labels.rle import (
    EMPTY,
    FORMS,
    REASONS,
    RleError,
    decode,
    decode_union,
    encode,
    is_empty,
)

Mask = NDArray[np.bool_]
MASKS = hnp.arrays(
    np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.booleans()
)
LAYOUTS: dict[str, Callable[[Mask], Mask]] = {
    "as rows": np.ascontiguousarray,
    "as columns": np.asfortranarray,
    "mirrored": lambda mask: np.ascontiguousarray(mask[:, ::-1])[:, ::-1],
}


def runs_by_hand(mask: Mask, form: str) -> list[tuple[int, int]]:
    """(start, length) of every run, from a walk over the pixels in the form's order."""
    rows, columns = mask.shape
    places = [(r, c) for r in range(rows) for c in range(columns)]
    if not form.startswith("rows"):
        places.sort(key=lambda place: (place[1], place[0]))
    runs, position = [], 0
    for marked, group in itertools.groupby(bool(mask[place]) for place in places):
        length = len(list(group))
        runs += [(position, length)] if marked else []
        position += length
    return runs


def text_by_hand(mask: Mask, form: str) -> str:
    """Decode by the form's definition, number by number."""
    runs = runs_by_hand(mask, form)
    numbers: list[int] = []
    end = 0
    for start, length in runs:
        before = start - end if form in ("relative", "coco") else start + int(form[-1])
        numbers += [before, length]
        end = start + length
    if form == "coco" and (end < mask.size or not numbers):
        numbers.append(mask.size - end)
    return " ".join(map(str, numbers)) or "-1"


def decode_as_the_host(text: str, width: int, height: int) -> Mask:
    """The competition's own mask_functions.py, rle2mask, in its words (then transposed)."""
    mask = np.zeros(width * height, dtype=np.uint8)
    array = np.asarray([int(x) for x in text.split()])
    current = 0
    for start, length in zip(array[0::2], array[1::2], strict=True):
        current += start
        mask[current : current + length] = 255
        current += length
    return np.asarray(mask.reshape(width, height).T == 255)


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=150, deadline=None)
@given(mask=MASKS, layout=st.sampled_from(sorted(LAYOUTS)))
def test_encode_follows_the_definition_and_decode_undoes_it(
    form: str, mask: Mask, layout: str
) -> None:
    text = encode(LAYOUTS[layout](mask), form)
    assert text == text_by_hand(mask, form)
    back = decode(text, mask.shape, form)
    assert back.dtype == np.bool_
    np.testing.assert_array_equal(back, mask)
    assert is_empty(text, form) == (not mask.any())


@pytest.mark.parametrize("form", FORMS)
def test_the_last_pixel_and_the_first_and_all_of_them_come_back(form: str) -> None:
    for marked in ((-1, -1), (0, 0), (slice(None), slice(None)), (0, -1), (-1, 0)):
        mask = np.zeros((3, 4), dtype=np.bool_)
        mask[marked] = True
        np.testing.assert_array_equal(decode(encode(mask, form), (3, 4), form), mask)


def test_each_form_by_its_numbers() -> None:
    mask = np.array([[0, 1, 1], [0, 1, 0]], dtype=np.bool_)
    assert {form: encode(mask, form) for form in FORMS} == {
        "relative": "2 3",
        "columns_0": "2 3",
        "columns_1": "3 3",
        "rows_0": "1 2 4 1",
        "rows_1": "2 2 5 1",
        "coco": "2 3 1",
    }
    apart = np.array([[1, 0, 1, 0, 1]], dtype=np.bool_)
    assert encode(apart) == "0 1 1 1 1 1"
    assert encode(apart, "coco") == "0 1 1 1 1 1"
    assert encode(apart, "columns_1") == "1 1 3 1 5 1"


def test_an_empty_mask_is_minus_one_and_in_coco_one_count() -> None:
    empty = np.zeros((3, 4), dtype=np.bool_)
    assert {form: encode(empty, form) for form in FORMS} == {
        **dict.fromkeys(FORMS, EMPTY),
        "coco": "12",
    }
    for form in FORMS:
        for text in (EMPTY, f" {EMPTY} "):
            np.testing.assert_array_equal(decode(text, (3, 4), form), empty)
    assert is_empty(" -1")
    assert not is_empty("0 1")
    assert is_empty("12", "coco")
    assert not is_empty("0 12", "coco")


@pytest.mark.parametrize(
    ("form", "text", "reason"),
    [
        ("relative", "10 3", "mask_outside"),
        ("relative", "0 13", "mask_outside"),
        ("relative", "12 1", "mask_outside"),
        ("relative", "-2 3", "mask_outside"),
        ("relative", "4 2 -1 3", "mask_overlap"),
        ("relative", "4 2 -3 3", "mask_backwards"),
        ("relative", "4 -2", "mask_backwards"),
        ("relative", "4 0", "mask_backwards"),
        ("relative", "4 2 1", "mask_not_numbers"),
        ("relative", "4", "mask_not_numbers"),
        ("relative", "", "mask_not_numbers"),
        ("relative", "4 2.5", "mask_not_numbers"),
        ("relative", "4,2", "mask_not_numbers"),
        ("relative", "nan 2", "mask_not_numbers"),
        ("relative", "9223372036854775807 9223372036854775807", "mask_outside"),
        ("relative", "1 99999999999999999999999", "mask_outside"),
        ("columns_0", "11 2", "mask_outside"),
        ("columns_0", "-1 2", "mask_outside"),
        ("columns_0", "2 3 4 1", "mask_overlap"),
        ("columns_0", "2 3 2 3", "mask_overlap"),
        ("columns_0", "6 2 1 2", "mask_backwards"),
        ("columns_1", "0 1", "mask_outside"),
        ("columns_1", "12 2", "mask_outside"),
        ("rows_0", "2 3 4 1", "mask_overlap"),
        ("rows_1", "13 1", "mask_outside"),
        ("coco", "5 8", "mask_outside"),
        ("coco", "5 3", "mask_outside"),
        ("coco", "5 -2 9", "mask_backwards"),
        ("coco", "a", "mask_not_numbers"),
    ],
)
def test_a_mask_that_cannot_be_is_refused_by_name(form: str, text: str, reason: str) -> None:
    with pytest.raises(RleError) as refused:
        decode(text, (3, 4), form)
    assert refused.value.reason == reason
    assert reason in REASONS
    assert str(refused.value).startswith(reason)


def test_the_refusal_names_the_run_and_survives_a_worker() -> None:
    with pytest.raises(RleError, match="run 3 begins inside") as refused:
        decode("0 1 3 2 4 1", (3, 4), "columns_0")
    again = pickle.loads(pickle.dumps(refused.value))
    assert (again.reason, str(again)) == ("mask_overlap", str(refused.value))


@settings(max_examples=300, deadline=None)
@given(
    numbers=st.lists(st.integers(-3, 14), min_size=1, max_size=7),
    form=st.sampled_from(sorted(FORMS)),
)
def test_any_numbers_are_a_mask_of_as_many_pixels_or_a_named_refusal(
    numbers: list[int], form: str
) -> None:
    text = " ".join(map(str, numbers))
    said = None
    try:
        mask = decode(text, (3, 4), form)
    except RleError as refused:
        said = refused.reason
    if said is None:
        assert mask.shape == (3, 4)
        assert mask.sum() == (0 if numbers == [-1] else sum(numbers[1::2]))
    else:
        assert said in REASONS


def test_touching_runs_and_inner_blanks_are_taken() -> None:
    np.testing.assert_array_equal(decode(" 2  3 0\t1 ", (3, 4)), decode("2 4", (3, 4)))
    np.testing.assert_array_equal(decode("2 3 0 1 6", (3, 4), "coco"), decode("2 4", (3, 4)))


def test_several_texts_are_united_and_may_overlap_each_other() -> None:
    union = decode_union(["2 4", "3 6", EMPTY], (3, 4))
    np.testing.assert_array_equal(union, decode("2 7", (3, 4)))
    assert not decode_union([], (3, 4)).any()
    with pytest.raises(RleError):
        decode_union(["2 4", "11 2"], (3, 4))


def test_masks_of_integers_are_taken_and_probabilities_refused() -> None:
    mask = np.array([[0, 255], [7, 0]], dtype=np.uint8)
    assert encode(mask) == encode(mask > 0)
    with pytest.raises(ValueError, match="threshold"):
        encode(mask.astype(np.float32))
    with pytest.raises(ValueError, match="rows, columns"):
        encode(mask[None])


def test_an_unknown_form_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match="relative, columns_0"):
        decode("1 2", (3, 4), "kaggle")


def real_texts(real_data: Path) -> list[str]:
    path = real_data / "pneumothorax" / "train-rle.csv"
    if not path.is_file():
        pytest.skip(f"no {path}")
    return pl.read_csv(path, infer_schema=False)["EncodedPixels"].to_list()


def test_every_real_row_decodes_as_the_host_does_and_encodes_to_the_same_text(
    real_data: Path,
) -> None:
    texts = real_texts(real_data)
    assert len(texts) == 169
    for text in texts:
        mask = decode(text, (1024, 1024))
        if text != EMPTY:
            np.testing.assert_array_equal(mask, decode_as_the_host(text, 1024, 1024))
        assert encode(mask) == text
        assert encode(np.ascontiguousarray(mask)) == text


@pytest.mark.parametrize("form", FORMS)
def test_real_masks_come_back_from_every_form(real_data: Path, form: str) -> None:
    for text in [text for text in real_texts(real_data) if text != EMPTY][:5]:
        mask = decode(text, (1024, 1024))
        np.testing.assert_array_equal(decode(encode(mask, form), (1024, 1024), form), mask)


def test_real_masks_are_decoded_faster_than_run_by_run(real_data: Path) -> None:
    """Some ten thousand a second on a quiet core; masks are not kept, or memory is measured."""
    texts = [text for text in real_texts(real_data) if text != EMPTY]

    def seconds(work: Callable[[str], np.ndarray]) -> float:
        began = time.process_time()
        assert sum(int(work(text)[0, 0]) for text in texts) == 0
        return time.process_time() - began

    ours, theirs = [], []
    for _ in range(7):  # in turn: other work on the machine slows memory for both
        ours.append(seconds(lambda text: decode(text, (1024, 1024))))
        theirs.append(seconds(lambda text: decode_as_the_host(text, 1024, 1024)))
    assert min(theirs) > 1.5 * min(ours)  # 6 where nothing else runs
