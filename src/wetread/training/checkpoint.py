"""training/checkpoint.py: all that a stopped training needs to go on, and when it is written."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from wetread.archive.files.damaged import expect_form
from wetread.models.encoders import last_linear
from wetread.store.store import digest_of
from wetread.training.averaging import Ranked, best_epochs, mean_state
from wetread.training.device import Runtime, restore_rng_state, rng_state
from wetread.training.losses import prior_logits
from wetread.training.recipe import Recipe, flat_settings
from wetread.training.recipe_file import current_settings
from wetread.training.run import BEST, CHECKPOINT, LAST, METRICS, Run
from wetread.training.slices.batches import TrainSet, epoch_items, negative_rate

# What a run may change when it goes on: where it runs and how it reads, never what it learns.
FREE_SETTINGS = {"runtime.readers", "runtime.cache_mb", "checkpoint_every_steps"}


@dataclass(frozen=True)
class EpochScore:
    """What score(model) says of one epoch.

    value:            what the best epoch is chosen by.
    higher_is_better: True for an AUC, False for a loss.
    scores:           more numbers for the metrics file; None where one cannot be.
    """

    value: float
    higher_is_better: bool
    scores: Mapping[str, float | None] = field(default_factory=dict)

    def better_than(self, value: float | None) -> bool:
        """Whether this epoch beats the best before."""
        if value is None:
            return True
        return self.value > value if self.higher_is_better else self.value < value


@dataclass(frozen=True)
class Best:
    """The epoch that was kept (-1: none yet) and its value (None: not scored)."""

    epoch: int
    value: float | None


@dataclass
class Checkpointer:
    """Where a training stands; the one thing here that changes. Written to last.pt as it goes."""

    run: Run
    model: nn.Module
    optimizer: torch.optim.Optimizer
    recipe: Recipe
    runtime: Runtime
    described: dict[str, Any]  # what best.pt holds beside the weights
    data_print: str
    pixels: str | None  # a digest of what the slices show; None where it is not known
    epoch: int = 0
    position: int = 0  # steps done in this epoch
    step: int = 0  # steps done in all
    losses: list[Tensor] = field(default_factory=list)  # of this epoch's steps, scalars
    history: list[dict[str, Any]] = field(default_factory=list)  # the lines of metrics.jsonl
    best: Best = Best(-1, None)
    top: tuple[Ranked, ...] = ()

    @staticmethod
    def start(
        run: Run,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        data: TrainSet,
        recipe: Recipe,
        findings: Sequence[str],
        runtime: Runtime,
    ) -> "Checkpointer":
        """From the beginning, the last layer's bias set to the priors; or from run's last.pt."""
        described = {
            "findings": list(findings),
            "mask_findings": [] if data.masks is None else list(data.masks.findings),
            "view": recipe.view.to_dict(),
            "recipe": recipe.model_dump(mode="json"),
            "negative_rate": negative_rate(data.targets, recipe),
        }
        prints = fingerprint(data), pixels_print(data)
        checkpointer = Checkpointer(run, model, optimizer, recipe, runtime, described, *prints)
        saved = run.load(LAST)
        if saved is not None:
            checkpointer._go_on(saved)
            return checkpointer
        run.write_json("recipe.json", described["recipe"])
        with torch.no_grad():
            seen = data.targets[epoch_items(data.targets, recipe, 0)]
            last_linear(model).bias.copy_(torch.from_numpy(prior_logits(seen)))
        return checkpointer

    def after_step(self, loss: Tensor) -> None:
        """Count the step; write last.pt when it is due."""
        self.losses.append(loss.detach())
        self.step += 1
        self.position += 1
        if self.step % self.recipe.checkpoint_every_steps == 0:
            self._save()

    def after_epoch(self, validation: EpochScore | None) -> None:
        """Record the epoch, keep the model if it is the best so far, and turn to the next."""
        value = None if validation is None else validation.value
        better = validation is None or validation.better_than(self.best.value)
        self.history.append(
            {
                "epoch": self.epoch,
                "step": self.step,
                "loss": float(torch.stack(self.losses).double().mean()),
                "value": value,
                "kept": better,
                **({} if validation is None else validation.scores),
            }
        )
        if better:
            self.best = Best(self.epoch, value)
        self._keep(
            Ranked(self.epoch, value), validation is not None and validation.higher_is_better
        )
        self.epoch, self.position, self.losses = self.epoch + 1, 0, []
        self.run.write_lines(METRICS, self.history)
        self._save()  # last: killed before it, the epoch's end is done again, and ends the same

    def _keep(self, now: Ranked, higher_is_better: bool) -> None:
        """Write best.pt, the mean of the best epochs' weights, where this epoch is among them."""
        count = self.recipe.top_checkpoints
        before, self.top = self.top, best_epochs(self.top, now, count, higher_is_better)
        if now not in self.top:
            return
        self.run.save(_top(now), {"model": self.model.state_dict()})
        states = [self.run.read(_top(one))["model"] for one in self.top]
        kept = {"model": mean_state(states), "epoch": self.best.epoch, "value": self.best.value}
        self.run.save(BEST, {**kept, **self.described})
        for one in {*before, now} - ({*self.top} if count > 1 else set()):
            self.run.remove(_top(one))

    def out_of_patience(self) -> bool:
        """Whether the recipe's patience is over."""
        patience = self.recipe.patience_epochs
        return patience > 0 and self.epoch - 1 - self.best.epoch >= patience

    def _save(self) -> None:
        self.run.save(
            LAST,
            {
                "model": self.model.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "chance": rng_state(self.runtime.device),
                "epoch": self.epoch,
                "position": self.position,
                "step": self.step,
                "losses": [float(loss) for loss in self.losses],
                "history": self.history,
                "best": asdict(self.best),
                "top": [asdict(one) for one in self.top],
                "described": self.described,
                "data_print": self.data_print,
                "pixels": self.pixels,
            },
        )

    def _go_on(self, saved: dict[str, Any]) -> None:
        self._refuse_if_other(saved)
        with expect_form(self.run.folder / LAST, CHECKPOINT, RuntimeError):
            self._take_up(saved)
        self.run.write_lines(METRICS, self.history)

    def _take_up(self, saved: dict[str, Any]) -> None:
        self.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        restore_rng_state(saved["chance"], self.runtime.device)
        self.epoch, self.position, self.step = saved["epoch"], saved["position"], saved["step"]
        self.losses = [torch.tensor(v, device=self.runtime.device) for v in saved["losses"]]
        self.history, self.best = saved["history"], Best(**saved["best"])
        self.top = tuple(Ranked(**one) for one in saved["top"])

    def _refuse_if_other(self, saved: dict[str, Any]) -> None:
        with expect_form(self.run.folder / LAST, CHECKPOINT):
            changed = self._changed(saved)
        if changed:
            raise ValueError(
                f"{self.run.folder / LAST}: this run was begun otherwise: {'; '.join(changed)}. "
                "Go on with what it was begun with, or give another folder"
            )

    def _changed(self, saved: dict[str, Any]) -> list[str]:
        """List the settings that differ from those the run was begun with."""
        before, now = saved["described"], self.described
        settings = current_settings(before["recipe"])
        changed = [
            f"{key} was {settings.get(key)!r}, is {value!r}"
            for key, value in flat_settings(self.recipe).items()
            if key not in FREE_SETTINGS and settings.get(key) != value
        ]
        if before["findings"] != now["findings"]:
            changed.append("the findings are others")
        if saved["data_print"] != self.data_print:
            changed.append("the slices or their labels are others")
        if not changed and saved.get("pixels") != self.pixels:
            changed.append(
                "the slices' pixels are others, under the same ids"
                if saved.get("pixels") is not None
                else "an earlier version did not note which pixels it learned from"
            )
        return changed


def _top(one: Ranked) -> str:
    return f"top-{one.epoch}.pt"


def pixels_print(data: TrainSet) -> str | None:
    """A digest of what all slices of the source show, those beside the learned ones included."""
    slices = data.source.slices
    if "digest" not in slices.columns or slices["digest"].null_count():
        return None
    return digest_of(slices)


def fingerprint(data: TrainSet) -> str:
    """A digest of which slices are learned, with which targets and weights."""
    digest = hashlib.sha256()
    ids = data.source.slices
    if "SOPInstanceUID" in ids.columns:
        digest.update("\n".join(ids["SOPInstanceUID"].gather(data.rows).to_list()).encode())
    for array in (data.rows, data.targets, data.weights, data.mirror):
        digest.update(np.ascontiguousarray(array).tobytes())
    if data.masks is not None:
        digest.update(data.masks.known.tobytes())
        for row in data.masks.blobs:
            digest.update(b"".join(row))
    return digest.hexdigest()
