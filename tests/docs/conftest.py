"""tests/docs/conftest.py: the hooks of the site, as modules."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def hooks() -> ModuleType:
    """docs/hooks/pages.py."""
    pytest.importorskip("mkdocs", reason="needs mkdocs (extra docs)")
    spec = importlib.util.spec_from_file_location("pages", ROOT / "docs" / "hooks" / "pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
