"""archive/identity/user_key.py: the user's one secret, which patients' pseudonyms depend on.

It comes from WETREAD_KEY, or from a file of the user's configuration folder that is made at first
use. It is never written into an output: what is made with it names it by eight digits alone.
"""

import hashlib
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from wetread.archive.files.atomic import create_whole
from wetread.archive.plural import plural

VARIABLE = "WETREAD_KEY"
BYTES = 32
FEWEST = 16  # characters of WETREAD_KEY: a short one could be guessed from what it made


@dataclass(frozen=True)
class UserKey:
    """A secret of 32 bytes; it is not shown where the key is printed."""

    secret: bytes = field(repr=False)

    @property
    def name(self) -> str:
        """Name the key by eight hexadecimal digits, which reveal nothing of the secret."""
        return hashlib.blake2b(b"name", key=self.secret, digest_size=4).hexdigest()

    def digest(self, text: str, purpose: str) -> bytes:
        """Digest a text to 16 bytes, the same for the same key and purpose."""
        content = text.encode("utf-8", "surrogatepass")
        person = purpose.encode()[: hashlib.blake2b.PERSON_SIZE]
        return hashlib.blake2b(content, key=self.secret, person=person, digest_size=16).digest()


def key_file() -> Path:
    """Locate the key where WETREAD_KEY is not set: $XDG_CONFIG_HOME/wetread/key, else
    ~/.config/wetread/key."""
    configured = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    folder = configured if configured.is_absolute() else Path("~/.config").expanduser()
    return folder / "wetread" / "key"


def user_key() -> UserKey:
    """Read the user's key from WETREAD_KEY or the key file; make the file where neither is there.

    Raises ValueError for a WETREAD_KEY that is too short, for a file that holds no key, and where
    none can be made.
    """
    text = os.environ.get(VARIABLE)
    if text is not None:
        return _key_from_text(text)
    path = key_file()
    try:
        if not path.is_file():
            _make_key_file(path)
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except OSError as error:
        raise ValueError(
            f"{path}: the key that stands for patients' ids cannot be kept there "
            f"({error.strerror}); make the folder writable, or set {VARIABLE}"
        ) from None
    try:
        secret = bytes.fromhex(text)
    except ValueError:
        secret = b""
    if len(secret) != BYTES:
        raise ValueError(
            f"{path}: no key ({2 * BYTES} hexadecimal digits are expected, {len(text)} characters "
            f"are there); put the right one back, or remove the file for a new key, under which "
            "earlier runs do not meet later ones"
        )
    return UserKey(secret)


def _key_from_text(text: str) -> UserKey:
    length = len(text.strip())
    if length < FEWEST:
        raise ValueError(
            f"{VARIABLE} has {plural(length, 'character')}, blanks at its ends not counted; give "
            f"at least {FEWEST}, as `openssl rand -hex 32` prints them"
        )
    return UserKey(
        hashlib.blake2b(os.fsencode(text), person=b"WETREAD_KEY", digest_size=BYTES).digest()
    )


def _make_key_file(path: Path) -> None:
    """Write a new key to path, for the user alone."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    create_whole(path, f"{secrets.token_hex(BYTES)}\n".encode("ascii"), 0o600)
