"""tests/verbs/baseline/test_baseline.py: the floor is scored by patient, written in the tasks' own
forms, and holds in closed form."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import log_loss, roc_auc_score
from tests.verbs.baseline.conftest import Floor

import wetread
from wetread.archive.index.index import read_index
from wetread.evaluation.score import Score
from wetread.phantoms.dicom.archive import PhantomTruth
from wetread.tasks import find_task
from wetread.verbs.baseline.baseline import BaselineResult
from wetread.verbs.score import score

NAMES = ("prior", "position", "histogram", "header")


def one(result: BaselineResult, metric: str, finding: str, level: str) -> Score:
    (found,) = result.scores.find(metric, finding=finding, level=level)
    return found


def table(result: BaselineResult, level: str = "image") -> pl.DataFrame:
    return pl.read_parquet(result.out / "predictions.parquet").filter(pl.col("level") == level)


def test_every_score_has_each_baseline_at_image_and_study_level_the_official_first(
    heads_floor: BaselineResult,
) -> None:
    told = {(row.metric, row.finding, row.level) for row in heads_floor.scores}
    findings = [finding.name for finding in find_task("hemorrhage").findings]
    for level in ("image", "study"):
        for name in NAMES:
            assert (f"weighted_log_loss_{name}", "all", level) in told
            assert {(f"roc_auc_{name}", finding, level) for finding in findings} <= told
    first = heads_floor.scores[0]
    assert (first.metric, first.split) == ("weighted_log_loss_prior", "out_of_fold")
    assert first.low is not None
    assert all(row.metric.endswith(NAMES) for row in heads_floor.scores)
    kept = json.loads((heads_floor.out / "scores.json").read_text())
    assert kept == heads_floor.scores.to_dict()


def test_scores_can_be_computed_again_from_the_predictions_with_scikit_learn(
    heads_floor: BaselineResult,
) -> None:
    rows = table(heads_floor)
    weight = np.where(rows["finding"] == "any", 2.0, 1.0)
    for name in NAMES:
        loss = log_loss(rows["truth"], rows[name].clip(1e-15, 1 - 1e-15), sample_weight=weight)
        found = one(heads_floor, f"weighted_log_loss_{name}", "all", "image").value
        assert found == pytest.approx(loss, rel=0, abs=1e-9)
        any_ = rows.filter(pl.col("finding") == "any")
        auc = one(heads_floor, f"roc_auc_{name}", "any", "image").value
        assert auc == pytest.approx(roc_auc_score(any_["truth"], any_[name]), rel=0, abs=1e-9)


def test_the_prior_of_a_fold_is_the_share_of_the_other_folds_patients(
    heads_floor: BaselineResult,
) -> None:
    rows = table(heads_floor).filter(pl.col("finding") == "any")
    folds = json.loads((heads_floor.out / "folds.json").read_text())
    assert folds["proof"]["shared_patients"] == 0
    assert rows.group_by("patient").agg(pl.col("fold").n_unique())["fold"].max() == 1
    assert {*rows["fold"]} == {*folds["parts"]}
    held_out = 0.0
    for fold in folds["parts"]:
        inside, others = (rows.filter((pl.col("fold") == fold) == own) for own in (True, False))
        p, q = (float(part["truth"].to_numpy().mean()) for part in (inside, others))
        assert inside["prior"].to_list() == pytest.approx([q] * inside.height, abs=1e-12)
        held_out -= inside.height * (p * np.log(q) + (1 - p) * np.log(1 - q))
    loss = one(heads_floor, "log_loss_prior", "any", "image").value
    assert loss == pytest.approx(held_out / rows.height, rel=0, abs=1e-9)


def test_the_same_words_give_the_same_folds_as_training(
    heads_floor: BaselineResult, phantoms: PhantomTruth
) -> None:
    from wetread.training.folds import make_folds

    rows = pl.read_csv(phantoms.labels).with_columns(
        id=pl.col("ID").str.extract(r"(.*)_[a-z]+$"),
        finding=pl.col("ID").str.extract(r"_([a-z]+)$"),
    )
    names = [finding.name for finding in find_task("hemorrhage").findings]
    wide = rows.unique("ID").pivot("finding", index="id", values="Label").select("id", *names)
    index = read_index(heads_floor.out / "index.parquet").images
    owner = dict(index.select("SOPInstanceUID", "PatientID").iter_rows())
    dealt = json.loads((heads_floor.out / "folds.json").read_text())["assignment"]
    plan = make_folds(
        [owner[uid] for uid in wide["id"]], wide.select(names).to_numpy(), 2, 0, names, list(dealt)
    )
    by_prior = {
        frozenset(p for p, f in plan.assignment.items() if f == part) for part in plan.parts
    }
    ours = {frozenset(p for p, f in dealt.items() if f == part) for part in plan.parts}
    assert ours == by_prior


def test_submissions_are_whole_and_say_more_than_the_prior_of_what_was_learned(
    heads_floor: BaselineResult, phantoms: PhantomTruth
) -> None:
    assert [path.name for path in heads_floor.submissions] == [
        f"submission_{name}.csv" for name in NAMES
    ]
    losses = {}
    for name, path in zip(NAMES, heads_floor.submissions, strict=True):
        found = score("hemorrhage", phantoms.labels, path)
        assert not found.missing
        assert not found.too_many
        losses[name] = found.scores[0].value or np.inf
    prior = pl.read_csv(heads_floor.out / "submission_prior.csv")
    truth = pl.read_csv(phantoms.labels).unique("ID")
    share = truth.filter(pl.col("ID").str.ends_with("_any"))["Label"].mean()
    any_ = prior.filter(pl.col("ID").str.ends_with("_any"))["Label"]
    assert any_.to_list() == pytest.approx([share] * any_.len())
    assert losses["position"] < losses["prior"]
    assert losses["histogram"] < losses["prior"]


def test_a_sample_gives_the_order_of_the_rows(
    floor: Floor, phantoms: PhantomTruth, tmp_path: Path
) -> None:
    ids = pl.read_csv(phantoms.labels)["ID"].unique().sort(descending=True).head(12)
    pl.DataFrame({"ID": ids, "Label": [0.5] * 12}).write_csv(tmp_path / "sample.csv")
    cut = tmp_path / "unseen"
    cut.mkdir()
    for path in sorted(phantoms.images.iterdir())[:2]:
        (cut / path.name).write_bytes(path.read_bytes())
    result = floor(unseen=cut, sample=tmp_path / "sample.csv")
    for path in result.submissions:
        assert pl.read_csv(path)["ID"].to_list() == ids.to_list()


def test_films_without_a_mask_score_the_share_of_films_without_the_finding(
    films_floor: BaselineResult, films: PhantomTruth
) -> None:
    labels = pl.read_csv(films.labels, infer_schema=False)
    labels = labels.rename({name: name.strip() for name in labels.columns})
    positive = labels.group_by("ImageId").agg(
        (pl.col("EncodedPixels").str.strip_chars() != "-1").any()
    )["EncodedPixels"]
    found = films_floor.scores[0]
    assert (found.metric, found.level) == ("dice_all_empty", "pixel")
    assert found.value == pytest.approx(1 - positive.to_numpy().mean(), rel=0, abs=1e-9)
    assert [path.name for path in films_floor.submissions] == ["submission_all_empty.csv"]
    written = pl.read_csv(films_floor.submissions[0], infer_schema=False)
    assert written["EncodedPixels"].to_list() == ["-1"] * len(positive)
    scored = score("pneumothorax", films.labels, films_floor.submissions[0])
    (dice,) = scored.scores.find("dice", finding="pneumothorax", level="pixel")
    assert dice.value == pytest.approx(found.value, rel=0, abs=1e-9)


def test_exams_are_scored_by_the_official_figure_and_their_submissions_obey_the_rules(
    exams_floor: BaselineResult, angiograms: Path
) -> None:
    official = [row for row in exams_floor.scores if row.level == "all"]
    assert [row.metric for row in official] == [f"weighted_log_loss_{name}" for name in NAMES]
    assert exams_floor.scores[0] == official[0]
    for level, metric in (("study", "exam_log_loss"), ("image", "image_log_loss")):
        assert one(exams_floor, f"{metric}_position", "all", level).value is not None
    assert one(exams_floor, "roc_auc_header", "positive_exam", "study").value is not None
    for path in exams_floor.submissions:
        found = score("embolism", angiograms / "train.csv", path)
        assert found.broken == {}
        assert not found.missing


def test_a_task_of_ones_own_has_its_floor_by_image_and_by_study(
    floor: Floor, few_heads: Path, phantoms: PhantomTruth, tmp_path: Path
) -> None:
    index = wetread.index(few_heads, tmp_path / "index.parquet", workers=1).images
    studies = dict(index.select("SOPInstanceUID", "StudyInstanceUID").iter_rows())
    labels = pl.read_csv(phantoms.labels).filter(pl.col("ID").str.ends_with("_any")).unique("ID")
    image = pl.col("ID").str.strip_suffix("_any")
    named = labels.select(study=image.replace_strict(studies, default=None), blood="Label")
    blood = named.drop_nulls().group_by("study").max()
    blood.write_csv(tmp_path / "studies.csv")
    task = tmp_path / "own.toml"
    task.write_text(
        'modalities = ["CT"]\n[[findings]]\nname = "blood"\n'
        '[[labels]]\nid = "study"\nid_of = "study"\n'
    )
    result = floor(task=str(task), labels=tmp_path / "studies.csv", unseen=few_heads)
    assert one(result, "weighted_log_loss_prior", "all", "study").value is not None
    assert (result.out / "task.toml").is_file()
    written = pl.read_csv(result.out / "submission_histogram.csv")
    assert written.height == blood.height


def test_an_image_that_cannot_be_read_is_refused_and_listed(
    floor: Floor, few_heads: Path, tmp_path: Path
) -> None:
    files = sorted(few_heads.iterdir())
    archive = tmp_path / "archive"
    archive.mkdir()
    for path in files[:-1]:
        (archive / path.name).write_bytes(path.read_bytes())
    index = wetread.index(archive, tmp_path / "index.parquet", workers=1)
    (archive / files[0].name).write_bytes(files[0].read_bytes()[:-500])
    result = floor(source=tmp_path / "index.parquet")
    assert result.refused == 1
    assert result.counts["undecodable_images"] == 1
    assert pl.read_csv(result.out / "rejects.csv")["SOPInstanceUID"].len() == 1
    assert table(result)["id"].n_unique() == index.images.height - 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"task": "appendix"}, "no task 'appendix'"),
        ({"labels": ()}, "give the label file with `labels`"),
        ({"folds": 50}, "13 patients cannot fill 50 parts"),
        ({"folds": 1}, "at least 2 folds"),
        ({"sample": "sample.csv"}, "give the images that it is of with `unseen`"),
    ],
)
def test_wrong_words_are_refused_in_one_line(
    floor: Floor, words: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        floor(**words)
    assert len(str(refused.value).splitlines()) == 1


def test_labels_of_no_image_and_unseen_images_of_another_kind_are_refused(
    floor: Floor, films: PhantomTruth, tmp_path: Path
) -> None:
    (tmp_path / "others.csv").write_text("ID,Label\nID_other_any,1\n")
    with pytest.raises(ValueError, match="no image of the archive has a label"):
        floor(labels=tmp_path / "others.csv")
    with pytest.raises(ValueError, match="`unseen` has no image of CT"):
        floor(unseen=films.images)


def test_a_run_is_not_overwritten(floor: Floor, tmp_path: Path) -> None:
    (tmp_path / "floor").mkdir()
    (tmp_path / "floor" / "about.json").write_text("{}")
    with pytest.raises(ValueError, match="is a run of wetread train"):
        floor()
