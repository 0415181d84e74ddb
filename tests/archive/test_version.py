"""tests/archive/test_version.py: the version is that of the package's metadata."""

from importlib.metadata import version

import wetread
from wetread.archive.version import VERSION


def test_the_version_is_that_of_the_installed_package_and_the_package_s_own() -> None:
    assert VERSION == version("wetread") == wetread.__version__
