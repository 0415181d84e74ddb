"""archive/index/examine.py: one file becomes one row, from its header and length alone."""

from wetread.archive.containers.contents import open_contents
from wetread.archive.containers.packed import refuse_packed
from wetread.archive.containers.sources import Entry
from wetread.archive.dataset.elements import UNDEFINED
from wetread.archive.dataset.functional_groups import fill_from_functional_groups
from wetread.archive.dataset.header import FIRST_READ, Header, read_header
from wetread.archive.dataset.luts import read_modality_table
from wetread.archive.dataset.numbers import tag_and_name
from wetread.archive.dataset.row_fields import MODALITY_TABLE, PIXEL_FORM, WANTED, row_fields
from wetread.archive.index.intercept import has_signature, intercept_note
from wetread.archive.index.known_headers import KnownHeaders
from wetread.archive.index.schema import INDEX_SCHEMA
from wetread.archive.notes import note
from wetread.archive.pictures.kinds import Pictures
from wetread.archive.pictures.rows import picture_fields
from wetread.archive.pixels.decoders import NATIVE_SYNTAXES, SUPPORTED_SYNTAXES
from wetread.archive.pixels.fragments import find_fragments, frame_spans
from wetread.archive.pixels.stored_pixels import MAX_FRAME_BYTES, MAX_PIXEL_BYTES, native_bytes
from wetread.archive.pixels.streams import check_streams
from wetread.archive.rejects import RejectError
from wetread.archive.types import MutableRow, ReadAt

# SOP classes without an image to read, PS3.4 B.5: by the part after 1.2.840.10008.5.1.4.1.1. that
# it is (_NOT_IMAGE_CLASSES, retired ones among them) or begins with (_NOT_IMAGE).
_STORAGE = "1.2.840.10008.5.1.4.1.1."
_NOT_IMAGE = tuple(
    _STORAGE + end
    for end in (
        *("4.2", "9.", "11.", "30", "34.", "66", "67", "68.", "77.1.5.3", "78.", "79.", "80."),
        *("81.", "82.", "88.", "90.", "91.", "104.", "131", "200.", "201.", "501.3"),
    )
)
_NOT_IMAGE_CLASSES = frozenset(_STORAGE + end for end in ("8", "9", "10", "11", "129"))
_RADIOTHERAPY = _STORAGE + "481."
_RT_IMAGES = frozenset({_STORAGE + "481.1", _STORAGE + "481.23"})
_NOT_STORAGE = (
    "1.2.840.10008.1.3.10",
    *(f"1.2.840.10008.5.1.4.{end}." for end in (34, 38, 39, 43, 44, 45)),
)
_NOT_IMAGE_MODALITIES = frozenset(
    (
        *("SR", "KO", "PR", "RTSTRUCT", "RTPLAN", "RTDOSE", "RTRECORD", "SEG", "REG", "FID", "DOC"),
        *("PLAN", "ECG", "HD", "EPS", "AU", "SMR", "RWV", "M3D", "STAIN", "TEXTUREMAP", "ASMT"),
    )
)
_IMAGE_MODALITIES = frozenset(
    (
        *("CT", "MR", "CR", "DX", "DR", "MG", "US", "XA", "RF", "NM", "PT", "OT", "SC", "PX", "IO"),
        *("XC", "ES", "OP", "OPT", "SM", "GM", "RG", "RTIMAGE", "OCT", "IVUS"),
    )
)

_KNOWN = KnownHeaders()  # of this process


def examine(entry: Entry, *, repair: bool = True, pictures: Pictures | None = None) -> MutableRow:
    """Examine one file: a row of JOURNAL_SCHEMA, a missing key is null; no content of it raises.

    repair: examine the pixels of a slice whose header is that of a wrong intercept, and note it.
    pictures: what files without a DICOM header are taken for; None: they are refused.
    """
    row: MutableRow = {
        "path": entry.path,
        "member": entry.member,
        "size": entry.size,
        "mtime_ns": entry.mtime_ns,
        "crc": entry.crc,
    }
    try:
        with open_contents(entry.path, entry.member) as (read_at, size):
            first = read_at(0, min(FIRST_READ, size))
            if (known := _KNOWN.row_of(first, size)) is not None:
                return known | row
            header = _examine_bytes(read_at, size, first, row, pictures)
        if header is not None and row["state"] == "image" and not has_signature(row):
            _KNOWN.remember(first, header, row)
        if MODALITY_TABLE in (row.get("notes") or ()) and row["state"] == "image":
            _check_modality_table(row)
        if repair and row["state"] == "image" and (found := intercept_note(row)):
            row["notes"].append(found)
    except RejectError as reject:
        row |= {"state": "reject", "reason": reject.reason, "detail": reject.detail}
    except (ValueError, IndexError, KeyError, ArithmeticError, TypeError) as error:
        detail = f"a header that cannot be read: {type(error).__name__}"
        row |= {"state": "reject", "reason": "bad_element", "detail": detail}
    return row


