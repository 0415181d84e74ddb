"""verbs/segment/organs.py: the organs that can be segmented, and the options of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from wetread.anatomy.airway import segment_airway
from wetread.anatomy.body import segment_body
from wetread.anatomy.bone import segment_bone
from wetread.anatomy.brain import segment_brain
from wetread.anatomy.chest_box import find_heart_box
from wetread.anatomy.frame import patient_frame
from wetread.anatomy.head import find_head_box
from wetread.anatomy.kmeans import kmeans_lungs
from wetread.anatomy.lungs import Lungs, LungSettings, segment_lungs
from wetread.anatomy.mask import Mask
from wetread.anatomy.presence import lungs_absent_in_pixels, shows_head_only
from wetread.archive.rejects import RejectError
from wetread.archive.types import Float32Array
from wetread.outputs.mesh import MESH_FORMATS
from wetread.study.boxes import VoxelBox
from wetread.study.stack import CHOICES
from wetread.study.volume import Volume
from wetread.view.window import BONE, BRAIN, LUNG, MEDIASTINUM, Window


def _no_boxes(volume: Volume, masks: Sequence[Mask]) -> Mapping[str, VoxelBox]:
    return {}


def _head(volume: Volume, masks: Sequence[Mask]) -> Mapping[str, VoxelBox]:
    return {"head": VoxelBox(0, len(volume.hu), *find_head_box(volume.hu))}


def _heart(volume: Volume, masks: Sequence[Mask]) -> Mapping[str, VoxelBox]:
    """Return the box between the lungs, in the slices as they lie; none where none holds both."""
    frame = patient_frame(volume)
    right, left = (frame.to_patient(mask.inside) for mask in masks[:2])
    nothing = np.zeros((0, 0, 0), bool)
    try:
        row0, row1, column0, column1 = find_heart_box(Lungs(right, left, nothing, nothing))
    except ValueError:
        return {}
    between = np.zeros(right.shape, bool)
    between[:, row0:row1, column0:column1] = True
    return {"heart": Mask("heart", frame.from_patient(between), volume.place).box}


def _lungs(volume: Volume, **settings: float) -> list[Mask]:
    frame = patient_frame(volume)
    _, down, across = frame.spacing_mm
    _require_lungs(frame.to_patient(volume.hu), (down, across))
    return segment_lungs(volume, LungSettings(**settings))


def _airway(volume: Volume) -> list[Mask]:
    """Segment trachea and main bronchi; the air of nose and throat above a neck is none."""
    frame = patient_frame(volume)
    _, down, across = frame.spacing_mm
    hu = frame.to_patient(volume.hu)
    if shows_head_only(hu, (down, across)):
        raise RejectError("wrong_anatomy", "no airway: a head, without lung in any slice")
    return segment_airway(volume)


def _require_lungs(hu: Float32Array, spacing_mm: tuple[float, float]) -> None:
    """Raise RejectError where slices (Z, Y, X) across a body, HU, show no lungs."""
    absent = lungs_absent_in_pixels(hu, spacing_mm)
    if absent is not None:
        raise RejectError("wrong_anatomy", absent)


def _kmeans(volume: Volume) -> list[Mask]:
    """Segment both lungs as one, slice by slice; its clusters start the same in every run."""
    down, across = volume.place.spacing_mm
    if np.isfinite([down, across]).all():
        _require_lungs(volume.hu, (float(down), float(across)))
    return [Mask("lungs", kmeans_lungs(volume.hu, np.random.default_rng(0)), volume.place)]


def _nothing(volume: Volume) -> list[Mask]:
    return []


@dataclass(frozen=True)
class SegmentMethod:
    """One way to find an organ.

    find:     from the volume, and the settings by name, to masks.
    settings: the names that `find` takes: "closing_mm", "threshold_hu".
    window:   of the pictures.
    boxes:    from the volume and its masks to boxes that no mask has, for the views.
    context:  from the volume to masks that the page shows around the organ.
    """

    find: Callable[..., list[Mask]]
    settings: tuple[str, ...] = ()
    window: Window = MEDIASTINUM
    boxes: Callable[[Volume, Sequence[Mask]], Mapping[str, VoxelBox]] = _no_boxes
    context: Callable[[Volume], list[Mask]] = _nothing


# Organ -> method; the first method is the usual one.
ORGANS: dict[str, dict[str, SegmentMethod]] = {
    "airway": {"trachea": SegmentMethod(_airway, (), LUNG, context=segment_body)},
    "body": {"tissue": SegmentMethod(segment_body)},
    "bone": {
        "threshold": SegmentMethod(
            segment_bone, ("closing_mm", "threshold_hu"), BONE, context=segment_body
        )
    },
    "brain": {"skull": SegmentMethod(segment_brain, (), BRAIN, _head, segment_body)},
    "lungs": {
        "ball": SegmentMethod(_lungs, ("closing_mm", "threshold_hu"), LUNG, _heart, segment_body),
        "kmeans": SegmentMethod(_kmeans, (), LUNG),
    },
}


@dataclass(frozen=True)
class SegmentOptions:
    """The settings of one run of the verb; "" as method is the organ's usual one."""

    organ: str
    method: str
    closing_mm: float | None
    threshold_hu: float | None
    meshes: tuple[str, ...]
    page: bool
    gaps: str

    @property
    def segmenter(self) -> SegmentMethod:
        """The row of ORGANS that finds the organ."""
        return ORGANS[self.organ][self.method]

    @property
    def settings(self) -> dict[str, float]:
        """The method's settings that were given."""
        given = {"closing_mm": self.closing_mm, "threshold_hu": self.threshold_hu}
        return {name: value for name, value in given.items() if value is not None}


def validate(options: SegmentOptions) -> SegmentOptions:
    """Return the options with the method named; ValueError for what is not known."""
    if options.organ not in ORGANS:
        raise ValueError(f"no organ {options.organ!r}; there are: {', '.join(ORGANS)}")
    methods = ORGANS[options.organ]
    options = replace(options, method=options.method or next(iter(methods)))
    if options.method not in methods:
        raise ValueError(f"{options.organ} has no method {options.method!r}; {', '.join(methods)}")
    strange = [name for name in options.settings if name not in options.segmenter.settings]
    if strange:
        raise ValueError(
            f"{options.organ} by {options.method!r} has no setting {strange[0]}; it has "
            f"{', '.join(options.segmenter.settings) or 'none'}"
        )
    unknown = [form for form in options.meshes if form not in MESH_FORMATS]
    if unknown:
        raise ValueError(f"no mesh form {unknown[0]!r}; there are: {', '.join(MESH_FORMATS)}")
    if options.gaps not in CHOICES:
        raise ValueError(f"gaps {options.gaps!r}; there are: {', '.join(CHOICES)}")
    return options
