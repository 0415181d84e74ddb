"""tests/verbs/baseline/test_levels.py: on its own exams the prior's official loss is the entropy
of the prevalences, weighted as the competition weighs."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from wetread.archive.index.index import build_index
from wetread.evaluation.baselines import known_prior
from wetread.inputs.label_file import read_label_file
from wetread.inputs.label_ids import place_labels
from wetread.labels.exams import Exams
from wetread.tasks import find_task
from wetread.tasks.embolism.metric import exam_loss
from wetread.training.series.prepare import label_series
from wetread.training.series.spec import SeriesSpec
from wetread.verbs.baseline.levels import known_shares, predict_levels, select_labeled
from wetread.verbs.baseline.slices import list_slices

WEIGHTS = {  # reference of the competition, label by label
    "negative_exam_for_pe": 0.0736196319, "rv_lv_ratio_gte_1": 0.2346625767,
    "rv_lv_ratio_lt_1": 0.0782208589, "leftsided_pe": 0.06257668712, "chronic_pe": 0.1042944785,
    "rightsided_pe": 0.06257668712, "acute_and_chronic_pe": 0.1042944785,
    "central_pe": 0.1877300613, "indeterminate": 0.09202453988,
}  # fmt: skip
IMAGE_WEIGHT = 0.07361963


def entropy(share: float) -> float:
    if share in (0.0, 1.0):
        return 0.0
    return -share * np.log(share) - (1 - share) * np.log(1 - share)


def test_in_sample_the_prior_of_exams_costs_the_q_weighted_entropy(
    angiograms: Path, tmp_path: Path
) -> None:
    task = find_task("embolism")
    index = build_index([angiograms / "train"], tmp_path / "index.parquet", workers=1)
    labels = read_label_file(angiograms / "train.csv", task, None)
    labels, _ = place_labels(labels, task, index.instances)
    labeled = select_labeled(task.spec, list_slices(index.images), labels)
    images, studies = predict_levels(
        task.spec, labeled, labeled.slices, labels, "train", as_counted=True
    )
    assert isinstance(task.spec, SeriesSpec)
    assert task.spec.counted_truth is not None
    series = label_series(task.spec, labeled.slices.slices, labels)
    truth, _ = task.spec.counted_truth(series.image, series.study, series.starts)
    known = Exams(truth[:, :9], series.image[:, 0], series.starts)
    given = Exams(studies.baselines["prior"][:, :9], images.baselines["prior"][:, 0], series.starts)

    table = pl.read_csv(angiograms / "train.csv")
    exams = table.group_by("StudyInstanceUID").agg(
        *(pl.col(name).first() for name in WEIGHTS),
        images=pl.len(), positive=pl.col("pe_present_on_image").sum(),
    )  # fmt: skip
    q = (exams["positive"] / exams["images"]).to_numpy()
    in_images = float((q * exams["images"].to_numpy()).sum())
    share = float((q * exams["positive"].to_numpy()).sum()) / in_images
    over = sum(
        exams.height * w * entropy(float(exams[name].to_numpy().mean()))
        for name, w in WEIGHTS.items()
    )
    over = over + IMAGE_WEIGHT * in_images * entropy(share)
    under = exams.height * sum(WEIGHTS.values()) + IMAGE_WEIGHT * in_images
    assert share > table["pe_present_on_image"].to_numpy().mean()
    assert exam_loss(known, given) == pytest.approx(over / under, rel=0, abs=1e-9)
    plain, _ = known_shares(task.spec, labeled)
    assert plain == pytest.approx([table["pe_present_on_image"].to_numpy().mean()])
    assert known_prior(series.image) == pytest.approx(plain)
