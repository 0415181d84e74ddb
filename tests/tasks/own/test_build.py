"""tests/tasks/own/test_build.py: the words of a task's file become a Task."""

import numpy as np
import pytest

from wetread.evaluation.task_metric import TaskMetric, least_cost_answers
from wetread.labels.finding import Finding, finding_names
from wetread.study.display import display_grey, hounsfield
from wetread.tasks.own.build import build_task, slice_targets
from wetread.tasks.own.mask_submission import OwnMaskSubmission
from wetread.tasks.own.schema import TaskFileError
from wetread.tasks.own.submission import OwnSubmission
from wetread.tasks.task import NO_PHANTOMS, Task
from wetread.training.series.spec import SeriesSpec
from wetread.training.slices.spec import SliceSpec

FILM = """
modalities = ["CR", "DX"]
[[findings]]
name = "fracture"
weight = 2
description = "a line that is none of a vessel"
[[labels]]
id = "file"
id_of = "file"
"""


def built(text: str) -> Task:
    """Make the task of a text."""
    return build_task(text, "mine.toml", "mine")


def test_findings_of_files_are_learned_image_by_image_in_gray() -> None:
    task = built(FILM)
    assert isinstance(task.spec, SliceSpec)
    assert task.values is display_grey
    assert task.findings[0].weight == 2
    assert (task.recipe, task.preference) == ("pneumothorax-small", None)
    assert task.phantoms is NO_PHANTOMS
    assert task.descriptions == {"fracture": "a line that is none of a vessel"}
    with pytest.raises(ValueError, match="no phantoms"):
        task.phantoms.write(None, 1, 0, progress=print)  # type: ignore[arg-type]


@pytest.mark.parametrize("id_of", ["study", "series", "patient"])
def test_findings_of_studies_are_learned_from_whole_series(id_of: str) -> None:
    text = FILM.replace('["CR", "DX"]', '["CT"]').replace('id_of = "file"', f'id_of = "{id_of}"')
    task = built(text)
    assert isinstance(task.spec, SeriesSpec)
    assert task.values is hounsfield
    assert (task.spec.study_from_images, task.spec.study_labels) == (True, True)
    assert finding_names(task.at("image")) == finding_names(task.at("study")) == ("fracture",)
    assert {one.level for one in task.at("study")} == {"study"}
    assert task.recipe == "series-compact"
    assert task.spec.official_levels == ("study",)


def test_a_recipe_s_settings_are_those_of_the_file() -> None:
    task = built(FILM + '[recipe]\nname = "resnet18"\nsize = 64\n[recipe.optimizer]\nbeta1 = 0.8\n')
    assert (task.recipe, task.settings) == ("resnet18", ("size=64", "optimizer.beta1=0.8"))


def test_crops_are_those_of_the_modality() -> None:
    assert built('crop = "lungs"' + FILM).spec.crops.stores == ("store",)
    with pytest.raises(TaskFileError, match="crop = 'heart' is none for CR, DX"):
        built('crop = "heart"' + FILM)


def test_a_slice_has_its_own_label_else_its_study_s() -> None:
    image = np.array([[np.nan, 0.0], [1.0, np.nan]])
    study = np.array([[1.0, 1.0], [0.0, np.nan]])
    np.testing.assert_array_equal(slice_targets(image, study), [[1, 0], [1, np.nan]])


GROUP = """
[[findings]]
name = "healthy"
[[findings]]
name = "low"
weight = 2
[[findings]]
name = "any"
weight = 1
positive_weight = 6
any_of = ["low"]
[[groups]]
exactly_one = ["healthy", "low"]
[[labels]]
id = "patient"
id_of = "patient"
"""


def test_a_metric_is_that_of_the_file_and_says_in_what_sense_answers_obey() -> None:
    decided = built('modalities = ["CT"]' + GROUP)
    shared = built('modalities = ["CT"]\nmetric = "group_log_loss"' + GROUP)
    assert decided.metric == TaskMetric("weighted_log_loss", (("healthy", "low"),))
    assert shared.metric == TaskMetric("group_log_loss", (("healthy", "low"),))
    assert [one.positive_weight for one in shared.findings] == [None, None, 6.0]
    said = np.array([[0.2, 0.3, 0.1]])
    nothing = np.empty((0, 3)), said, np.zeros(2, np.int64)
    specs = [task.spec for task in (decided, shared)]
    assert all(isinstance(spec, SeriesSpec) for spec in specs)
    _, yes = specs[0].make_consistent(*nothing)  # type: ignore[union-attr]
    _, share = specs[1].make_consistent(*nothing)  # type: ignore[union-attr]
    assert (yes[0] > 0.5).tolist() in ([False, True, True], [True, False, False])
    np.testing.assert_allclose(share, [[0.4, 0.6, 0.6]])


