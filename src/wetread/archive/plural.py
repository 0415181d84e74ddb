"""archive/plural.py: a number with its noun, for every sentence that counts."""

_IRREGULAR = {
    "series": "series",
    "study": "studies",
    "index": "indexes",
    "patch": "patches",
    "box": "boxes",
    "body": "bodies",
}
_SINGULAR = {many: single for single, many in _IRREGULAR.items()}


def plural(count: int, noun: str) -> str:
    """`1 file`, `2 files`, `2 duplicate labels`, `2 images of other modalities`."""
    head, separator, rest = noun.partition(" of ")
    *before, last = head.split(" ")
    word = last if count == 1 else _IRREGULAR.get(last, f"{last}s")
    return " ".join((str(count), *before, word)) + separator + rest


def singular(nouns: str) -> str:
    """The noun of one: `studies` to `study`; a word that is none, as `refused`, stays."""
    head, separator, rest = nouns.partition(" of ")
    *before, last = head.split(" ")
    word = _SINGULAR.get(last, last.removesuffix("s"))
    return " ".join((*before, word)) + separator + rest
