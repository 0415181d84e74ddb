"""training/checkpoint.py: all that a stopped training needs to go on, and when it is written.

Trainings of slices, of series and joint ones write the same form: a file that says where to go on,
and one with the weights of the best epoch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TypedDict, cast

import numpy as np
import torch
from torch import Tensor, nn

from wetread.archive.errors import WetreadError
from wetread.archive.files.damaged import expect_form
from wetread.training.about import read_run_recipe
from wetread.training.averaging import (
    NO_EPOCH,
    RankedEpoch,
    average_with_start,
    best_epochs,
    mean_state,
)
from wetread.training.device import restore_rng_state, rng_state
from wetread.training.recipe import Recipe, Setting, flat_settings
from wetread.training.recipe_file import current_settings
from wetread.training.run import CHECKPOINT, Run

# What a run may change when it goes on: where it runs and how it reads, and whether networks follow
# those that it has; never what these learn.
FREE_SETTINGS = {"runtime.readers", "runtime.cache_mb", "checkpoint_every_steps", "refit"}


class ResumeError(WetreadError, ValueError):
    """A training that is to go on was begun with other settings, labels or images."""


@dataclass(frozen=True)
class CheckpointFiles:
    """Names in the run's folder.

    last:    where to go on.
    best:    the weights that are kept.
    metrics: one JSON object an epoch; None: not written.
    """

    last: str
    best: str
    metrics: str | None = None


@dataclass(frozen=True)
class TrainingIdentity:
    """Data and settings of a training; one that goes on must have equal ones.

    settings: by dotted name, those that change what is learned.
    data:     a digest of samples, targets and weights (digest_arrays).
    findings: names of the outputs.
    pixels:   a digest of what the images show; None where it is not known.
    """

    settings: Mapping[str, Setting]
    data: str
    findings: tuple[str, ...] = ()
    pixels: str | None = None


@dataclass(frozen=True)
class EpochScore:
    """How good the model of one epoch is on the validation patients.

    value:            by which the best epoch is chosen.
    higher_is_better: True for an AUC, False for a loss.
    scores:           more numbers for the metrics file; None where one cannot be.
    """

    value: float
    higher_is_better: bool = False
    scores: Mapping[str, float | None] = field(default_factory=dict)

    def better_than(self, value: float | None) -> bool:
        """Whether this epoch beats the best before."""
        if value is None:
            return True
        return self.value > value if self.higher_is_better else self.value < value


class _Saved(TypedDict):
    """The file from which a training goes on."""

    model: dict[str, Tensor]
    optimizer: dict[str, object]
    chance: dict[str, Tensor]
    epoch: int
    position: int
    step: int
    losses: list[float]
    history: list[dict[str, Setting]]
    best: dict[str, object]
    top: list[dict[str, object]]
    described: dict[str, Setting]
    settings: dict[str, Setting]
    data_print: str
    pixels: str | None


@dataclass
class Checkpointer:
    """Where a training stands; the one thing here that changes.

    described:   plain values that the kept weights are saved with.
    every_steps: a file is written after so many steps; 0: after epochs alone.
    average:     so many of the best epochs' weights are averaged.
    start:       the weights that the training started from, on the CPU, and their share in those
                 that are kept.
    """

    run: Run
    files: CheckpointFiles
    model: nn.Module
    optimizer: torch.optim.Optimizer
    device: torch.device
    identity: TrainingIdentity
    described: Mapping[str, Setting] = field(default_factory=dict)
    every_steps: int = 0
    average: int = 1
    start: Mapping[str, Tensor] = field(default_factory=dict)
    start_share: float = 0.0
    epoch: int = 0
    position: int = 0  # steps done in this epoch
    step: int = 0  # steps done in all
    losses: list[Tensor] = field(default_factory=list)  # of this epoch's steps, scalars
    history: list[dict[str, Setting]] = field(default_factory=list)  # the lines of the metrics
    best: RankedEpoch = NO_EPOCH
    top: tuple[RankedEpoch, ...] = ()

    def resume(self) -> bool:
        """Take up the training where the run's folder has it; False where nothing is there.

        ResumeError where it was begun with other inputs, DamagedFileError where the file is cut or
        another.
        """
        saved = self.run.load(self.files.last)
        if saved is None:
            return False
        path = self.run.folder / self.files.last
        if "described" not in saved:
            raise ResumeError(
                f"{path}: an earlier version began this training, in a form from which it cannot "
                "go on. Give another folder, or remove this file to train it again"
            )
        with expect_form(path, CHECKPOINT):
            changed = _differences(cast(_Saved, saved), self.identity)
        refuse_differences(str(path), changed)
        with expect_form(path, CHECKPOINT, RuntimeError):
            self._restore(cast(_Saved, saved))
        self._write_metrics()
        return True

    def keep(self, value: float | None) -> None:
        """Keep the model as it is before the first epoch, scored by value."""
        self.best = RankedEpoch(-1, value)
        self._save_best(_on_cpu(self.model.state_dict()))

    def after_step(self, loss: Tensor) -> None:
        """Count the step and its loss, a scalar (any shape of one value); save when it is due."""
        self.losses.append(loss.detach())
        self.step += 1
        self.position += 1
        if self.every_steps and self.step % self.every_steps == 0:
            self._save()

    def after_epoch(self, score: EpochScore | None) -> None:
        """Record the epoch, keep the model if it is the best so far, and turn to the next.

        score: of the validation patients; None where there are none, and then the last is best.
        """
        value = None if score is None else score.value
        better = score is None or score.better_than(self.best.value)
        self.history.append(
            {
                "epoch": self.epoch,
                "step": self.step,
                "loss": float(torch.stack(self.losses).double().mean()),
                "value": value,
                "kept": better,
                **({} if score is None else score.scores),
            }
        )
        now = RankedEpoch(self.epoch, value)
        if better:
            self.best = now
        if self.average > 1:
            self._average(now, higher_is_better=score is not None and score.higher_is_better)
        elif better:
            self._save_best(_on_cpu(self.model.state_dict()))
        self.epoch, self.position, self.losses = self.epoch + 1, 0, []
        self._write_metrics()
        self._save()  # last: killed before it, the epoch's end is done again, and ends the same

    def out_of_patience(self, epochs: int) -> bool:
        """Whether so many epochs passed since the best one; 0: patience without end."""
        return epochs > 0 and self.epoch - 1 - self.best.epoch >= epochs

    def best_state(self) -> dict[str, Tensor]:
        """Read the kept weights (of any shape), on the CPU."""
        state: dict[str, Tensor] = self.run.read(self.files.best)["model"]
        return state

    def _average(self, now: RankedEpoch, *, higher_is_better: bool) -> None:
        """Keep the mean of the best epochs' weights, where this epoch is among them."""
        before = self.top
        self.top = best_epochs(before, now, self.average, higher_is_better=higher_is_better)
        if now not in self.top:
            return
        self.run.save(_top_file(now), {"model": _on_cpu(self.model.state_dict())})
        self._save_best(mean_state([self.run.read(_top_file(one))["model"] for one in self.top]))
        for one in {*before, now} - {*self.top}:
            self.run.remove(_top_file(one))

    def _save_best(self, state: Mapping[str, Tensor]) -> None:
        state = average_with_start(state, self.start, self.start_share)
        kept = {"model": state, "epoch": self.best.epoch, "value": self.best.value}
        self.run.save(self.files.best, {**kept, **self.described})

    def _write_metrics(self) -> None:
        if self.files.metrics is not None:
            self.run.write_lines(self.files.metrics, self.history)

    def _save(self) -> None:
        saved: _Saved = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "chance": rng_state(self.device),
            "epoch": self.epoch,
            "position": self.position,
            "step": self.step,
            "losses": [float(loss) for loss in self.losses],
            "history": self.history,
            "best": asdict(self.best),
            "top": [asdict(one) for one in self.top],
            "described": {"findings": list(self.identity.findings), **self.described},
            "settings": dict(self.identity.settings),
            "data_print": self.identity.data,
            "pixels": self.identity.pixels,
        }
        self.run.save(self.files.last, saved)

    def _restore(self, saved: _Saved) -> None:
        self.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        restore_rng_state(saved["chance"], self.device)
        self.epoch, self.position, self.step = saved["epoch"], saved["position"], saved["step"]
        self.losses = [torch.tensor(v, device=self.device) for v in saved["losses"]]
        self.history = saved["history"]
        self.best = _ranked(saved["best"])
        self.top = tuple(_ranked(one) for one in saved["top"])


