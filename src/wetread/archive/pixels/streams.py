"""archive/pixels/streams.py: headers of compressed frames against the file's, nothing decoded.

What a codestream says of itself stands in its first bytes: what it makes of an image is known when
the file is indexed, and is refused or noted there as it is at reading.
"""

from collections.abc import Sequence

from wetread.archive.pixels.codestream import (
    Codestream,
    bare_codestream,
    check_form,
    form_notes,
    has_stream,
    read_codestream,
)
from wetread.archive.rejects import RejectError
from wetread.archive.types import MutableRow, ReadAt, Span

_FIRST_BYTES = 1024  # of a frame: most headers
Spans = tuple[Span, ...]


def check_streams(read_at: ReadAt, frames: Sequence[Spans], fields: MutableRow) -> None:
    """Raise RejectError where frames' own headers contradict the file's; note how others differ.

    fields: the columns of an image so far. Signed JPEG 2000 under PixelRepresentation 0 makes it 1,
    and the padding values negative with it. Raises RejectError.
    """
    if not has_stream(fields["TransferSyntaxUID"]):
        return
    notes = dict[str, None]()
    streams: list[Codestream] = []
    for number, spans in enumerate(frames):
        try:
            streams.append(_stream(read_at, spans))
            check_form(streams[-1], fields)
        except RejectError as error:
            where = f"frame {number + 1} of {len(frames)}: " if len(frames) > 1 else ""
            raise RejectError(error.reason, where + error.detail) from None
        notes |= dict.fromkeys(form_notes(streams[-1], fields))
    fields["notes"] += notes
    bits = fields["BitsStored"]
    # A signed stream wider than BitsStored may hold unsigned values.
    if not fields["PixelRepresentation"] and all(s.signed and s.bits <= bits for s in streams):
        fields["PixelRepresentation"] = 1
        for name in ("PixelPaddingValue", "PixelPaddingRangeLimit"):
            if fields.get(name, 0) >= 1 << 15:  # two bytes (PS3.3 C.7.5.1.1.2)
                fields[name] -= 1 << 16


def _stream(read_at: ReadAt, spans: Spans) -> Codestream:
    for most in (_FIRST_BYTES, sum(length for _, length in spans)):
        data = bare_codestream(_first_bytes(read_at, spans, most))
        found = read_codestream(data, to_its_end=False)
        if found is not None:
            return found
    raise RejectError("decode_failed", "the compressed frame has no header that is known")


def _first_bytes(read_at: ReadAt, spans: Spans, most: int) -> bytes:
    """Read the first bytes of a frame, `most` of them or all there are."""
    found: list[bytes] = []
    for at, length in spans:
        found.append(read_at(at, min(length, most)))
        most -= len(found[-1])
        if most <= 0:
            break
    return b"".join(found)
