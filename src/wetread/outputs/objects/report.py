"""outputs/objects/report.py: a reading as a structured report after TID 1500 (PS3.16): for each
finding its probability in the study and in the key slices, and the numbers measured in what was
drawn."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence

from highdicom import sr
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code as PydicomCode

from wetread.archive.types import JsonObject
from wetread.labels.code import Code, private_code
from wetread.outputs.objects.author import Author, derive_uid
from wetread.outputs.objects.study import ObjectStudy, finish, series_attributes
from wetread.prediction.reading import USE, Reading

UNITS = {  # of measured numbers, in UCUM
    "": codes.UCUM.NoUnits,
    "ml": PydicomCode("mL", "UCUM", "mL"),
    "mm": codes.UCUM.Millimeter,
}
PROCEDURES = {  # by Modality
    "CT": codes.SCT.ComputedTomography,
    "CR": codes.SCT.PlainRadiography,
    "DX": codes.SCT.PlainRadiography,
}


def make_report(study: ObjectStudy, reading: Reading, headline: str) -> bytes:
    """Make the report of a study that was read, as the bytes of a file.

    Of the whole study and of each key slice: a measurement group a finding, with its probability;
    of the headline, where an operating point was asked for, whether it is present. Numbers measured
    in masks are groups of their own.
    """
    headers = list(study.images.values())
    content = sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_device_context=observer(study.author)),
        procedure_reported=PROCEDURES.get(
            str(headers[0].get("Modality", "")), codes.SCT.ImagingProcedure
        ),
        imaging_measurements=list(_groups(study, reading, headline)),
        title=codes.DCM.ImagingMeasurementReport,
        referenced_images=None,
    )
    attributes = series_attributes(study, "report", _digest(reading))
    document = sr.Comprehensive3DSR(
        evidence=headers,
        content=content[0],
        is_complete=True,
        is_final=False,
        is_verified=False,
        **attributes,
    )
    return finish(document, study, "report")


def to_concept(code: Code) -> sr.CodedConcept:
    """Return a code as highdicom has it; a value of more than 16 characters is a long one."""
    return sr.CodedConcept(code.value, code.scheme, code.meaning)


def _digest(reading: Reading) -> str:
    """Digest what the report says, so that another reading of the study is another report."""
    said = reading.to_dict()
    kept = {name: said[name] for name in ("study", "slices", "key_slices", "measures", "flagged")}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def observer(author: Author) -> sr.ObserverContext:
    """Return the observer of a document: a device, not a person, that is this algorithm."""
    return sr.ObserverContext(
        observer_type=codes.DCM.Device,
        observer_identifying_attributes=sr.DeviceObserverIdentifyingAttributes(
            uid=derive_uid("device", author.run),
            name=author.model,
            manufacturer_name="wetread",
            model_name=author.model,
            serial_number=author.run[:16],
        ),
    )


def _groups(
    study: ObjectStudy, reading: Reading, headline: str
) -> Iterator[sr.MeasurementsAndQualitativeEvaluations]:
    keys = [uid for uid in reading.key_slices if uid in study.images]
    for finding, probability in reading.study.items():
        present = reading.flagged if finding == headline else None
        yield _group(study, finding, "study", _probability(probability), keys, present)
    slices = {one.sop_instance_uid: one for one in reading.slices}
    for uid in keys:
        for finding, probability in slices[uid].probabilities.items():
            yield _group(study, finding, uid, _probability(probability), [uid])
    for measure in reading.measures:
        if measure["value"] is not None:
            yield _group(study, measure["name"], "study", _measured(study, measure), ())


def _group(
    study: ObjectStudy,
    name: str,
    of: str,
    measurement: sr.Measurement,
    images: Sequence[str],
    present: bool | None = None,
) -> sr.MeasurementsAndQualitativeEvaluations:
    author = study.author
    return sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(
            uid=derive_uid("group", study.uid, author.run, of, name), identifier=name
        ),
        finding_type=to_concept(study.codes.get(name, private_code(name))),
        algorithm_id=sr.AlgorithmIdentification(
            name=author.model,
            version=author.version,
            parameters=[USE, f"networks: sha256 {author.run}", *author.parameters],
            manufacturer="wetread",
        ),
        measurements=[measurement],
        qualitative_evaluations=None if present is None else [_presence(present)],
        source_images=[
            sr.SourceImageForMeasurementGroup.from_source_image(study.images[uid]) for uid in images
        ],
    )


def _probability(value: float) -> sr.Measurement:
    return sr.Measurement(codes.DCM.Probability, value, codes.UCUM.NoUnits)


def _presence(present: bool) -> sr.QualitativeEvaluation:
    """Say whether the probability reaches the stated threshold of an operating point."""
    value = codes.DCM.Present if present else codes.DCM.Absent
    return sr.QualitativeEvaluation(codes.DCM.PresenceOfProperty, value)


def _measured(study: ObjectStudy, measure: JsonObject) -> sr.Measurement:
    name = to_concept(study.codes.get(measure["name"], private_code(measure["name"])))
    return sr.Measurement(name, measure["value"], UNITS[measure["unit"]])
