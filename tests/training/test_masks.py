"""tests/training/test_masks.py: what is known of masks, and what the losses make of it."""

import numpy as np
import polars as pl
import pytest
import torch
from torch.nn import functional

from wetread.labels.finding import Finding
from wetread.labels.rle import encode
from wetread.labels.table import LABEL_SCHEMA, MASK_SCHEMA, LabelTable, label_table
from wetread.training.losses import MaskCounts, count_masks, mask_loss
from wetread.training.masks import annotated_masks, mask_targets
from wetread.training.recipe import Recipe

DRAWN, SEEN = Finding("air", level="pixel"), Finding("air")
MASK = np.zeros((64, 64), bool)
MASK[8:24, 40:56] = True


def labels(*rows: tuple[str, list[str]]) -> LabelTable:
    frame = pl.DataFrame(
        [(name, "air", "relative", runs) for name, runs in rows], schema=MASK_SCHEMA, orient="row"
    )
    table = label_table(pl.DataFrame(schema=LABEL_SCHEMA))
    return LabelTable(table.frame, table.conflicts, 0, frame)


@pytest.fixture
def slices() -> pl.DataFrame:
    """Four pictures of 64 x 64."""
    names = ["drawn", "nothing", "negative", "nobody drew"]
    return pl.DataFrame(
        {
            "SOPInstanceUID": names,
            "source_rows": [64] * 4,
            "source_columns": [64] * 4,
            "box": [[0, 64, 0, 64]] * 4,
        }
    )


def test_three_kinds_of_knowledge_are_never_confused(slices: pl.DataFrame) -> None:
    truth = np.array([[1], [0], [0], [1]], np.float64)
    table = labels(("drawn", [encode(MASK)]), ("nothing", []))
    masks = annotated_masks(slices, truth, table, [DRAWN], [SEEN])
    assert masks.known[:, 0].tolist() == [True, True, True, False]
    for row in masks.drawn[1:3]:
        assert row[0] is not None
        assert not row[0].mask().any()
    small = mask_targets(masks, 32)
    shares = small.at(np.arange(4))
    assert shares.shape == (4, 1, 32, 32)
    np.testing.assert_array_equal(shares[0, 0], MASK[::2, ::2])
    assert not shares[1:].any()


def test_an_unknown_label_leaves_the_mask_unknown(slices: pl.DataFrame) -> None:
    truth = np.full((4, 1), np.nan)
    assert not annotated_masks(slices, truth, labels(), [DRAWN], [SEEN]).known.any()


def test_a_box_cuts_the_mask_as_it_cuts_the_picture(slices: pl.DataFrame) -> None:
    boxed = slices.with_columns(box=pl.Series([[0, 32, 32, 64]] * 4))
    table = labels(("drawn", [encode(MASK)]))
    masks = annotated_masks(boxed, np.ones((4, 1)), table, [DRAWN], [SEEN])
    np.testing.assert_array_equal(mask_targets(masks, 32).at(np.array([0]))[0, 0], MASK[:32, 32:])


def recipe(**values: float) -> Recipe:
    none = {"masks.bce": 0, "masks.dice": 0, "masks.focal": 0}
    return Recipe().with_settings(
        {**none, **{f"masks.{key}": value for key, value in values.items()}}
    )


@pytest.fixture
def drawn() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Logits and true masks of five images, one unknown, two empty."""
    rng = torch.Generator().manual_seed(0)
    true = (torch.rand((5, 1, 8, 8), generator=rng) > 0.7).float()
    true[1:3] = 0
    known = torch.tensor([[True], [True], [True], [False], [True]])
    return torch.randn((5, 1, 8, 8), generator=rng), true, known


def test_each_loss_is_its_formula_over_the_known(
    drawn: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
) -> None:
    logits, true, known = drawn
    counts = count_masks(true.numpy(), known.numpy())
    assert counts == MaskCounts(known=4, positive=2)
    there = [0, 1, 2, 4]
    bce = functional.binary_cross_entropy_with_logits(
        logits[there], true[there], pos_weight=torch.tensor(3.0)
    )
    said = mask_loss(logits, true, known, recipe(bce=2.0, positive_weight=3.0), counts)
    torch.testing.assert_close(said, 2 * bce)

    p = logits.sigmoid()
    right = torch.where(true > 0, p, 1 - p)
    focal = (-((1 - right) ** 2) * right.log())[there].mean()
    said = mask_loss(logits, true, known, recipe(focal=1.0), counts)
    torch.testing.assert_close(said, focal)

    dice = [1 - (2 * (p[i] * true[i]).sum() + 1) / ((p[i] + true[i]).sum() + 1) for i in (0, 4)]
    said = mask_loss(logits, true, known, recipe(dice=1.0), counts)
    torch.testing.assert_close(said, torch.stack(dice).mean())


def test_parts_of_a_batch_add_up(drawn: tuple[torch.Tensor, torch.Tensor, torch.Tensor]) -> None:
    logits, true, known = drawn
    counts = count_masks(true.numpy(), known.numpy())
    every = recipe(bce=3.0, dice=0.5, focal=1.0)
    whole = mask_loss(logits, true, known, every, counts)
    parts = [
        mask_loss(logits[at], true[at], known[at], every, counts) for at in ([0, 1], [2, 3, 4])
    ]
    torch.testing.assert_close(torch.stack(parts).sum(), whole)


def test_nothing_known_is_no_loss(drawn: tuple[torch.Tensor, torch.Tensor, torch.Tensor]) -> None:
    logits, true, known = drawn
    nothing = torch.zeros_like(known)
    counts = count_masks(true.numpy(), nothing.numpy())
    every = recipe(bce=3.0, dice=0.5, focal=1.0)
    assert mask_loss(logits, true, nothing, every, counts) == 0
