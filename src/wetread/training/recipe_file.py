"""training/recipe_file.py: a recipe is read from TOML, from the package or from a run, and checked.

Every name in it (encoder, windows, sequence network, device) is looked up when it is read. Recipes
were flat before: names of then are still read, by OLD_NAMES.
"""

from __future__ import annotations

import os
import tomllib
import warnings
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from wetread.archive.types import StrPath
from wetread.training.recipe import Recipe, Setting, flat_settings, nested_settings

OLD_NAMES = {
    "neighbours": "neighbors",
    "mask_stride": "masks.stride",
    "mask_pixels": "masks.image_pixels",
    "mask_bce": "masks.bce",
    "mask_dice": "masks.dice",
    "mask_focal": "masks.focal",
    "mask_positive_weight": "masks.positive_weight",
    "phantoms": "phantoms.studies",  # where it is a number
    "phantom_epochs": "phantoms.epochs",
    "phantom_learning_rate": "phantoms.learning_rate",
    "sequence": "series.network",
    "sequence_parts": "series.parts",
    "sequence_features": "series.features",
    "sequence_differences": "series.differences",
    "sequence_mirror": "series.mirror",
    "sequence_loss": "series.loss",
    "sequence_epochs": "series.epochs",
    "sequence_batch": "series.batch_size",
    "sequence_rate": "series.learning_rate",
    "sequence_decay": "series.weight_decay",
    "together_epochs": "joint.epochs",
    "together_slices": "joint.slices",
    "together_batch": "joint.batch_size",
    "together_rate": "joint.learning_rate",
    "learning_rate": "optimizer.learning_rate",
    "warmup_fraction": "optimizer.warmup_fraction",
    "final_rate_fraction": "optimizer.final_rate_fraction",
    "weight_decay": "optimizer.weight_decay",
    "beta1": "optimizer.beta1",
    "beta2": "optimizer.beta2",
    "max_norm": "optimizer.max_norm",
    "flip": "augmentation.flip",
    "rotate_degrees": "augmentation.rotate_degrees",
    "scale": "augmentation.scale",
    "shift": "augmentation.shift",
    "hu_shift": "augmentation.hu_shift",
    "contrast": "augmentation.contrast",
    "device": "runtime.device",
    "precision": "runtime.precision",
    "threads": "runtime.threads",
    "shares": "runtime.batch_parts",
    "readers": "runtime.readers",
    "hold_mb": "runtime.cache_mb",
}


class OldSettingWarning(FutureWarning):
    """A recipe file has names of settings that are now in groups; they are still read."""


def read_recipe(source: StrPath, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe of the package by name ("compact"), or a TOML file; then key=value over it.

    A key is the setting's dotted name ("series.epochs"). ValueError where a name, a value or a
    combination does not fit; OldSettingWarning where a file has names from before the groups.
    """
    values, where = read_values(os.fspath(source))
    old = [name for name in values if _is_old(name, values[name])]
    if old:
        pairs = ", ".join(f"{name} is now {OLD_NAMES[name]}" for name in old)
        warnings.warn(f"{where}: old names of settings: {pairs}", OldSettingWarning, stacklevel=2)
    settings = current_settings(values)
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals:
            raise ValueError(f"{override!r}: a setting is given as key=value")
        key = key.strip()
        settings |= current_settings({key: parse_value(key, text.strip())})
    return check_recipe(settings, where)


def check_recipe(values: Mapping[str, Setting], where: str) -> Recipe:
    """Check values, nested, by dotted or by old name, and make them a Recipe.

    where: the place they come from, for messages. ValueError names it, what does not fit, and of an
    unknown name the settings there are.
    """
    settings = current_settings(values)
    known = flat_settings(Recipe.model_construct())
    unknown = sorted(settings.keys() - known.keys())
    if unknown:
        names = ", ".join(map(repr, unknown))
        raise ValueError(f"{where}: no setting {names}; known: {', '.join(known)}")
    try:
        return Recipe.model_validate(nested_settings(settings))
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, e['loc']))} = {e['input']!r}: {e['msg']}"
            if e["loc"] and not isinstance(e["input"], Mapping)
            else e["msg"]
            for e in error.errors()
        ).replace("Value error, ", "")  # what pydantic puts before the text of a check of ours
        raise ValueError(f"{where}: {faults}") from error


def current_settings(values: Mapping[str, Setting]) -> dict[str, Setting]:
    """Flatten values to dotted names, old names replaced by those that are used now."""
    flat: dict[str, Setting] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{inner}": one for inner, one in value.items()}
        else:
            flat[OLD_NAMES[name] if _is_old(name, value) else name] = value
    return flat


def _is_old(name: str, value: Setting) -> bool:
    return name in OLD_NAMES and not isinstance(value, Mapping)


def read_values(source: str | Path) -> tuple[dict[str, Setting], str]:
    """Read the values of a recipe as its TOML has them, and where they stand, for messages."""
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
    """List the recipes in the package."""
    entries = (files("wetread") / "recipes").iterdir()
    return sorted(e.name.removesuffix(".toml") for e in entries if e.name.endswith(".toml"))


def parse_value(key: str, text: str) -> Setting:
    """Parse the text after key= as TOML; what is no TOML is text; windows may stand as a,b,c, or as
    a mode with its windows, mode:a,b,c."""
    if key == "windows" and not text.startswith("["):
        return [text] if ":" in text else [name.strip() for name in text.split(",")]
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
