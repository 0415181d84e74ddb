"""outputs/optional.py: libraries of the extra `pictures`, asked for where they are first used."""

from importlib import import_module
from typing import Any

from wetread.archive.errors import WetreadError


class MissingExtraError(WetreadError, ValueError):
    """A library of an extra is not installed; says the command that installs it."""


def import_optional(module: str) -> Any:
    """A module of the extra, by its import name. MissingExtraError where it is not there."""
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            f"{module.partition('.')[0]} is not installed; pip install 'wetread[pictures]', from a "
            "checkout pip install -e '.[pictures]'"
        ) from error