def test_metrics_that_are_none_and_rules_they_cannot_have_are_refused() -> None:
    with pytest.raises(TaskFileError, match=r"mine.toml: metric = 'accuracy' should be"):
        built('modalities = ["CT"]\nmetric = "accuracy"' + GROUP)
    other = GROUP + '[[groups]]\nexactly_one = ["low", "any"]\n'
    with pytest.raises(TaskFileError, match="groups and any_of: 'low' is of two groups"):
        built('modalities = ["CT"]\nmetric = "mean_roc_auc"' + other)


DRAWN = """
modalities = ["DX"]
[[findings]]
name = "a"
level = "pixel"
[[findings]]
name = "b"
[[labels]]
id = "id"
boxes = ["x", "y", "w", "h"]
"""


def test_what_is_drawn_is_of_images_and_its_recipe_draws() -> None:
    task = built(DRAWN)
    assert task.spec.drawn == (Finding("a", level="pixel"),)
    assert [one.level for one in task.findings] == ["image", "image"]
    assert task.settings[-1] == "decoder=unet"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('level = "pixel"\n', ""), "labels[1].boxes: no finding is drawn"),
        (('"x", "y", "w", "h"', '"x"'), "labels[1].boxes = ['x']: should name four columns"),
        (('"h"]', '"h"]\nruns = "m"'), "labels[1].runs: there is boxes too"),
        (
            ('boxes = ["x", "y", "w", "h"]', 'runs = "m"\nruns_form = "z"'),
            "'z' is none",
        ),
        (('id = "id"', 'id = "id"\nid_of = "study"'), "level 'pixel', and other findings are of"),
        (('name = "b"', 'name = "b"\nlevel = "pixel"'), "only rows of layout"),
        (('id = "id"', 'layout = "long"\nid = "id"'), "a row of layout = 'long' is of no one"),
        (
            (
                '"pixel"\n[[findings]]\nname = "b"',
                '"pixel"\nmirror = "b"\n[[findings]]\nname = "b"\nmirror = "a"',
            ),
            "masks of twins are not learned",
        ),
    ],
)
def test_marks_that_do_not_fit_are_one_line(change: tuple[str, str], words: str) -> None:
    with pytest.raises(TaskFileError) as error:
        built(DRAWN.replace(*change))
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_the_dice_is_of_what_is_drawn_and_submits_masks() -> None:
    task = built('metric = "dice"' + DRAWN)
    assert task.metric.of_probabilities.name == "weighted_log_loss"
    assert isinstance(task.submission.write.__self__, OwnMaskSubmission)  # type: ignore[attr-defined]
    assert isinstance(built(DRAWN).submission.write.__self__, OwnSubmission)  # type: ignore[attr-defined]
    plain = DRAWN.replace('level = "pixel"\n', "").replace('boxes = ["x", "y", "w", "h"]\n', "")
    with pytest.raises(TaskFileError, match="metric = 'dice' is of what is drawn"):
        built('metric = "dice"' + plain)
    for text, words in (
        ('[submission]\nlayout = "masks"\nruns_form = "rows_0"\n', "'rows_0' is not written"),
        ('[submission]\nlayout = "masks"\n', "of one finding of level 'pixel', and there are 0"),
    ):
        with pytest.raises(TaskFileError, match=words):
            built((DRAWN if "rows_0" in text else plain) + text)


def test_series_are_pooled_for_findings_of_studies_alone() -> None:
    of_studies = 'modalities = ["CT"]' + GROUP + '[series]\npool = "mean"\n'
    spec = built(of_studies).spec
    assert isinstance(spec, SeriesSpec)
    assert spec.pool == "mean"
    with pytest.raises(TaskFileError, match="pool = 'mean' is for findings of studies"):
        built(FILM + '[series]\npool = "mean"\n')


def test_answers_of_a_submission_obey_after_positives_were_weighed() -> None:
    text = DRAWN.replace('level = "pixel"\n', "positive_weight = 10\n").replace(
        'boxes = ["x", "y", "w", "h"]\n', '[[groups]]\nexactly_one = ["a", "b"]\n'
    )
    task = built(text.replace('name = "b"', 'name = "b"\npositive_weight = 10'))
    said = np.array([[0.55, 0.4], [0.3, 0.2]])
    answers = least_cost_answers(task.metric, task.findings, said, "image")
    assert ((answers > 0.5).sum(axis=1) == 1).all()
