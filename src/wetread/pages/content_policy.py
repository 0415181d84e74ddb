"""pages/content_policy.py: what a page may do: run its own scripts, fetch nothing."""

import base64
from hashlib import sha256


def content_policy(*scripts: str) -> str:
    """Return the Content-Security-Policy of a page with exactly these scripts between its tags.

    Nothing is fetched, no text becomes code (no eval), no other script runs, no form is sent.
    scripts: as they stand in the page, without the tags and with every line break.
    """
    hashes = " ".join(f"'sha256-{_hash(script)}'" for script in scripts) or "'none'"
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(script: str) -> str:
    return base64.b64encode(sha256(script.encode()).digest()).decode()
