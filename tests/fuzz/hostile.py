"""tests/fuzz/hostile.py: small files made to take memory, time or the stack; none is damage."""

import struct
import zlib
from collections.abc import Iterator

EXPLICIT, IMPLICIT, DEFLATED = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99"
RLE, JPEG = "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.50"
COMPRESSED = {
    "rle": RLE,
    "jpeg": JPEG,
    "jpeg12": "1.2.840.10008.1.2.4.51",
    "lossless": "1.2.840.10008.1.2.4.70",
    "jpegls": "1.2.840.10008.1.2.4.80",
    "j2k": "1.2.840.10008.1.2.4.90",
    "htj2k": "1.2.840.10008.1.2.4.201",
}
UNDEFINED = 0xFFFFFFFF
GIBIBYTE = 1 << 30


def hostile_files() -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of those that are made and read at once."""
    yield "empty", b""
    yield "preamble alone", bytes(128) + b"DICM"
    yield "magic and garbage", bytes(128) + b"DICM" + bytes(range(256)) * 4
    for rows, frames in (
        (65535, b"1"),
        (65535, b"65535"),
        (4, b"2147483648"),
        (4, b"-1"),
        (4, b"1e9"),
    ):
        form = pixel_form(rows=rows, columns=rows, frames=frames)
        yield f"native {rows} {frames!r}", part_10(EXPLICIT, form + native(bytes(64)))
        for name, syntax in COMPRESSED.items():
            frame = codestream(name, rows, rows) + bytes(64)
            data = part_10(syntax, form + encapsulated([frame]))
            yield f"{name} {rows} {frames!r}", data
    for name, syntax in COMPRESSED.items():
        for seed in range(6):
            frame = codestream(name, 64, 64) + garbage(seed, 3000) + end_of(name)
            form = pixel_form(rows=64, columns=64)
            yield f"{name} garbage {seed}", part_10(syntax, form + encapsulated([frame]))
        stumps = [codestream(name, 64, 64)] * 3000
        form = pixel_form(rows=64, columns=64, frames=b"3000")
        yield f"{name} 3000 stumps", part_10(syntax, form + encapsulated(stumps))
    for depth in (31, 32, 33, 199, 100_000):
        for syntax in (EXPLICIT, IMPLICIT):
            nested = undefined_nest(depth, syntax)
            yield f"undefined nest {depth} {syntax}", part_10(syntax, head(syntax) + nested)
        yield f"unknown nest {depth}", part_10(EXPLICIT, head(EXPLICIT) + unknown_nest(depth))
    for depth in (33, 199, 3000):
        yield f"defined nest {depth}", part_10(EXPLICIT, head(EXPLICIT) + defined_nest(depth))
    yield "deflate garbage", part_10(DEFLATED, garbage(1, 2000))
    for length in (0x7FFFFFFF, 0x80000000, 0xFFFFFFFE):
        for vr in (b"OB", b"SQ", b"UT", b"UN", b"UC"):
            long_one = struct.pack("<HH2sHI", 0x9, 0x1001, vr, 0, length)
            yield f"length {length:x} {vr!r}", part_10(EXPLICIT, head(EXPLICIT) + long_one)
    yield "long meta", bytes(128) + b"DICM" + element(2, 0x10, b"UI", b"1" * 60_000)


def heavy_files() -> Iterator[tuple[str, bytes]]:
    """Those that take a second and more to make or to read."""
    yield "deflate bomb", part_10(DEFLATED, deflated_zeros(GIBIBYTE))
    yield "deflate bomb in a value", part_10(DEFLATED, bomb_in_a_value())
    items = struct.pack("<HHI", 0xFFFE, 0xE000, 0) * 300_000
    many = struct.pack("<HH2sHI", 0x8, 0x1140, b"SQ", 0, len(items)) + items
    yield (
        "300,000 items",
        part_10(EXPLICIT, head(EXPLICIT) + many + pixel_form() + native(bytes(32))),
    )
    elements = b"".join(element(0x9, 0x1000 + n % 0xEFFF, b"LO", b"ab") for n in range(200_000))
    yield "200,000 elements", part_10(EXPLICIT, head(EXPLICIT) + elements + pixel_form())
    fragments = struct.pack("<HHI", 0xFFFE, 0xE000, 0) * 300_000
    opened = struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OB", 0, UNDEFINED)
    form = pixel_form(rows=64, columns=64)
    yield "300,000 empty fragments", part_10(JPEG, form + opened + fragments)


def element(group: int, number: int, vr: bytes, value: bytes) -> bytes:
    """An explicit little endian element with a 16-bit length."""
    value += b"\0" * (len(value) % 2)
    return struct.pack("<HH2sH", group, number, vr, len(value)) + value


def part_10(syntax: str, data_set: bytes) -> bytes:
    """A file with preamble and meta."""
    meta = element(2, 2, b"UI", b"1.2.840.10008.5.1.4.1.1.2") + element(2, 3, b"UI", b"1.2.3")
    return bytes(128) + b"DICM" + meta + element(2, 0x10, b"UI", syntax.encode()) + data_set


def head(syntax: str) -> bytes:
    if syntax == IMPLICIT:
        return struct.pack("<HHI", 8, 0x60, 2) + b"CT"
    return element(8, 0x60, b"CS", b"CT")


def pixel_form(rows: int = 4, columns: int = 4, frames: bytes = b"1", bits: int = 16) -> bytes:
    """A CT's pixel description, explicit."""
    numbers = (
        (0x10, rows),
        (0x11, columns),
        (0x100, bits),
        (0x101, bits),
        (0x102, bits - 1),
        (0x103, 0),
    )
    return (
        element(8, 0x16, b"UI", b"1.2.840.10008.5.1.4.1.1.2")
        + element(8, 0x60, b"CS", b"CT")
        + element(0x28, 2, b"US", struct.pack("<H", 1))
        + element(0x28, 4, b"CS", b"MONOCHROME2")
        + element(0x28, 8, b"IS", frames)
        + b"".join(element(0x28, at, b"US", struct.pack("<H", n)) for at, n in numbers)
    )


