"""tests/fuzz/mutants.py: whole DICOM files become damaged ones; the same seed, the same damage."""

import random
import re
import struct
from collections.abc import Callable

_VRS = "AE AS AT CS DA DS DT FL FD IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN"
VRS = [vr.encode() for vr in (_VRS + " UR US UT UV").split()]
_LONG = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
_ELEMENT = re.compile(b"(?s).[\x00-\x7f]..(" + b"|".join(VRS) + b")")
_LENGTHS = (0, 1, 2, 3, 0x7FFF, 0xFFFE, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
_NUMBERS = (0, 1, 2, 3, 4, 7, 8, 12, 13, 16, 17, 24, 32, 64, 255, 256, 4096, 32768, 65535)
_PIXEL_FORM = [
    struct.pack("<HH", 0x28, element)
    for element in (2, 6, 8, 0x10, 0x11, 0x100, 0x101, 0x102, 0x103)
]
_TEXTS = (b"NaN", b"-1", b"1e308", b"2147483648", b"0", b"", b"abc", b"\\\\\\", b"1,5", b"1\\2\\3")
_FREE = {vr.encode() for vr in ["AE", "CS", "LO", "LT", "PN", "SH", "ST", "UI", "UT"]}
_FOREIGN = (
    *(b"\x1b[2J\x1b[H\x1b]0;x\x07", b"\x9b2J\x08\x7f", b"a\rb\nc\td", "\u202e\u2066x".encode()),
    *(b"=cmd|' /C calc'!A0", b"+1+1", b"-1+1", b"@SUM(A1)", b"\t=1", b"-1", b"<script>x</script>"),
)
_SYNTAX_END = (
    b"1",
    b"2",
    b"5",
    b"1.99",
    b"4.50",
    b"4.51",
    b"4.57",
    b"4.70",
    b"4.80",
    b"4.90",
    b"4.201",
)

Damage = Callable[[bytearray, random.Random], bytearray]


def mutant(whole: bytes, number: int, seed: int) -> tuple[str, bytes]:
    """(kinds of damage, bytes): one to three kinds, drawn by number and seed."""
    rng = random.Random(f"{seed} {number}")
    data = bytearray(whole)
    kinds = rng.choices(list(DAMAGES), [weight for _, weight in DAMAGES.values()], k=_count(rng))
    for kind in kinds:
        data = DAMAGES[kind][0](data, rng)
    return "+".join(kinds), bytes(data)


def _count(rng: random.Random) -> int:
    return rng.choice((1, 1, 1, 1, 2, 3))


def _truncated(data: bytearray, rng: random.Random) -> bytearray:
    places = [match.start() + rng.randint(0, 12) for match in _elements(data)]
    choices = [rng.randint(0, len(data)), len(data) - rng.randint(0, 20), rng.randint(0, 400)]
    if places:
        choices += [rng.choice(places)] * 3
    return data[: max(min(rng.choice(choices), len(data)), 0)]


def _bits_flipped(data: bytearray, rng: random.Random) -> bytearray:
    end = len(data) if rng.random() < 0.5 else min(len(data), 4096)
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        if end:
            data[rng.randrange(end)] ^= 1 << rng.randrange(8)
    return data


def _bytes_overwritten(data: bytearray, rng: random.Random) -> bytearray:
    if not data:
        return data
    at, count = rng.randrange(len(data)), rng.choice((1, 2, 4, 16, 256, 4096))
    fill = rng.choice((b"\0" * count, b"\xff" * count, rng.randbytes(count)))
    data[at : at + count] = fill[: len(data) - at]
    return data


def _length_damaged(data: bytearray, rng: random.Random) -> bytearray:
    found = _elements(data)
    if not found:
        return _bytes_overwritten(data, rng)
    match = rng.choice(found)
    at = match.end()
    if match[1] in _LONG:
        at, form = at + 2, "<I"
    else:
        form = "<H"
    width = struct.calcsize(form)
    if at + width > len(data):
        return data
    (told,) = struct.unpack_from(form, data, at)
    length = rng.choice((*_LENGTHS, told + 1, told - 1, told * 2, rng.randrange(1 << 16)))
    struct.pack_into(form, data, at, length % (1 << 8 * width))
    return data


def _vr_damaged(data: bytearray, rng: random.Random) -> bytearray:
    found = _elements(data)
    if found:
        at = rng.choice(found).end() - 2
        data[at : at + 2] = rng.choice((*VRS, b"??", b"\0\0", b"sq"))
    return data


def _part_moved(data: bytearray, rng: random.Random) -> bytearray:
    """A part is removed, doubled, or swapped with another's place."""
    if len(data) < 64:
        return data
    at, count = rng.randrange(len(data)), rng.choice((1, 2, 8, 100, 5000))
    part = data[at : at + count]
    way = rng.randrange(3)
    if way == 0:
        return data[:at] + data[at + count :]
    if way == 1:
        return data[:at] + part + data[at:]
    rest = data[:at] + data[at + count :]
    place = rng.randrange(len(rest) + 1)
    return rest[:place] + part + rest[place:]


def _pixel_form_changed(data: bytearray, rng: random.Random) -> bytearray:
    """Rows, columns, frames, samples or bits become another number, lengths kept."""
    at = data.find(rng.choice(_PIXEL_FORM), 128)
    if at < 0 or at + 10 > len(data):
        return _bytes_overwritten(data, rng)
    if bytes(data[at + 4 : at + 6]) == b"US" or bytes(data[at + 4 : at + 8]) == b"\2\0\0\0":
        struct.pack_into("<H", data, at + 8, rng.choice(_NUMBERS))
        return data
    (length,) = struct.unpack_from("<H", data, at + 6)
    data[at + 8 : at + 8 + length] = rng.choice(_TEXTS)[:length].ljust(length)
    return data


def _number_changed(data: bytearray, rng: random.Random) -> bytearray:
    """A DS or IS becomes what is no number, or none that can be used; lengths kept."""
    found = [match for match in _elements(data) if match[1] in (b"DS", b"IS")]
    if not found:
        return _bytes_overwritten(data, rng)
    at = rng.choice(found).end()
    length = int.from_bytes(data[at : at + 2], "little")
    if length <= 64:
        data[at + 2 : at + 2 + length] = rng.choice(_TEXTS)[:length].ljust(length)
    return data


def _depth_changed(data: bytearray, rng: random.Random) -> bytearray:
    """Bits Stored, High Bit and sign become others that fit each other; the stream stays."""
    bits, sign = rng.choice((1, 7, 8, 9, 10, 11, 12, 13, 15, 16)), rng.randrange(2)
    for element, value in ((0x101, bits), (0x102, bits - 1), (0x103, sign)):
        at = data.find(struct.pack("<HH", 0x28, element), 128)
        if 0 <= at <= len(data) - 10:
            struct.pack_into("<H", data, at + 8, value)
    return data


def _text_replaced(data: bytearray, rng: random.Random) -> bytearray:
    """Text of the header becomes what a terminal obeys or a spreadsheet computes; lengths kept."""
    found = [match for match in _elements(data) if match[1] in _FREE]
    for match in rng.sample(found, min(len(found), 3)):
        at = match.end()
        length = int.from_bytes(data[at : at + 2], "little")
        if 0 < length <= 1024:
            data[at + 2 : at + 2 + length] = rng.choice(_FOREIGN)[:length].ljust(length)
    return data


def _syntax_changed(data: bytearray, rng: random.Random) -> bytearray:
    """The file meta names another transfer syntax."""
    at = data.find(b"\x02\0\x10\0UI", 0, 1024)
    if at < 0:
        return data
    length = int.from_bytes(data[at + 6 : at + 8], "little")
    uid = b"1.2.840.10008.1.2." + rng.choice(_SYNTAX_END)
    uid += b"\0" * (len(uid) % 2)
    return data[: at + 6] + struct.pack("<H", len(uid)) + uid + data[at + 8 + length :]


def _pixels_replaced(data: bytearray, rng: random.Random) -> bytearray:
    """Make garbage of all that follows the pixel data's header, its length kept."""
    at = max(data.rfind(b"\xe0\x7f\x10\0"), 0)
    begin = min(at + rng.choice((12, 20, 28, 60, 400)), len(data))
    garbage = rng.randbytes(min(len(data) - begin, 1 << 16))
    data[begin : begin + len(garbage)] = garbage
    return data


def _pixel_bits_flipped(data: bytearray, rng: random.Random) -> bytearray:
    """Some bits of the pixels, most often near their beginning, where a codestream's header is."""
    begin = max(data.rfind(b"\xe0\x7f\x10\0"), 0) + 12
    end = min(begin + rng.choice((64, 400, 1 << 30)), len(data))
    for _ in range(rng.choice((1, 1, 2, 4, 32))):
        if end > begin:
            data[rng.randrange(begin, end)] ^= 1 << rng.randrange(8)
    return data


def _pixels_cut(data: bytearray, rng: random.Random) -> bytearray:
    """The last fragment is cut, its delimiter and its length put right."""
    begin = data.rfind(b"\xfe\xff\x00\xe0")
    if begin < 0 or len(data) < begin + 24:
        return _truncated(data, rng)
    length = rng.randrange(0, len(data) - begin - 16, 2)
    head = data[: begin + 4] + struct.pack("<I", length)
    return head + data[begin + 8 : begin + 8 + length] + b"\xfe\xff\xdd\xe0\0\0\0\0"


def _elements(data: bytearray) -> list[re.Match[bytes]]:
    return list(_ELEMENT.finditer(data, 0, 1 << 16))


DAMAGES: dict[str, tuple[Damage, int]] = {  # and how often it is drawn
    "truncated": (_truncated, 3),
    "bits": (_bits_flipped, 2),
    "bytes": (_bytes_overwritten, 2),
    "length": (_length_damaged, 3),
    "vr": (_vr_damaged, 2),
    "moved": (_part_moved, 2),
    "form": (_pixel_form_changed, 4),
    "number": (_number_changed, 2),
    "syntax": (_syntax_changed, 2),
    "depth": (_depth_changed, 3),
    "text": (_text_replaced, 2),
    "pixels": (_pixels_replaced, 3),
    "pixel bits": (_pixel_bits_flipped, 5),
    "pixels cut": (_pixels_cut, 3),
}
