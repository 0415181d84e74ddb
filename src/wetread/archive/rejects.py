"""archive/rejects.py: why a file cannot be used; the closed list of reasons."""

from dataclasses import dataclass

from wetread.archive.errors import WetreadError

REASONS: dict[str, str] = {
    "io_error": "the disk or the archive around it does not give the bytes, or it is packed",
    "not_file": "a FIFO, a socket or a device",
    "dangling_link": "a link to nothing",
    "link_loop": "a link to a folder that is read already",
    "empty": "no bytes",
    "not_dicom": "not a DICOM file",
    "bad_meta": "the file meta group is cut or names no transfer syntax",
    "truncated_header": "the file ends inside its header",
    "bad_element": "an element with an impossible length, VR or order",
    "too_deep": "sequences nested deeper than 32",
    "too_big": "inflates to, or declares, more than is read",
    "unsupported_syntax": "a transfer syntax without a decoder",
    "no_pixels": "an image object without pixel data",
    "bad_pixel_header": "rows, columns, bits or samples that cannot be",
    "truncated_pixels": "fewer pixel bytes than the header asks for",
    "decode_failed": "the decoder refused the pixel data",
    "decode_mismatch": "the decoded pixels contradict the header",
    "decoder_crashed": "the process that read the file died",
    "timeout": "the file took too long",
    "bad_number": "a number that is needed cannot be read",
    "no_geometry": "no place in space where one is needed",
    "no_rescale": "a CT without slope and intercept where Hounsfield units are needed",
    "not_hu": "values in another unit where Hounsfield units are needed",
    "wrong_kind": "a modality or colour form that is not wanted",
    "other_modality": "a study without an image of a modality that the task reads",
    "localizer": "an overview that slices are planned on, no slice",
    "wrong_anatomy": "what the task reads is not in the pictures",
    "uid_conflict": "the SOP Instance UID of another file, with other content",
}


class RejectError(WetreadError):
    """One file cannot be used: reason is a key of REASONS, detail names element and figures.

    The detail never holds the value of an identifying element.
    """

    def __init__(self, reason: str, detail: str) -> None:
        if reason not in REASONS:
            raise ValueError(f"{reason!r} is not a reject reason; known: {', '.join(REASONS)}")
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


@dataclass(frozen=True)
class Reject:
    """A file, or a member of an archive, that is counted and not used."""

    path: str
    member: str | None
    reason: str
    detail: str
