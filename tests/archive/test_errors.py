"""tests/archive/test_errors.py: every error of the package derives from one base."""

import ast
from importlib import import_module
from pathlib import Path

import wetread
from wetread.archive.errors import WetreadError

SOURCE = Path(wetread.__file__).parent
INTERNAL = {"NeedMoreBytes"}  # a signal within one file; no caller meets it


def test_every_error_class_derives_from_the_base() -> None:
    found = {}
    for path in SOURCE.rglob("*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                bases = {ast.unparse(base) for base in node.bases}
                if any(base.endswith(("Error", "Exception")) for base in bases):
                    found[node.name] = path
    assert {"RejectError", "StoreError", "LabelError"} <= found.keys()
    for name, path in found.items():
        module = ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts)
        value = getattr(import_module(module.removesuffix(".__init__")), name)
        assert issubclass(value, WetreadError) or name in INTERNAL, name


def test_one_except_clause_meets_them_all_and_value_errors_stay_so() -> None:
    from wetread.archive.files.damaged import DamagedFileError
    from wetread.archive.rejects import RejectError

    assert issubclass(DamagedFileError, ValueError)
    assert not issubclass(RejectError, ValueError)
