"""archive/version.py: which version of wetread runs, for what is written by it."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("wetread")
except PackageNotFoundError:  # run from a source tree that is not installed
    VERSION = "0+unknown"
