"""tests/archive/dataset/test_element_cache.py: a run of elements that was walked before gives the
values that stand there now, and no further than its heads are the same."""

from wetread.archive.dataset.element_cache import MAX_RUNS, ElementCache, ElementSpan

WANTED = frozenset({0x00080060, 0x00100020})
MODALITY, ID, NAME = b"\x08\0\x60\0CS\x02\0", b"\x10\0\x20\0LO\x04\0", b"\x10\0\x30\0DA\x08\0"
FIRST = MODALITY + b"CT" + ID + b"P001" + NAME + b"20200101"
SPANS: list[ElementSpan] = [(0x00080060, 8, 2), (0x00100020, 8, 4), (0x00100030, 8, 8)]
REST = bytes(12)  # a run is matched where an element may follow it


def learned() -> ElementCache:
    cache = ElementCache(WANTED)
    cache.remember(FIRST, 0, SPANS)
    return cache


def test_the_same_heads_give_the_new_values() -> None:
    values: dict[int, bytes] = {}
    data = MODALITY + b"MR" + ID + b"P777" + NAME + b"19991231" + REST
    run = learned().match(data, 0, data[:8], 0, values)
    assert run is not None
    assert (run.first, run.last, run.size) == (0x00080060, 0x00100030, len(FIRST))
    assert values == {0x00080060: b"MR", 0x00100020: b"P777"}


def test_a_length_that_differs_ends_the_run_before_it() -> None:
    values: dict[int, bytes] = {}
    longer = b"\x10\0\x20\0LO\x06\0"
    data = MODALITY + b"CT" + longer + b"P00001" + NAME + b"20200101" + REST
    run = learned().match(data, 0, data[:8], 0, values)
    assert run is not None
    assert (run.last, run.size) == (0x00080060, len(MODALITY) + 2)
    assert values == {0x00080060: b"CT"}


def test_a_run_that_is_not_whole_or_out_of_order_is_walked() -> None:
    cache, data = learned(), FIRST + REST
    assert cache.match(data[:-1], 0, data[:8], 0, {}) is None
    assert cache.match(data, 0, data[:8], 0x00080060, {}) is None
    assert cache.match(data, 0, b"\x08\0\x61\0CS\x02\0", 0, {}) is None


def test_an_archive_of_many_encodings_does_not_fill_the_memory() -> None:
    cache = ElementCache(WANTED)
    for number in range(MAX_RUNS + 10):
        head = b"\x08\0" + number.to_bytes(2, "little") + b"LO\x02\0"
        cache.remember(head + b"ab", 0, [(0x00080000 + number, 8, 2)])
    assert len(cache.known) == 10
