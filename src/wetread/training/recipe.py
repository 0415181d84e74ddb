"""training/recipe.py: every setting of a training run, one frozen flat value, read from TOML."""

import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from wetread.view.augment import Strengths
from wetread.view.mode import MODES, Mode, find_mode
from wetread.view.view import View
from wetread.view.window import WINDOWS, find_window


class Recipe(BaseModel):
    """The settings, with the defaults of the compact net; stored resolved in the run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # What the network is and sees.
    encoder: str = "compact"
    decoder: Literal["none", "unet"] = "none"  # unet: pixel findings are learned as masks too
    mask_stride: Literal[1, 2, 4, 8, 16] = 4  # pixels of the view a pixel of the mask stands for
    windows: tuple[str, ...] = ("brain", "subdural", "bone")  # or center/width in HU, or one mode
    neighbours: int = Field(0, ge=0, le=64)  # slices seen on either side
    size: int = Field(128, ge=8, le=4096)  # rows and columns, pixels
    smaller_first: tuple[int, ...] = ()  # sizes before `size`, each for an equal part of the epochs

    # From which weights, and how patients are split.
    pretrained: bool = False  # ImageNet weights, where an extra brings the encoder's
    phantoms: int = Field(
        0, ge=0, le=1000000
    )  # studies of the task's phantoms that are learned first
    phantom_epochs: int = Field(8, ge=1, le=100000)
    phantom_learning_rate: float = Field(1e-3, gt=0)
    folds: int = Field(
        0, ge=0, le=1000
    )  # 0: one split; K: every patient is read by a model of the others

    # How long, and in what steps.
    epochs: int = Field(24, ge=1, le=1000000)
    batch_size: int = Field(32, ge=1, le=65536)
    negatives_per_positive: float = Field(0.5, ge=0)  # 0: every slice in every epoch
    negatives_at_end: float | None = Field(None, ge=0)  # of the last epoch, reached in equal steps
    top_checkpoints: int = Field(1, ge=1, le=1000)  # the best epochs' weights are averaged
    patience_epochs: int = Field(0, ge=0)  # stop after so many without a better score; 0: never
    checkpoint_every_steps: int = Field(50, ge=1)

    # What is minimised: cross entropy of images, and of masks (training/losses.py).
    image_weight: float = Field(1.0, ge=0)
    mask_bce: float = Field(3.0, ge=0)
    mask_dice: float = Field(0.5, ge=0)
    mask_focal: float = Field(0.0, ge=0)
    mask_pixels: int = Field(0, ge=0)  # that speak for the image; 0: 0.5 % of them, 20 at least
    mask_positive_weight: float = Field(3.0, gt=0)  # of a pixel inside, in the cross entropy

    # The slices of a series read together (models/sequence.py), over what the encoder sees.
    sequence: str = "none"  # none, gru, transformer, plain_gru
    sequence_parts: int = Field(
        2, ge=2, le=100
    )  # an encoder a part, learned from the patients of the rest
    sequence_features: Literal["last", "logits", "drawn"] = "last"  # models/features.py
    sequence_differences: bool = True  # to the slices before and after
    sequence_mirror: bool = True  # mirror images are learned and read too, sides changed
    sequence_loss: Literal["metric", "plain"] = "metric"  # the task's own, or equal weights
    sequence_epochs: int = Field(30, ge=1, le=1000000)
    sequence_batch: int = Field(8, ge=1, le=65536)  # series
    sequence_rate: float = Field(2e-3, gt=0)
    sequence_decay: float = Field(0.02, ge=0)

    # Then encoders and network learned together, over slices spread evenly through each series.
    together_epochs: int = Field(0, ge=0, le=1000000)  # 0: not
    together_slices: int = Field(
        48, ge=2, le=65536
    )  # of a series at a time: memory does not grow with it
    together_batch: int = Field(2, ge=1, le=65536)  # series
    together_rate: float = Field(1e-4, gt=0)

    # AdamW, warm-up then cosine over counted steps.
    learning_rate: float = Field(2e-3, gt=0)
    warmup_fraction: float = Field(0.08, ge=0, lt=1)
    final_rate_fraction: float = Field(0.01, ge=0, le=1)
    weight_decay: float = Field(0.02, ge=0)  # not on biases and norms
    beta1: float = Field(0.9, ge=0, lt=1)
    beta2: float = Field(0.99, ge=0, lt=1)
    max_norm: float = Field(2.0, gt=0)  # gradients are clipped to this length

    # Augmentation: view.augment.Strengths.
    flip: float = Field(0.5, ge=0, le=1)
    rotate_degrees: float = Field(15.0, ge=0)
    scale: float = Field(0.12, ge=0, lt=1)
    shift: float = Field(0.04, ge=0)
    hu_shift: float = Field(2.5, ge=0)
    contrast: float = Field(0.0, ge=0, lt=1)

    # Where it runs.
    seed: int = Field(0, ge=0)
    device: str = "auto"  # auto, cpu, cuda, cuda:1
    precision: Literal["auto", "float32", "bfloat16"] = "auto"  # auto: bfloat16 where native
    threads: int = Field(1, ge=0, le=1024)  # of torch on the CPU; 0: as many as cores
    shares: int = Field(2, ge=1, le=64)  # parts of a batch learned at the same time on a CPU
    readers: int = Field(2, ge=1, le=256)  # threads that read ahead, and on a CPU predict
    hold_mb: int = Field(1024, ge=0)  # slices are held in memory where all fit in this

    @field_validator("windows")
    @classmethod
    def _windows_are_known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        mode_of(names)
        return names

    @model_validator(mode="after")
    def _settings_fit_each_other(self) -> Self:
        sizes = (*self.smaller_first, self.size)
        if self.decoder != "none" and any(size % 32 for size in sizes):
            raise ValueError(f"sizes {sizes}: a decoder takes multiples of 32")
        if any(not 8 <= size <= self.size for size in self.smaller_first):
            raise ValueError(f"smaller_first = {self.smaller_first}: from 8 to size = {self.size}")
        if self.together_epochs and self.sequence_features != "last":
            raise ValueError("together_epochs learns through features: sequence_features = 'last'")
        ends = (self.negatives_per_positive, self.negatives_at_end)
        if self.negatives_at_end is not None and 0 in ends:
            raise ValueError(
                f"negatives from {ends[0]} to {ends[1]}: 0, all there are, is no ratio"
            )
        return self

    def of_encoder(self) -> Self:
        """The settings of an encoder alone: those of the network over it are the defaults."""
        fields = type(self).model_fields
        beside = [name for name in fields if name.startswith(("sequence", "together"))]
        others = {name: fields[name].default for name in beside}
        return self.model_copy(update=others)

    @property
    def view(self) -> View:
        """What the network sees."""
        mode = mode_of(self.windows)
        return View(mode.windows, self.neighbours, self.size, mode.mix)

    @property
    def strengths(self) -> Strengths:
        """How far images are changed in training."""
        return Strengths(
            self.flip, self.rotate_degrees, self.scale, self.shift, self.hu_shift, self.contrast
        )

    def size_at(self, epoch: int) -> int:
        """Rows and columns that are learned from in an epoch; `size` at the end."""
        sizes = (*self.smaller_first, self.size)
        return sizes[min(epoch * len(sizes) // self.epochs, len(sizes) - 1)]

    def negatives_at(self, epoch: int) -> float:
        """Negatives per positive in an epoch; 0: all there are."""
        if self.negatives_at_end is None or self.epochs == 1:
            return self.negatives_per_positive
        part = epoch / (self.epochs - 1)
        return (1 - part) * self.negatives_per_positive + part * self.negatives_at_end


def mode_of(names: Sequence[str]) -> Mode:
    """Windows side by side, or a mode by its name alone ("gradient-bsb:lung,pulmonary,40/400").

    ValueError for a mode that a network cannot be shown: one of other bounds on every slice.
    """
    if not names:
        raise ValueError("at least one window")
    heads = [name.partition(":")[0] for name in names]
    if len(names) > 1:
        if alone := [head for head in heads if head in MODES and head not in WINDOWS]:
            raise ValueError(f"{alone[0]} is a mode, and stands alone in `windows`")
        return Mode(tuple(map(find_window, names)))
    mode = find_mode(names[0])
    if mode.slicewise:
        raise ValueError(
            f"{heads[0]} stretches every slice by itself, so that one HU is another grey on the "
            "next; give a mode of fixed bounds"
        )
    if not mode.windows:
        raise ValueError(
            f"{heads[0]} shows each slice in its own header's window; name windows of fixed bounds"
        )
    if mode.offsets != (0,):
        raise ValueError(f"{heads[0]} sees other slices; name its window, and neighbours = 1")
    return mode


def read_recipe(source: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """A recipe of the package by name ("compact"), or a TOML file; then each key=value over it."""
    values, where = read_values(source)
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals:
            raise ValueError(f"{override!r}: a setting is given as key=value")
        values[key.strip()] = parse_value(key.strip(), text.strip())
    return check_recipe(values, where)


def check_recipe(values: Mapping[str, Any], where: str) -> Recipe:
    """Values to a Recipe; what does not fit is named with its place and the keys there are."""
    unknown = sorted(values.keys() - Recipe.model_fields.keys())
    if unknown:
        known = ", ".join(Recipe.model_fields)
        raise ValueError(f"{where}: no setting {', '.join(map(repr, unknown))}; known: {known}")
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, e['loc']))} = {e['input']!r}: {e['msg']}" if e["loc"] else e["msg"]
            for e in error.errors()
        )
        raise ValueError(f"{where}: {faults}") from error


def read_values(source: str | Path) -> tuple[dict[str, Any], str]:
    """The values of a recipe and where they stand, for messages."""
    path = Path(source)
    if path.suffix == ".toml":
        if not path.is_file():
            raise ValueError(f"{path}: no such recipe file")
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}: not TOML: not in UTF-8 ({error.reason})") from error
    else:
        entry = files("wetread") / "recipes" / f"{source}.toml"
        if not entry.is_file():
            raise ValueError(
                f"no recipe {str(source)!r}; known: {', '.join(recipe_names())}; "
                "or give a file whose name ends in .toml"
            )
        text = entry.read_text(encoding="utf-8")
    try:
        return tomllib.loads(text), str(source)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ValueError(f"{source}: not TOML: {error}") from error


def recipe_names() -> list[str]:
    """The recipes in the package."""
    entries = (files("wetread") / "recipes").iterdir()
    return sorted(e.name.removesuffix(".toml") for e in entries if e.name.endswith(".toml"))


def parse_value(key: str, text: str) -> Any:
    """The text after key= as TOML; what is no TOML is text; windows may stand as a,b,c, or as a
    mode with its windows, mode:a,b,c."""
    if key == "windows" and not text.startswith("["):
        return [text] if ":" in text else [name.strip() for name in text.split(",")]
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
