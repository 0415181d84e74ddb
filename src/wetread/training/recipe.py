"""training/recipe.py: every setting of a training run, as one frozen value."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from wetread.models.names import SEQUENCE_NAMES, check_encoder
from wetread.view.augment import Strengths
from wetread.view.mode import MODES, Mode, find_mode
from wetread.view.view import View
from wetread.view.window import WINDOWS, find_window

_DEVICE = re.compile(r"(cpu|cuda|mps)(:\d{1,3})?")
Setting = object  # a plain value of TOML or JSON: number, text, truth value, list, None


class Settings(BaseModel):
    """A group of settings that belong to each other; unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class MaskSettings(Settings):
    """The masks that a U-Net draws, and the terms of their loss (training/losses.py)."""

    stride: Literal[1, 2, 4, 8, 16] = 4  # pixels of the view that a pixel of the mask stands for
    image_pixels: int = Field(
        default=0, ge=0
    )  # that speak for the image; 0: 0.5 % of them, 20 at least
    bce: float = Field(default=3.0, ge=0)  # weight of the cross entropy
    dice: float = Field(default=0.5, ge=0)  # weight of the soft Dice loss
    focal: float = Field(default=0.0, ge=0)  # weight of the focal loss
    positive_weight: float = Field(default=3.0, gt=0)  # of a pixel inside, in the cross entropy


class PhantomSettings(Settings):
    """Phantoms of the task, whose truth is known by the pixel, that are learned first."""

    studies: int = Field(default=0, ge=0, le=1000000)  # that are learned first; 0: none
    epochs: int = Field(default=8, ge=1, le=100000)  # passes over them
    learning_rate: float = Field(default=1e-3, gt=0)  # while they are learned
    top_checkpoints: int = Field(default=1, ge=1, le=1000)  # of them the weights are averaged
    masks: bool = True  # they are learned by the pixel too, where the task has what is drawn
    share: float = Field(
        default=0.0, ge=0, lt=1
    )  # of each later batch, beside batch_size images of the archive


class GraftSettings(Settings):
    """Lesions of known truth that are painted into negative images of patients that are learned."""

    share: float = Field(default=0.0, ge=0, lt=1)  # of an epoch's negatives that get one


class SeriesSettings(Settings):
    """A network over the embeddings of a whole series' slices (models/sequence.py)."""

    network: str = "none"  # over slices: none, or a name of models/sequence.py
    parts: int = Field(
        default=2, ge=2, le=100
    )  # one encoder each, trained on the patients of the rest
    features: Literal["last", "logits", "drawn"] = (
        "last"  # of a slice: inputs of the encoder's last layer, logits, or logits and mask peaks
    )
    heads: tuple[Literal["network", "slices", "boosting"], ...] = (
        "network",
    )  # what judges slices: the network; slices: the encoder alone too; boosting: trees, too
    differences: bool = True  # to the slices before and after
    mirror: bool = True  # mirror images are learned and read too, sides exchanged
    loss: Literal["metric", "plain"] = "metric"  # the task's own, or equal weights
    epochs: int = Field(default=30, ge=1, le=1000000)  # of the network
    batch_size: int = Field(default=8, ge=1, le=65536)  # series
    learning_rate: float = Field(default=2e-3, gt=0)  # at its highest
    weight_decay: float = Field(default=0.02, ge=0)  # not on biases and norms

    @field_validator("network")
    @classmethod
    def _network_exists(cls, name: str) -> str:
        if name != "none" and name not in SEQUENCE_NAMES:
            known = ", ".join(SEQUENCE_NAMES)
            raise ValueError(f"no sequence network {name!r}; known: none, {known}")
        return name


class JointSettings(Settings):
    """Encoders and sequence network trained end to end after that, on a sample of the slices."""

    epochs: int = Field(default=0, ge=0, le=1000000)  # end to end, after all else; 0: none
    slices: int = Field(default=48, ge=2, le=65536)  # of a series in a step, whatever its length
    batch_size: int = Field(default=2, ge=1, le=65536)  # series
    learning_rate: float = Field(default=1e-4, gt=0)  # at its highest