def _check_modality_table(row: MutableRow) -> None:
    """Refuse an image whose table cannot be read; one without entries is none, and noted."""
    if read_modality_table(dict.fromkeys(INDEX_SCHEMA) | row) is None:
        row["notes"].remove(MODALITY_TABLE)
        detail = "(0028,3000) ModalityLUTSequence has no table with entries: taken as absent"
        row["notes"].append(note("lut_empty", detail))


def _examine_bytes(
    read_at: ReadAt, size: int, first: bytes, row: MutableRow, pictures: Pictures | None
) -> Header | None:
    """Fill in the row as far as the header can be read, whatever is refused afterwards.

    first: the first bytes of the file. Returns its header, None where it has none.
    """
    try:
        header = read_header(read_at, size, WANTED, first)
    except RejectError as reject:
        if reject.reason == "not_dicom":
            found = picture_fields(read_at, size, row["path"], row["member"], pictures)
            if found is not None:
                row.update(found, state="image")
                _check_size(row)
                return None
            refuse_packed(read_at, size)
        raise
    if header.walk.last_tag == 0 and header.walk.cut is None:
        raise RejectError("truncated_header", "the file ends before its data set")
    try:
        fields = row_fields(header)
    except RejectError:
        if _no_image_class(header):
            row.update(state="not_image", TransferSyntaxUID=header.syntax, notes=[])
            return header
        raise
    bad_form = fields.pop("_bad_pixel_form", None)
    row.update(fields)
    if is_not_image(header, row):
        if header.walk.cut:
            row["notes"].append(f"cut: {header.walk.cut}")
        row["state"] = "not_image"
        return header
    fill_from_functional_groups(row, header, read_at, size)
    if header.walk.cut:
        raise RejectError("truncated_header", header.walk.cut)
    if header.walk.pixel_tag is None:
        _refuse_without_pixels(header, row)
    if bad_form is not None:
        raise RejectError("bad_pixel_header", bad_form)
    _check_pixels(read_at, size, header, row)
    if "HighBit" not in row:
        row["HighBit"] = row["BitsStored"] - 1
        row["notes"].append("no HighBit: taken as BitsStored - 1")
    elif row["HighBit"] != row["BitsStored"] - 1:
        detail = f"(0028,0102) HighBit is {row['HighBit']}, (0028,0101) BitsStored"
        row["notes"].append(note("high_bit", f"{detail} {row['BitsStored']}"))
    row["state"] = "image"
    return header


def _no_image_class(header: Header) -> bool:
    raw = header.values.get(0x00080016) or header.values.get(0x00020002, b"")
    return _is_no_image_class(raw.decode("latin-1").strip(" \0"))


def _is_no_image_class(sop_class: str) -> bool:
    if sop_class.startswith(_RADIOTHERAPY):
        return sop_class not in _RT_IMAGES
    return sop_class in _NOT_IMAGE_CLASSES or sop_class.startswith(_NOT_IMAGE + _NOT_STORAGE)


def is_not_image(header: Header, fields: MutableRow) -> bool:
    """Whether an object is a report, plan or the like: by SOP class, else by its elements."""
    sop_class = fields.get("SOPClassUID")
    if sop_class is not None and _is_no_image_class(sop_class):
        return True
    if sop_class is not None and sop_class.startswith(_STORAGE):
        return False
    if header.walk.pixel_tag is not None:
        return fields.get("Modality") in _NOT_IMAGE_MODALITIES
    if header.has_meta and 0x00020010 not in header.values:
        raise RejectError("bad_meta", "the file meta names no transfer syntax")
    return fields.get("Modality") not in _IMAGE_MODALITIES and "Rows" not in fields


def _refuse_without_pixels(header: Header, fields: MutableRow) -> None:
    if "Rows" not in fields and header.walk.last_tag < 0x00280010:
        where = f"({header.walk.last_tag >> 16:04X},{header.walk.last_tag & 0xFFFF:04X})"
        detail = f"the file ends after {where}, before (0028,0010) Rows and (7FE0,0010) Pixel Data"
        raise RejectError("truncated_header", detail)
    raise RejectError("no_pixels", "an image object without (7FE0,0010) Pixel Data")


