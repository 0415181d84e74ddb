"""cli/errors.py: the errors that are told in one line; any other is a fault, shown whole."""

from typing import cast

import typer

from wetread.archive.lock import BusyError
from wetread.archive.rejects import RejectError
from wetread.labels.table import LabelError
from wetread.store.store import StoreError

# What Typer raises for words it cannot take; newer releases carry the class where none may import.
WrongWords = cast(type[typer.BadParameter], typer.BadParameter.__base__)

OUR_WRONG_USE: tuple[type[Exception], ...] = (FileNotFoundError, LabelError, ValueError)
OUR_FAILURES: tuple[type[Exception], ...] = (RejectError, StoreError, BusyError)
