"""tests/outputs/test_optional.py: a library that is not installed is named with its command."""

import pytest

from wetread.outputs.optional import MissingExtraError, import_optional, missing_learn


def test_a_module_that_is_installed_is_handed_out() -> None:
    assert import_optional("json.decoder").JSONDecoder().decode("[1]") == [1]


def test_a_module_that_is_missing_names_its_package_and_the_extra() -> None:
    with pytest.raises(
        MissingExtraError, match=r"^nowhere is not installed; pip install .*pictures"
    ):
        import_optional("nowhere.at.all")


def test_only_libraries_that_learn_name_the_extra_learn() -> None:
    error = missing_learn(ModuleNotFoundError("No module named 'torch'", name="torch.nn"))
    assert error is not None
    assert str(error).startswith("torch is not installed; pip install 'wetread[learn]'")
    assert missing_learn(ModuleNotFoundError("No module named 'polars'", name="polars")) is None
    assert missing_learn(ImportError("cut")) is None
