"""outputs/optional.py: libraries of the extras, and the error where one is not installed."""

from importlib import import_module
from typing import Any

from wetread.archive.errors import WetreadError

LEARN = ("torch", "monai", "sklearn", "threadpoolctl")  # import names of the extra `learn`


class MissingExtraError(WetreadError, ValueError):
    """A library of an extra is not installed; the message has the command that installs it."""


def import_optional(module: str, extra: str = "pictures") -> Any:
    """Import a module of an extra; MissingExtraError where it is not installed."""
    try:
        return import_module(module)
    except ImportError as error:
        raise _missing(module, extra) from error


def missing_learn(error: ImportError) -> MissingExtraError | None:
    """Say which library of the extra `learn` an import did not find; None: it failed otherwise."""
    package = (error.name or "").partition(".")[0]
    return _missing(package, "learn") if package in LEARN else None


def _missing(module: str, extra: str) -> MissingExtraError:
    return MissingExtraError(
        f"{module.partition('.')[0]} is not installed; pip install 'wetread[{extra}]', from a "
        f"checkout pip install -e '.[{extra}]'"
    )
