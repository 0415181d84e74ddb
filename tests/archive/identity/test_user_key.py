"""tests/archive/identity/test_user_key.py: one key a user, made once, for the user alone."""

import stat
import threading
from pathlib import Path

import pytest

from wetread.archive.identity.user_key import UserKey, key_file, user_key


@pytest.fixture
def no_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.delenv("WETREAD_KEY", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "wetread" / "key"


def test_the_key_is_made_at_first_use_for_the_user_alone_and_stays(no_variable: Path) -> None:
    first = user_key()
    assert key_file() == no_variable
    assert stat.S_IMODE(no_variable.stat().st_mode) == 0o600
    assert user_key() == first
    assert [path.name for path in no_variable.parent.iterdir()] == ["key"]


def test_of_two_that_make_the_key_at_once_both_get_the_same(no_variable: Path) -> None:
    found: list[UserKey] = []
    threads = [threading.Thread(target=lambda: found.append(user_key())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found) == 8


def test_the_variable_goes_before_the_file_and_makes_none(
    no_variable: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WETREAD_KEY", "a key of a test-suite")
    assert user_key() == user_key()
    assert not no_variable.exists()
    monkeypatch.setenv("WETREAD_KEY", "\udcff\udcfe of a test-suite")  # bytes that are no UTF-8
    assert user_key() == user_key()
    for short, told in (("short", 5), (" " * 40, 0), ("", 0)):
        monkeypatch.setenv("WETREAD_KEY", short)
        with pytest.raises(ValueError, match=f"WETREAD_KEY has {told} characters, blanks at its"):
            user_key()


def test_a_file_that_holds_no_key_is_named_and_not_replaced(no_variable: Path) -> None:
    no_variable.parent.mkdir(parents=True)
    no_variable.write_text("")
    with pytest.raises(ValueError, match="64 hexadecimal digits are expected, 0 characters"):
        user_key()
    assert no_variable.read_text() == ""


def test_a_folder_where_no_key_can_be_kept_is_named_with_the_variable(
    no_variable: Path, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text("a file")
    with pytest.raises(ValueError, match=r"config/wetread/key: .*set WETREAD_KEY"):
        user_key()


def test_a_key_is_not_shown_where_it_is_printed() -> None:
    key = UserKey(b"k" * 32)
    assert "k" * 32 not in repr(key)
    assert len(key.name) == 8
    assert key.name != UserKey(b"l" * 32).name