class OptimizerSettings(Settings):
    """AdamW; the rate warms up in a line, then falls as a cosine over counted steps."""

    learning_rate: float = Field(default=2e-3, gt=0)  # of AdamW, at its highest
    warmup_fraction: float = Field(default=0.08, ge=0, lt=1)  # of all steps, in a rising line
    final_rate_fraction: float = Field(default=0.01, ge=0, le=1)  # of the rate, at the last step
    weight_decay: float = Field(default=0.02, ge=0)  # not on biases and norms
    beta1: float = Field(default=0.9, ge=0, lt=1)  # decay of the mean of gradients
    beta2: float = Field(default=0.99, ge=0, lt=1)  # decay of the mean of their squares
    max_norm: float = Field(default=2.0, gt=0)  # gradients are clipped to this length
    encoder_rate: float = Field(
        default=1.0, ge=0, le=1
    )  # of the encoder's layers, as a share of the rate of those that follow it; 0: they stay
    freeze_norms: bool = False  # BatchNorm keeps the statistics that it starts with


class AugmentationSettings(Settings):
    """How far images are changed in training (view/augment.py)."""

    flip: float = Field(default=0.5, ge=0, le=1)  # probability of a left-right mirror
    rotate_degrees: float = Field(default=15.0, ge=0)  # at most, either way
    scale: float = Field(default=0.12, ge=0, lt=1)  # change of size at most, as a share
    shift: float = Field(default=0.04, ge=0)  # along rows and columns at most, share of the image
    hu_shift: float = Field(default=2.5, ge=0)  # at most, HU or the gray of a radiograph (0..4095)
    contrast: float = Field(default=0.0, ge=0, lt=1)  # about the image's mean at most, as a share
    hu_scale: float = Field(default=0.0, ge=0, lt=1)  # of HU about water at most, as a share
    soften: float = Field(default=0.0, ge=0, le=8)  # Gaussian sigma at most, pixels
    sharpen: float = Field(default=0.0, ge=0, le=4)  # unsharp mask at most; never with soften
    resolution: float = Field(default=0.0, ge=0, lt=1)  # lost at most, share of pixels an axis
    noise_hu: float = Field(default=0.0, ge=0)  # standard deviation of white noise at most
    gamma: float = Field(default=0.0, ge=0, le=2)  # log of the gray's exponent at most, either way


class RuntimeSettings(Settings):
    """Where a training runs and how it reads."""

    device: str = "auto"  # auto, cpu, cuda, cuda:1, mps
    precision: Literal["auto", "float32", "bfloat16"] = "auto"  # auto: bfloat16 where native
    threads: int = Field(default=1, ge=0, le=1024)  # of torch on the CPU; 0: as many as cores
    batch_parts: int = Field(
        default=2, ge=1, le=64
    )  # of a batch, trained at the same time, by processes and on a CPU by threads
    readers: int = Field(default=2, ge=1, le=256)  # threads that read ahead, and on a CPU predict
    cache_mb: int = Field(default=1024, ge=0)  # of slices stay in memory, as many as fit; 0: none
    deterministic: bool = False  # float32 and one order of sums on every processor, slower

    @field_validator("device")
    @classmethod
    def _device_has_a_known_name(cls, name: str) -> str:
        if name != "auto" and not _DEVICE.fullmatch(name):
            raise ValueError("no device of that name; known: auto, cpu, cuda, cuda:1, mps")
        return name

    @model_validator(mode="after")
    def _deterministic_has_one_order(self) -> Self:
        if self.deterministic and (self.threads != 1 or self.precision == "bfloat16"):
            raise ValueError(
                f"deterministic = true with threads = {self.threads}, precision = "
                f"{self.precision!r}: it is of one thread in float32; set threads to 1 and "
                "precision to auto or float32"
            )
        return self


