"""verbs/train/request.py: train's inputs, opened and checked before its first long step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from wetread.archive.files.damaged import DamagedFileError
from wetread.archive.identity.user_key import UserKey, user_key
from wetread.inputs.archive import require_sources
from wetread.inputs.label_file import read_label_file
from wetread.inputs.patients import asks_for_study
from wetread.inputs.truth_masks import is_mask_file, require_mask_files
from wetread.labels.patients_csv import read_patients
from wetread.labels.table import LabelTable, merge_labels
from wetread.models.encoders import pretrained_weights
from wetread.models.weights import load_weights
from wetread.tasks import Task, kept_task
from wetread.training.about import read_about
from wetread.training.checkpoint import check_resume, refuse_differences
from wetread.training.deterministic import pin_kernels
from wetread.training.device import choose_runtime
from wetread.training.recipe import Recipe
from wetread.training.run import Run
from wetread.training.trained_model import build_network


@dataclass(frozen=True, eq=False)
class TrainRequest:
    """Task, recipe, inputs and output folder of a training.

    sources:        folders, zips and files, or one index.
    labels:         of all label files; mask_files: NIfTI masks, read beside the archive.
    patients:       a file of patients, "study", or None for the headers.
    weights:        where the task's networks start, by their names; none: random.
    weights_given:  whether they are the user's, in place of pretrained ones and of phantoms.
    phantom_recipe: the settings of a training on phantoms before it; None: there are no phantoms.
    key:            of pseudonyms; None keeps PatientIDs as they are.
    """

    task: Task
    sources: tuple[Path, ...]
    out: Path
    recipe: Recipe
    labels: LabelTable
    mask_files: tuple[Path, ...]
    patients: str | Path | None
    weights: Mapping[str, Path]
    weights_given: bool
    phantom_recipe: Recipe | None
    key: UserKey | None

    @property
    def learns_phantoms(self) -> bool:
        """Whether phantoms are learned first; else, if there are any, they join batches alone."""
        return self.phantom_recipe is not None and not self.weights_given


def check_request(
    task: Task,
    recipe: Recipe,
    *,
    sources: Sequence[Path],
    out: Path,
    labels: Sequence[str | Path],
    columns: Mapping[str, str] | None,
    patients: str | Path | None,
    weights: Path | None,
    clear_patients: bool,
) -> TrainRequest:
    """Open every input and refuse what does not fit: the recipe for the task and this machine,
    sources and files that are not there, labels and patients that cannot be read, weights of
    another network, and a folder whose run was begun otherwise. No image is read."""
    pin_kernels(recipe)
    task.spec.check_recipe(recipe)
    choose_runtime(recipe)
    refuse_other_run(out, task, recipe)
    phantom_recipe = _phantom_recipe(task, recipe, weights_given=weights is not None)
    require_sources(sources)
    given = read_given_labels(task, labels, columns, patients)
    start = weights
    if weights is not None:
        load_weights(build_network(recipe, len(task.findings), 0), weights)
    elif recipe.pretrained:
        start = pretrained_weights(recipe.encoder)
    return TrainRequest(
        task=task,
        sources=tuple(sources),
        out=out,
        recipe=recipe,
        labels=given.labels,
        mask_files=given.mask_files,
        patients=patients,
        weights={} if start is None else dict.fromkeys(task.networks, start),
        weights_given=weights is not None,
        phantom_recipe=phantom_recipe,
        key=None if clear_patients else user_key(),
    )


@dataclass(frozen=True, eq=False)
class GivenLabels:
    """The labels of all label files but NIfTI masks; and these, which are read beside the
    archive."""

    labels: LabelTable
    mask_files: tuple[Path, ...]


def read_given_labels(
    task: Task,
    labels: Sequence[str | Path],
    columns: Mapping[str, str] | None,
    patients: str | Path | None,
) -> GivenLabels:
    """Read label files, and open a file of patients. Raises ValueError without a label file,
    FileNotFoundError or LabelError where one is not there or cannot be read."""
    if not labels:
        raise ValueError("nothing to learn from: give the label file with `labels`")
    files = [Path(path) for path in labels]
    masks = tuple(path for path in files if is_mask_file(path))
    require_mask_files(masks)
    tables = [read_label_file(path, task, columns) for path in files if path not in masks]
    if patients is not None and not asks_for_study(patients):
        read_patients(patients)
    return GivenLabels(merge_labels(tables), masks)


def _phantom_recipe(task: Task, recipe: Recipe, *, weights_given: bool) -> Recipe | None:
    """Return the settings under which a recipe's phantoms are learned; None where none are.
    ValueError where there are none to learn."""
    if not recipe.phantoms.studies:
        return None
    teacher = task.phantom_task
    if teacher is None:
        raise ValueError(
            f"phantoms.studies = {recipe.phantoms.studies}: there are no phantoms of the task "
            f"{task.name}; set phantoms.studies=0"
        )
    if teacher is not task and recipe.phantoms.share:
        raise ValueError(
            f"phantoms.share = {recipe.phantoms.share}: the phantoms are of {teacher.name}, whose "
            f"findings are not those of {task.name}; set phantoms.share=0"
        )
    if weights_given and not recipe.phantoms.share:
        return None
    own = recipe if teacher is task else recipe.encoder_only()
    return teacher.spec.phantom_recipe(own)


def refuse_other_run(out: Path, task: Task, recipe: Recipe) -> None:
    """Raise ResumeError where a run of another task, or whose networks of slices were begun with
    other settings, lies in the folder. Damaged files of a run are left to the training, which
    writes them anew."""
    with suppress(DamagedFileError):
        if any(out.glob("model-*/**/last.pt")) and (out / "about.json").is_file():
            before = read_about(out)["task"]
            changed = [] if before == task.name else [f"task was {before!r}, is {task.name!r}"]
            if kept_task(out, before).source != task.source:
                changed.append("the task's file was another")
            refuse_differences(str(out / "about.json"), changed)
        check_resume(Run(out), recipe)