def _check_pixels(read_at: ReadAt, size: int, header: Header, fields: MutableRow) -> None:
    """Check the header against the length of the pixel data; nothing is decoded."""
    if header.walk.pixel_tag != 0x7FE00010:
        tag = header.walk.pixel_tag or 0
        detail = f"({tag >> 16:04X},{tag & 0xFFFF:04X}) holds float pixel data in an image object"
        raise RejectError("wrong_kind", detail)
    syntax = header.syntax
    if syntax not in SUPPORTED_SYNTAXES:
        raise RejectError("unsupported_syntax", f"transfer syntax {syntax}")
    if header.walk.pixel_length == 0:
        raise RejectError("no_pixels", "(7FE0,0010) Pixel Data is empty")
    needed = _check_size(fields)
    encapsulated = header.walk.pixel_length == UNDEFINED
    if encapsulated == (syntax in NATIVE_SYNTAXES):
        form = "encapsulated" if encapsulated else "not encapsulated"
        detail = f"(0002,0010) TransferSyntaxUID is {syntax}, (7FE0,0010) Pixel Data is {form}"
        raise RejectError("bad_element", detail)
    if not encapsulated:
        available = min(header.walk.pixel_length, header.end - header.walk.pixel_offset)
        if available < needed:
            detail = f"(7FE0,0010) Pixel Data: {needed} bytes needed, {available} there"
            raise RejectError("truncated_pixels", detail)
        if header.walk.pixel_offset + header.walk.pixel_length > header.end:
            lengths = f"{header.walk.pixel_length} bytes declared, {available} there"
            detail = f"(7FE0,0010) Pixel Data: {lengths}"
            raise RejectError("truncated_pixels", detail)
        return
    fragments = find_fragments(read_at, size, header.walk.pixel_offset)
    if not fragments.spans:
        raise RejectError("no_pixels", "encapsulated pixel data without a fragment")
    spans = frame_spans(read_at, fragments, fields.get("NumberOfFrames") or 1)
    check_streams(read_at, spans, fields)


def _check_size(fields: MutableRow) -> int:
    """Check that the pixels can be, and return how many bytes they take uncompressed."""
    check_pixel_form(fields)
    needed = native_bytes(fields)
    if needed > MAX_PIXEL_BYTES:
        raise RejectError("too_big", f"the header declares {needed} bytes of pixels")
    frame_bytes = needed // (fields.get("NumberOfFrames") or 1)
    if frame_bytes > MAX_FRAME_BYTES:
        raise RejectError("too_big", f"the header declares a frame of {frame_bytes} bytes")
    return needed


def check_pixel_form(fields: MutableRow) -> None:
    """Raise RejectError for rows, columns, bits and samples that cannot be (PS3.3 C.7.6.3)."""
    for name in ("Rows", "Columns", "BitsAllocated", "BitsStored"):
        if not fields.get(name):
            lengths = f"{tag_and_name(PIXEL_FORM[name], name)} is {fields.get(name, 'absent')}"
            raise RejectError("bad_pixel_header", lengths)
    allocated, stored = fields["BitsAllocated"], fields["BitsStored"]
    high = fields.get("HighBit")
    samples = fields.get("SamplesPerPixel") or 1
    if allocated not in (8, 16, 32):
        raise RejectError("bad_pixel_header", f"(0028,0100) BitsAllocated is {allocated}")
    if not 0 < stored <= allocated:
        detail = f"(0028,0101) BitsStored is {stored}, BitsAllocated {allocated}"
        raise RejectError("bad_pixel_header", detail)
    if high is not None and high < stored - 1:
        detail = f"(0028,0102) HighBit is {high}, BitsStored {stored}, BitsAllocated {allocated}"
        raise RejectError("bad_pixel_header", detail)
    if samples not in (1, 3, 4):
        raise RejectError("bad_pixel_header", f"(0028,0002) SamplesPerPixel is {samples}")
    sign = fields.get("PixelRepresentation", "absent")
    if sign not in (0, 1):
        raise RejectError("bad_pixel_header", f"(0028,0103) PixelRepresentation is {sign}")
    frames = fields.get("NumberOfFrames")
    if frames is not None and frames < 1:
        raise RejectError("bad_pixel_header", f"(0028,0008) NumberOfFrames is {frames}")
