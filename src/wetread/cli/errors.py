"""cli/errors.py: the errors that are told in one line; any other is a fault, shown whole."""

from wetread.archive.rejects import RejectError
from wetread.labels.table import LabelError
from wetread.store.store import StoreError

OURS: tuple[type[Exception], ...] = (
    FileNotFoundError,
    LabelError,
    RejectError,
    StoreError,
    ValueError,
)
