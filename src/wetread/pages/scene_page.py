"""pages/scene_page.py: surfaces as one HTML page to turn them on, that needs nothing else."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from wetread.anatomy.mask import Mask
from wetread.archive.files.atomic import write_whole
from wetread.archive.types import NumberArray
from wetread.outputs.mesh import Surface, surface_of
from wetread.pages.content_policy import content_policy

USE = "Research use only, not for diagnosis"
MOST_FACES = 400_000  # of all surfaces of a scene: 8 MB
FINEST_MM = 1.5
QUANTA = 32_000  # an int16's steps from the middle of the scene outward

# Mask -> (red, green, blue; opacity) where it is first shown; others take OTHERS in turn.
MASK_COLORS: dict[str, tuple[float, float, float, float]] = {
    "body": (0.86, 0.72, 0.62, 0.25),
    "bone": (0.93, 0.89, 0.78, 1.0),
    "brain": (0.91, 0.52, 0.50, 1.0),
    "lung_right": (0.47, 0.68, 0.84, 0.45),
    "lung_left": (0.55, 0.78, 0.70, 0.45),
    "airway": (0.95, 0.80, 0.42, 1.0),
    "dense_in_lung": (0.78, 0.30, 0.28, 1.0),
}
OTHER_COLORS = ((0.47, 0.68, 0.84, 1.0), (0.95, 0.80, 0.42, 1.0), (0.62, 0.53, 0.78, 1.0))


@dataclass(frozen=True, eq=False)
class ScenePart:
    """One surface of a scene. color: red, green, blue, opacity from 0 to 1."""

    name: str
    volume_ml: float
    surface: Surface
    color: tuple[float, float, float, float]


def scene_parts(masks: Sequence[Mask]) -> list[ScenePart]:
    """Return the surface of each mask (Z, Y, X), as fine as the scene's triangles allow."""
    most = MOST_FACES // max(len(masks), 3)
    return [
        ScenePart(
            mask.name,
            mask.volume_ml,
            _thinned(mask, most),
            MASK_COLORS.get(mask.name, OTHER_COLORS[number % len(OTHER_COLORS)]),
        )
        for number, mask in enumerate(masks)
    ]


def _thinned(mask: Mask, most: int) -> Surface:
    """Return the mask's surface in steps so wide that it has at most so many triangles."""
    step_mm = FINEST_MM
    surface = surface_of(mask, step_mm)
    while len(surface.faces) > most:
        step_mm *= 1.05 * (len(surface.faces) / most) ** 0.5
        surface = surface_of(mask, step_mm)
    return surface


def write_scene_page(path: Path, title: str, parts: Sequence[ScenePart], note: str = "") -> None:
    """Write the page: one file, its own script, no request to anywhere, nothing of a patient."""
    write_whole(path, scene_html(title, parts, note).encode())


def scene_html(title: str, parts: Sequence[ScenePart], note: str = "") -> str:
    """Return the page as HTML text; parts without a triangle are in its legend only."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    room = resources.files("wetread.pages")
    script = room.joinpath("scene.js").read_text("utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(room.joinpath("scene.html.j2").read_text("utf-8"))
    return template.render(
        title=title,
        use=USE,
        note=note,
        parts=[_legend(part) for part in parts],
        data=Markup(json.dumps(_scene(parts)).replace("<", "\\u003c")),
        script=Markup(script),
        policy=Markup(content_policy(script)),
    )


def _legend(part: ScenePart) -> dict[str, object]:
    red, green, blue = (round(255 * share) for share in part.color[:3])
    return {
        "label": part.name.replace("_", " "),
        "ml": f"{part.volume_ml:.0f}" if part.volume_ml >= 10 else f"{part.volume_ml:.1f}",
        "css": f"rgb({red},{green},{blue})",
        "percent": round(100 * part.color[3]),
    }


def _scene(parts: Sequence[ScenePart]) -> dict[str, object]:
    """Return the data of scene.js: points as int16 steps from one middle, faces uint32, base64."""
    points = np.concatenate([np.zeros((0, 3)), *(part.surface.points for part in parts)])
    low, high = (points.min(axis=0), points.max(axis=0)) if len(points) else (np.zeros(3),) * 2
    center = (low + high) / 2
    radius = max(float(np.linalg.norm(points - center, axis=1).max(initial=0.0)), 1.0)
    step = radius / QUANTA
    return {
        "center_mm": center.tolist(),
        "radius_mm": radius,
        "step_mm": step,
        "parts": [
            {
                "name": part.name,
                "colour": part.color[:3],
                "opacity": part.color[3],
                "points": _packed(np.rint((part.surface.points - center) / step), "<i2"),
                "faces": _packed(part.surface.faces, "<u4"),
            }
            for part in parts
        ],
    }


def _packed(values: NumberArray, kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values, kind).tobytes()).decode()
