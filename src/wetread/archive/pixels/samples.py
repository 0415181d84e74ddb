"""archive/pixels/samples.py: words and decoded samples become stored values."""

import numpy as np

from wetread.archive.notes import note
from wetread.archive.pixels.codestream import form_notes
from wetread.archive.pixels.decoders import WORD_SYNTAXES, Decoded
from wetread.archive.rejects import RejectError
from wetread.archive.types import IntegerArray, Row

_OVERSHOOT = 4  # ranges beyond the stored one


def stored_values(decoded: Decoded, row: Row) -> tuple[IntegerArray, tuple[str, ...]]:
    """Turn one decoded frame into (stored values, notes): (rows, columns) or (rows, columns, 3).

    Integers of BitsAllocated, or as wide as a stream's values need. A JPEG 2000 stream has its own
    sign and bits; what loss put beyond the stored range is clipped and counted, what a lossless
    stream has beyond it is kept. Raises RejectError `decode_mismatch` for values without a
    codestream that fit no reading of the header.
    """
    samples, stream = decoded.samples, decoded.stream
    if row["TransferSyntaxUID"] in WORD_SYNTAXES:
        return mask_words(samples, row), ()
    notes = () if stream is None else form_notes(stream, row)
    if decoded.stray:
        notes = (*notes, note("stream_out_of_form", decoded.stray))
    bits, signed = row["BitsStored"], row["PixelRepresentation"] == 1
    wide = 8 * samples.dtype.itemsize if stream is None else stream.bits
    own_sign = None if stream is None else stream.signed
    if signed and (own_sign is None or (not own_sign and wide >= bits)):
        samples = _with_sign(samples, bits, wide)
    least = -(1 << (bits - 1)) if signed or own_sign else 0
    most = (1 << (bits - 1 if signed else bits)) - 1
    signed = signed or own_sign is True
    low, high = int(samples.min()), int(samples.max())
    if low >= least and high <= most:
        return _as_allocated(samples, row["BitsAllocated"], signed), notes
    # Far more than the range itself is no overshoot but a header that is wrong.
    span = _OVERSHOOT * (most - least + 1)
    near = high <= most + span and low >= least - span
    if near and (row.get("lossy") is not False or (stream is not None and stream.loss)):
        beyond = int(np.count_nonzero((samples < least) | (samples > most)))
        clipped = f"{beyond} of {samples.size} pixels, {low} to {high}, set to {least} to {most}"
        samples = np.clip(samples, least, most)
        notes = (*notes, note("clipped", clipped))
    elif stream is None:
        folded = _without_sign(samples, bits)
        if folded is None:
            detail = f"values from {low} to {high}, (0028,0101) BitsStored is {bits}"
            raise RejectError("decode_mismatch", detail)
        samples = folded
    return _as_allocated(samples, row["BitsAllocated"], signed), notes


def _with_sign(samples: IntegerArray, bits: int, wide: int) -> IntegerArray:
    """Read two's complement in samples of `wide` bits that an encoder took as unsigned; same shape.

    The sign stands in the highest bit of BitsStored, or is extended to all bits of the stream.
    """
    extended = wide > bits and bool(int(samples.max()) >> bits)
    return _sign_extended(samples, wide if extended else bits)


def _sign_extended(samples: IntegerArray, bits: int) -> IntegerArray:
    """Read unsigned integers whose bit bits - 1 is the sign as signed ones of the same size."""
    size = 8 * samples.dtype.itemsize
    unsigned, signed = np.dtype(f"u{size // 8}"), np.dtype(f"i{size // 8}")
    gap = unsigned.type(size - bits)
    result: IntegerArray = (samples.view(unsigned) << gap).view(signed) >> signed.type(gap)
    return result


def _without_sign(samples: IntegerArray, bits: int) -> IntegerArray | None:
    """Keep the low bits of unsigned samples that are sign extensions of values of `bits` bits; None
    where they are not."""
    if samples.dtype.kind != "u":
        return None
    extended = samples.view(np.dtype(f"i{samples.dtype.itemsize}"))
    half = 1 << (bits - 1)
    if int(extended.min()) < -half or int(extended.max()) >= half:
        return None
    low_bits: IntegerArray = samples & samples.dtype.type((1 << bits) - 1)
    return low_bits


def _as_allocated(values: IntegerArray, allocated: int, signed: bool) -> IntegerArray:
    """Store the values in integers of BitsAllocated, or wider where they need it; same shape."""
    kind = np.dtype(f"{'i' if signed else 'u'}{allocated // 8}")
    if values.dtype == kind:
        return values
    least, most = int(values.min()), int(values.max())
    sizes = [size for size in (8, 16, 32, 64) if size >= allocated]
    for size in sizes:
        kind = np.dtype(f"{'i' if signed else 'u'}{size // 8}")
        limits = np.iinfo(kind)
        if limits.min <= least and most <= limits.max:
            break
    return values.astype(kind)


def mask_words(words: IntegerArray, row: Row) -> IntegerArray:
    """Mask every word to BitsStored bits, with their sign (PS3.5 8.1.1); same shape.

    words: (..., rows, columns), any integer type; returns the unsigned or signed type of
    BitsAllocated, the words' own memory where nothing is to be done: a copy of a large series is
    dear, and what was read from a file cannot be written to. The bits end at HighBit only where
    the words show it: other readers take them as the lowest ones, and a HighBit beyond them is
    nearly always a slip of the header.
    """
    allocated, bits = row["BitsAllocated"], row["BitsStored"]
    unsigned = np.dtype(f"u{allocated // 8}")
    # Wraps modulo 2**allocated, and gives the native byte order.
    values = words.astype(unsigned, copy=False)
    shift = row["HighBit"] + 1 - bits
    if 0 < shift <= allocated - bits and _end_at_high_bit(values, bits, shift):
        values = values >> unsigned.type(shift)
    if row["PixelRepresentation"] != 1:
        return values if bits == allocated else values & unsigned.type((1 << bits) - 1)
    if bits == allocated:
        return values.view(np.dtype(f"i{allocated // 8}"))
    return _sign_extended(values, bits)


def _end_at_high_bit(words: IntegerArray, bits: int, shift: int) -> bool:
    """Whether no word uses the `shift` lowest bits, and some use bits above the `bits` lowest for
    more than the sign of these."""
    kind = words.dtype.type
    if (words & kind((1 << shift) - 1)).any() or not (words >> kind(bits)).any():
        return False
    extended: IntegerArray = _sign_extended(words, bits) == words.view(f"i{words.dtype.itemsize}")
    return not extended.all()