def native(pixels: bytes) -> bytes:
    return struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OW", 0, len(pixels)) + pixels


def encapsulated(frames: list[bytes]) -> bytes:
    """Pixel data with an empty offset table and a fragment a frame."""
    parts = [struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OB", 0, UNDEFINED)]
    parts.append(struct.pack("<HHI", 0xFFFE, 0xE000, 0))
    for frame in frames:
        frame += b"\0" * (len(frame) % 2)
        parts += [struct.pack("<HHI", 0xFFFE, 0xE000, len(frame)), frame]
    return b"".join([*parts, struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)])


def codestream(name: str, rows: int, columns: int) -> bytes:
    """The beginning of a frame whose own header says what the file's header says."""
    if name == "rle":
        return struct.pack("<16I", 2, 64, 100, *(0 for _ in range(13)))
    if name in ("j2k", "htj2k"):
        size = struct.pack(">H8IHBBB", 0, columns, rows, 0, 0, columns, rows, 0, 0, 1, 15, 1, 1)
        return b"\xff\x4f\xff\x51" + struct.pack(">H", len(size) + 2) + size
    marker = {"jpeg": 0xC0, "jpeg12": 0xC1, "lossless": 0xC3, "jpegls": 0xF7}[name]
    frame = struct.pack(">HBHHB3B", 11, 16, rows, columns, 1, 1, 0x11, 0)
    scan = struct.pack(">H6B", 8, 1, 1, 0, 1, 0, 0)
    return b"\xff\xd8" + bytes([0xFF, marker]) + frame + b"\xff\xda" + scan


def end_of(name: str) -> bytes:
    return b"" if name == "rle" else b"\xff\xd9"


def garbage(seed: int, count: int) -> bytes:
    """Bytes of a linear congruence, never FF, so that no marker arises."""
    state, out = seed * 7919 + 1, bytearray()
    for _ in range(count):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        out.append((state >> 16) % 255)
    return bytes(out)


def undefined_nest(depth: int, syntax: str) -> bytes:
    """Sequences of undefined length, each the only element of the one around it."""
    opened = struct.pack("<HHI", 0x8, 0x1140, UNDEFINED)
    if syntax != IMPLICIT:
        opened = struct.pack("<HH2sHI", 0x8, 0x1140, b"SQ", 0, UNDEFINED)
    item = struct.pack("<HHI", 0xFFFE, 0xE000, UNDEFINED)
    closed = struct.pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
    return (opened + item) * depth + closed * depth


def unknown_nest(depth: int) -> bytes:
    """Nest sequences of undefined length in UN, whose inside is implicit."""
    opened = struct.pack("<HH2sHI", 0x9, 0x1001, b"UN", 0, UNDEFINED)
    inner = struct.pack("<HHI", 0x9, 0x1001, UNDEFINED)
    item = struct.pack("<HHI", 0xFFFE, 0xE000, UNDEFINED)
    closed = struct.pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
    return opened + item + (inner + item) * (depth - 1) + closed * depth


def defined_nest(depth: int) -> bytes:
    """Nest sequences whose lengths are right."""
    data = element(8, 0x60, b"CS", b"CT")
    for _ in range(depth):
        item = struct.pack("<HHI", 0xFFFE, 0xE000, len(data)) + data
        data = struct.pack("<HH2sHI", 0x8, 0x1140, b"SQ", 0, len(item)) + item
    return data


def deflated_zeros(count: int) -> bytes:
    """A deflated stream of zero bytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    piece = bytes(1 << 20)
    parts = [packer.compress(piece) for _ in range(count >> 20)]
    return b"".join([*parts, packer.flush()])


def bomb_in_a_value() -> bytes:
    """A whole deflated data set whose private element inflates to 512 MiB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    count = 512 << 20
    opened = struct.pack("<HH2sHI", 0x9, 0x1001, b"OB", 0, count)
    parts = [packer.compress(head(EXPLICIT) + opened)]
    parts += [packer.compress(bytes(1 << 20)) for _ in range(count >> 20)]
    parts.append(packer.compress(pixel_form() + native(bytes(32))))
    return b"".join([*parts, packer.flush()])
