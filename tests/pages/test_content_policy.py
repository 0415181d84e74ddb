"""tests/pages/test_content_policy.py: every page forbids requests, and text that becomes code."""

import base64
import re
from hashlib import sha256
from importlib import resources

from wetread.pages.content_policy import content_policy

PAGES = resources.files("wetread.pages")


def test_a_policy_names_its_scripts_by_their_hash_and_allows_no_other() -> None:
    told = content_policy("let a = 1;\n")
    expected = base64.b64encode(sha256(b"let a = 1;\n").digest()).decode()
    assert f"script-src 'sha256-{expected}';" in told
    assert "unsafe-eval" not in told
    assert told.startswith("default-src 'none';")
    assert "script-src 'none';" in content_policy()


def test_every_page_has_a_policy_and_none_lets_text_become_code() -> None:
    folders = (PAGES, PAGES / "scroll")
    pages = [file for folder in folders for file in folder.iterdir() if file.name.endswith(".j2")]
    whole = [text for file in pages if "<head>" in (text := file.read_text("utf-8"))]
    assert len(whole) >= 4
    parts = "".join(file.read_text("utf-8") for file in pages if "parts" in file.name)
    for text in whole:
        assert "Content-Security-Policy" in text or "Content-Security-Policy" in parts
        assert not re.search(r"unsafe-eval|\son[a-z]+=\"", text)  # no script inside an element