class Recipe(Settings):
    """The settings, with the defaults of the compact net; stored resolved in the run."""

    # The network and its view of a slice.
    encoder: str = "compact"  # a name of the list below
    decoder: Literal["none", "unet"] = "none"  # unet: pixel findings are learned as masks too
    windows: tuple[str, ...] = ("brain", "subdural", "bone")  # a channel each; or one mode
    neighbors: int = Field(default=0, ge=0, le=64)  # slices on either side, as further channels
    neighbor_mm: float = Field(default=0.0, ge=0)  # how far apart these lie, mm; 0: adjacent
    size: int = Field(default=128, ge=8, le=4096)  # rows and columns, pixels
    crop: Literal["task", "region"] = (
        "task"  # the task's box; region: that of where findings can lie, found on each film
    )
    smaller_first: tuple[int, ...] = ()  # sizes before `size`, each for an equal part of the epochs

    # The weights it starts from, and how patients are split.
    seed: int = Field(default=0, ge=0)  # the one source of randomness
    pretrained: bool = False  # ImageNet weights, where an extra brings the encoder's
    folds: int = Field(
        default=0, ge=0, le=1000
    )  # 0: one split; K: each patient read by a model of others

    # How long, and in which steps.
    members: int = Field(
        default=1, ge=1, le=1000
    )  # networks of slices of each split, of different seeds, whose mean is taken
    refit: bool = False  # after folds, networks of all patients, which then read in place of theirs
    epochs: int = Field(default=24, ge=1, le=1000000)  # passes over the training images
    batch_size: int = Field(default=32, ge=1, le=65536)  # images a step
    batch_accumulation: int = Field(
        default=1, ge=1, le=65536
    )  # in so many turns each part of a batch is learned: memory is needed for one
    negatives_per_positive: float = Field(default=0.5, ge=0)  # drawn an epoch; 0: all there are
    negatives_at_end: float | None = Field(
        default=None, ge=0
    )  # of the last epoch, reached in equal steps
    top_checkpoints: int = Field(
        default=1, ge=1, le=1000
    )  # so many of the best epochs' weights are averaged, at most half of all epochs'
    patience_epochs: int = Field(
        default=0, ge=0
    )  # stop after so many without a better score; 0: never
    checkpoint_every_steps: int = Field(default=50, ge=1)  # a stopped training goes on from there
    pseudo_labels: bool = (
        False  # a split is learned twice, then with its networks' labels of images that have none
    )
    image_weight: float = Field(
        default=1.0, ge=0
    )  # of the images' cross entropy beside the masks' loss
    average_with_start: float = Field(
        default=0.0, ge=0, lt=1
    )  # share of the weights that it starts from in those that are kept

    masks: MaskSettings = MaskSettings()
    phantoms: PhantomSettings = PhantomSettings()
    grafts: GraftSettings = GraftSettings()
    series: SeriesSettings = SeriesSettings()
    joint: JointSettings = JointSettings()
    optimizer: OptimizerSettings = OptimizerSettings()
    augmentation: AugmentationSettings = AugmentationSettings()
    runtime: RuntimeSettings = RuntimeSettings()

    @field_validator("encoder")
    @classmethod
    def _encoder_exists(cls, name: str) -> str:
        check_encoder(name)
        return name

    @field_validator("windows")
    @classmethod
    def _windows_are_known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        mode_of_windows(names)
        return names

    @model_validator(mode="after")
    def _settings_agree(self) -> Self:
        sizes = (*self.smaller_first, self.size)
        if self.decoder != "none" and any(size % 32 for size in sizes):
            raise ValueError(f"sizes {sizes}: a decoder takes multiples of 32")
        if any(not 8 <= size <= self.size for size in self.smaller_first):
            raise ValueError(f"smaller_first = {self.smaller_first}: from 8 to size = {self.size}")
        if self.series.heads[:1] != ("network",) or len(set(self.series.heads)) < len(
            self.series.heads
        ):
            raise ValueError(f"series.heads = {self.series.heads}: the network first, each once")
        if self.joint.epochs and self.series.heads != ("network",):
            raise ValueError("joint.epochs trains the network alone: series.heads = ['network']")
        if self.joint.epochs and self.series.features != "last":
            raise ValueError("joint.epochs trains through features: series.features = 'last'")
        if self.members > 1 and self.series.network != "none":
            raise ValueError(
                f"members = {self.members}: of networks of slices; a network over the series has "
                "series.parts"
            )
        if self.refit and (self.folds < 2 or self.series.network != "none"):
            raise ValueError(
                f"refit = true with folds = {self.folds}, series.network = "
                f"{self.series.network!r}: networks of slices are fitted anew, for as many epochs "
                "as folds choose; set folds to 2 or more, or refit to false"
            )
        if self.pseudo_labels and (self.decoder != "none" or self.series.network != "none"):
            raise ValueError(
                f"pseudo_labels = true with decoder = {self.decoder!r}, series.network = "
                f"{self.series.network!r}: it is for networks of images that draw nothing; set it "
                "to false"
            )
        if self.pseudo_labels and self.negatives_per_positive:
            raise ValueError(
                "pseudo_labels = true with negatives_per_positive = "
                f"{self.negatives_per_positive}: shares are no negatives to leave out; set "
                "negatives_per_positive to 0"
            )
        ends = (self.negatives_per_positive, self.negatives_at_end)
        if self.phantoms.share and not self.phantoms.studies:
            raise ValueError("phantoms.share: there are no phantoms where phantoms.studies = 0")
        if self.negatives_at_end is not None and 0 in ends:
            raise ValueError(
                f"negatives from {ends[0]} to {ends[1]}: 0, all there are, is no ratio"
            )
        return self

    def with_settings(self, changes: Mapping[str, Setting]) -> Recipe:
        """Return a copy with other values, by dotted name ("optimizer.learning_rate")."""
        values = flat_settings(self) | dict(changes)
        return Recipe.model_validate(nested_settings(values))

    def encoder_only(self) -> Recipe:
        """Return the settings of an encoder; those of networks over it are the defaults."""
        return self.model_copy(update={"series": SeriesSettings(), "joint": JointSettings()})

    @property
    def averaged_epochs(self) -> int:
        """How many of the best epochs' weights are averaged: a short training has no half of it to
        spare for weights that have just begun to learn."""
        return min(self.top_checkpoints, max(1, self.epochs // 2))

    @property
    def view(self) -> View:
        """The network's view of a slice: windows, neighbors, size."""
        mode = mode_of_windows(self.windows)
        return View(mode.windows, self.neighbors, self.size, mode.mix, self.neighbor_mm)

    @property
    def strengths(self) -> Strengths:
        """How far images are changed in training, as view/augment.py takes it."""
        return Strengths(**dict(self.augmentation))

    def size_at(self, epoch: int) -> int:
        """Return the rows and columns that an epoch is learned at; `size` at the end."""
        sizes = (*self.smaller_first, self.size)
        return sizes[min(epoch * len(sizes) // self.epochs, len(sizes) - 1)]

    def negatives_at(self, epoch: int) -> float:
        """Return the negatives per positive of an epoch; 0: all there are."""
        if self.negatives_at_end is None or self.epochs == 1:
            return self.negatives_per_positive
        part = epoch / (self.epochs - 1)
        return (1 - part) * self.negatives_per_positive + part * self.negatives_at_end


def flat_settings(settings: Settings | Mapping[str, Setting]) -> dict[str, Setting]:
    """Flatten settings to plain values by dotted name, in the recipe's order."""
    values = settings.model_dump(mode="json") if isinstance(settings, Settings) else settings
    flat: dict[str, Setting] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{inner}": one for inner, one in value.items()}
        else:
            flat[name] = value
    return flat


def nested_settings(values: Mapping[str, Setting]) -> dict[str, Setting]:
    """Nest values by dotted name into their groups; ValueError where a name is value and group."""
    nested: dict[str, Setting] = {}
    for dotted, value in values.items():
        *groups, name = dotted.split(".")
        inner = nested
        for group in groups:
            below = inner.setdefault(group, {})
            if not isinstance(below, dict):
                raise ValueError(f"{group} is a value, so that there is no {dotted}")
            inner = below
        inner[name] = value
    return nested


def mode_of_windows(names: Sequence[str]) -> Mode:
    """Find windows by their names, or one mode ("gradient-bsb:lung,pulmonary,40/400").

    ValueError for a mode that a network cannot be shown: one of other bounds on every slice.
    """
    if not names:
        raise ValueError("at least one window")
    heads = [name.partition(":")[0] for name in names]
    if len(names) > 1:
        if alone := [head for head in heads if head in MODES and head not in WINDOWS]:
            raise ValueError(f"{alone[0]} is a mode, and stands alone in the setting windows")
        return Mode(tuple(map(find_window, names)))
    mode = find_mode(names[0])
    if mode.slicewise:
        raise ValueError(
            f"{heads[0]} stretches every slice by itself, so that one HU is another gray on the "
            "next; give a mode of fixed bounds"
        )
    if not mode.windows:
        raise ValueError(
            f"{heads[0]} shows each slice in its own header's window; name windows of fixed bounds"
        )
    if mode.offsets != (0,):
        raise ValueError(f"{heads[0]} sees other slices; name its window, and neighbors = 1")
    return mode