def check_resume(run: Run, recipe: Recipe) -> None:
    """Refuse a recipe with which the trainings begun in a run's folder cannot go on.

    To be called before the first long step. ResumeError names the settings of the encoders that
    differ; those of networks over them are compared when these are trained. DamagedFileError where
    the run's recipe cannot be read.
    """
    begun = any(run.folder.glob("model-*/**/last.pt"))
    path = run.folder / "recipe.json"
    if not begun or not path.is_file():
        return
    before = learned_settings(read_run_recipe(run.folder).encoder_only())
    refuse_differences(str(path), _changed(before, learned_settings(recipe.encoder_only())))


def refuse_differences(where: str, changed: Sequence[str]) -> None:
    """ResumeError where anything changed since the training began, which it names."""
    if changed:
        raise ResumeError(
            f"{where}: this run was begun otherwise: {'; '.join(changed)}. "
            "Go on with what it was begun with, or give another folder"
        )


def learned_settings(recipe: Recipe) -> dict[str, Setting]:
    """Return the settings that change what is learned, by dotted name."""
    settings = flat_settings(recipe)
    return {name: value for name, value in settings.items() if name not in FREE_SETTINGS}


def _differences(saved: _Saved, identity: TrainingIdentity) -> list[str]:
    """List what differs from the inputs that the training was begun with."""
    described = saved["described"]
    if "settings" in saved:
        before = saved["settings"]
    else:  # of a run from before the settings had groups
        before = current_settings(cast(Mapping[str, Setting], described["recipe"]))
    changed = _changed(before, identity.settings)
    if tuple(cast(Sequence[str], described["findings"])) != identity.findings:
        changed.append("the findings are others")
    if saved["data_print"] != identity.data:
        changed.append("the slices or their labels are others")
    if not changed and saved.get("pixels") != identity.pixels:
        changed.append(
            "the slices' pixels are others, under the same ids"
            if saved.get("pixels") is not None
            else "an earlier version did not note which pixels it learned from"
        )
    return changed


def _changed(before: Mapping[str, Setting], now: Mapping[str, Setting]) -> list[str]:
    defaults = flat_settings(Recipe())  # of a setting that there was not: what was done before it
    return [
        f"{name} was {old!r}, is {value!r}"
        for name, value in now.items()
        if (old := before.get(name, defaults.get(name))) != value
    ]


def digest_arrays(*arrays: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> str:
    """Digest the values of arrays (any shape), SHA-256 as hexadecimal digits."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _on_cpu(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.cpu() for name, tensor in state.items()}


def _ranked(values: Mapping[str, object]) -> RankedEpoch:
    value = values["value"]
    return RankedEpoch(int(cast(int, values["epoch"])), None if value is None else float(value))  # type: ignore[arg-type]


def _top_file(one: RankedEpoch) -> str:
    return f"top-{one.epoch}.pt"
