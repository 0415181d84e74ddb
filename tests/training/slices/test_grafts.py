"""tests/training/slices/test_grafts.py: lesions come into negatives that are learned, nowhere
else."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from tests.training.conftest import FINDINGS, Blobs, fresh, quick

from wetread.evaluation.metrics import roc_auc
from wetread.training.balance import undo_balance
from wetread.training.masks import MaskTargets
from wetread.training.run import Run
from wetread.training.slices.batches import Batch, TrainSet, batches, negative_rate, train_set
from wetread.training.slices.grafts import Grafted, Grafts, odds_without_grafts
from wetread.training.slices.loop import train
from wetread.training.slices.predict import predict_probabilities
from wetread.training.trained_model import read_trained_model


def paint_blob(
    values: np.ndarray, about: Mapping[str, object], rng: np.random.Generator
) -> Grafted:
    """A bright square on the left or the right, as those of Blobs."""
    painted, mask = values.copy(), np.zeros((1, *values.shape[1:]), np.float32)
    side, row = int(rng.integers(2)), int(rng.integers(4, values.shape[1] - 8))
    column = 3 + side * (values.shape[2] // 2)
    painted[:, row : row + 5, column : column + 5] += 30
    mask[0, row : row + 5, column : column + 5] = 1
    return Grafted(painted, ("any", FINDINGS[1 + side]), mask)


def paint_nothing(
    values: np.ndarray, about: Mapping[str, object], rng: np.random.Generator
) -> None:
    """No image of these can hold a lesion."""


def grafted_set(blobs: Blobs, n: int = 160) -> TrainSet:
    nothing = MaskTargets(("any",), 24, ((b"",),) * n, np.ones((n, 1), bool))
    return train_set(
        blobs, range(n), blobs.truth[:n], [2, 1, 1], [0, 2, 1], nothing,
        Grafts(paint_blob, FINDINGS),
    )  # fmt: skip


def unflipped(*settings: str) -> list[str]:
    """Every slice in one batch an epoch, in an order that the seed decides, never mirrored."""
    return ["batch_size=1000", "negatives_per_positive=0", "augmentation.flip=0", *settings]


def one_batch(data: TrainSet, *settings: str, epoch: int = 0) -> Batch:
    (batch,) = batches(data, quick(*unflipped(*settings)), epoch)
    return batch


def test_a_lesion_is_painted_into_a_share_of_the_negatives_with_its_labels_and_its_mask(
    blobs: Blobs,
) -> None:
    data = grafted_set(blobs)
    plain, grafted = one_batch(data), one_batch(data, "grafts.share=0.4")
    was_positive = plain.targets[:, 0] > 0
    new = (grafted.targets[:, 0] > 0) & ~was_positive
    negatives = int((~was_positive).sum())
    assert abs(new.sum() - 0.4 * negatives) < 3 * (0.24 * negatives) ** 0.5
    np.testing.assert_array_equal(grafted.hu[~new], plain.hu[~new])
    np.testing.assert_array_equal(grafted.targets[~new], plain.targets[~new])
    painted = (grafted.hu[new] - plain.hu[new])[:, 0]
    np.testing.assert_array_equal(painted > 1, grafted.masks[new, 0] == 1)
    assert (grafted.masks[new].sum((1, 2, 3)) == 25).all()
    assert (grafted.targets[new, 1:].sum(1) == 1).all()  # left or right
    np.testing.assert_array_equal(grafted.masks[~new], 0)


def test_a_graft_depends_on_seed_epoch_and_image_alone(blobs: Blobs) -> None:
    data, share = grafted_set(blobs), "grafts.share=0.5"
    whole = one_batch(data, share, epoch=1)
    parted = list(batches(data, quick(*unflipped(share), "batch_size=16"), 1, start=0))
    rest = list(batches(data, quick(*unflipped(share), "batch_size=16"), 1, start=6))
    np.testing.assert_array_equal(np.concatenate([part.hu for part in parted]), whole.hu)
    for ours, theirs in zip(rest, parted[6:], strict=True):
        np.testing.assert_array_equal(ours.hu, theirs.hu)
    assert (one_batch(data, share, epoch=2).targets.sum(0) != whole.targets.sum(0)).any()
    assert (one_batch(data, share, "seed=1", epoch=1).targets.sum(0) != whole.targets.sum(0)).any()


def test_the_images_of_the_store_stay_as_they_are(blobs: Blobs) -> None:
    before = blobs.hu.copy()
    one_batch(grafted_set(blobs), "grafts.share=0.9")
    np.testing.assert_array_equal(blobs.hu, before)


def test_an_image_in_which_no_lesion_can_be_stays_negative(blobs: Blobs) -> None:
    data = train_set(blobs, range(160), blobs.truth[:160], grafts=Grafts(paint_nothing, FINDINGS))
    plain, grafted = one_batch(data), one_batch(data, "grafts.share=0.9")
    np.testing.assert_array_equal(grafted.targets, plain.targets)
    np.testing.assert_array_equal(grafted.hu, plain.hu)


def test_an_image_of_which_one_finding_is_unknown_gets_no_graft(blobs: Blobs) -> None:
    truth = blobs.truth[:160].copy()
    truth[:, 2] = np.nan
    data = train_set(blobs, range(160), truth, grafts=Grafts(paint_blob, FINDINGS))
    np.testing.assert_array_equal(one_batch(data, "grafts.share=0.9").hu, one_batch(data).hu)


@pytest.mark.parametrize(("positives", "negatives", "share"), [(100, 400, 0.3), (10, 50, 0.5)])
def test_probabilities_are_those_of_the_images_before_the_grafts(
    positives: int, negatives: int, share: float
) -> None:
    """Where images, grafts and patients' lesions look alike, what is learned is the share of
    positives among the grafted; it must come back to the share among the images."""
    learned = np.array([[(positives + share * negatives) / (positives + negatives)]])
    rate = odds_without_grafts(positives, negatives, share)
    expected = positives / (positives + negatives)
    np.testing.assert_allclose(undo_balance(learned, rate), [[expected]])
    targets = np.repeat([[1.0], [0.0]], [positives, negatives], 0).astype(np.float32)
    recipe = quick("negatives_per_positive=0", f"grafts.share={share}")
    assert negative_rate(targets, recipe) == pytest.approx(rate)


def test_a_network_that_knows_lesions_from_grafts_alone_finds_those_of_patients(
    blobs: Blobs, tmp_path: Path
) -> None:
    negatives = np.flatnonzero(blobs.truth[:160].max(1) == 0)
    data = train_set(
        blobs, negatives, blobs.truth[negatives], [2, 1, 1], [0, 2, 1],
        grafts=Grafts(paint_blob, FINDINGS),
    )  # fmt: skip
    recipe = quick("grafts.share=0.4", "epochs=8")
    train(fresh(recipe), data, recipe, findings=FINDINGS, run=Run(tmp_path))
    model = read_trained_model(tmp_path).model
    probability = predict_probabilities(model, blobs, range(160, 240), recipe.view, recipe)
    assert roc_auc(blobs.truth[160:, 0], probability[:, 0]) > 0.9


def test_a_painter_gets_the_place_of_the_slice(blobs: Blobs) -> None:
    painted_at: list[str] = []

    def watch(values: np.ndarray, about: Mapping[str, object], rng: np.random.Generator) -> None:
        painted_at.append(str(about["SOPInstanceUID"]))

    rows = np.flatnonzero(blobs.truth.max(1) == 0)[3:9]
    data = train_set(blobs, rows, blobs.truth[rows], grafts=Grafts(watch, FINDINGS))
    one_batch(data, "grafts.share=0.999")
    assert sorted(painted_at) == sorted(blobs.slices["SOPInstanceUID"].gather(rows).to_list())
