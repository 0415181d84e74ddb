"""phantoms/radiograph/pneumothorax.py: air between chest wall and lung, and its look on a film."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from wetread.archive.types import BoolArray, FloatArray
from wetread.phantoms.chest.chest import Chest, Hemithorax, air_length, deepen, pleural_chord
from wetread.phantoms.radiograph.exposure import Sightlines
from wetread.phantoms.shapes.chords import Chord, intersect, thickness

UPRIGHT = ("apical", "lateral", "large", "basal")
UPRIGHT_SHARES = (0.68, 0.17, 0.09, 0.06)
SUPINE = ("deep_sulcus", "apical", "lateral", "large", "basal")
SUPINE_SHARES = (0.24, 0.40, 0.18, 0.10, 0.08)
AIR_MM = 4.0  # thinner air than this is not drawn around by a reader
PLEURA_MM = 0.7  # two layers of cells and what sticks to them, as thick as a film shows it


@dataclass(frozen=True)
class Pneumothorax:
    """Air in one pleural space.

    apex_mm, base_mm: how far the lung has fallen from the apex and risen from the sulcus.
    lag:      its distance from the lateral wall, as of a Hemithorax.
    front_mm: air in front of the lung's base; sulcus_mm: how far the sulcus is drawn down.
    push_mm:  how far the heart is pushed to the other side.
    share:    the share of air in a line of sight from which on a reader calls it air.
    """

    kind: str
    side: int
    apex_mm: float
    base_mm: float
    lag: tuple[float, float, float]
    front_mm: float
    sulcus_mm: float
    push_mm: float
    share: float


@dataclass(frozen=True, eq=False)
class Collapse:
    """Lengths in lines of sight on one side, (H, W) mm; chord: the lung; pleura: met edge on."""

    chord: Chord
    air: FloatArray
    lung: FloatArray
    pleura: FloatArray
    mask: BoolArray


def draw_kind(rng: np.random.Generator, supine: bool) -> str:
    """Draw the kind: upright, air rises to the apex; supine, it collects in front of the base."""
    names, shares = (SUPINE, SUPINE_SHARES) if supine else (UPRIGHT, UPRIGHT_SHARES)
    return str(rng.choice(names, p=shares))


def draw_pneumothorax(rng: np.random.Generator, kind: str, difficulty: float = 1.0) -> Pneumothorax:
    """Draw one of a kind, from a rim of 5 mm to a collapsed lung; smaller when more difficult.

    Raises ValueError for an unknown kind.
    """
    side = int(rng.choice((-1, 1), p=(0.56, 0.44)))
    size = float(np.exp(rng.normal(0, 0.65)) * difficulty**-0.5)
    apex = base = front = sulcus = push = 0.0
    share = 0.65
    lag = (0.0, 0.0, 1.0)
    if kind == "apical":
        apex = float(np.clip(12 * size, 4, 95))
        lag = (float(np.clip(6 * size, 1.5, 30)), 0.1, float(rng.uniform(0.2, 0.6)))
    elif kind == "lateral":
        apex = float(np.clip(8 * size, 2, 60))
        lag = (
            float(np.clip(9 * size, 4, 60)),
            float(rng.uniform(0.2, 0.6)),
            float(rng.uniform(0.3, 1.0)),
        )
    elif kind == "large":
        size = float(rng.uniform(0.25, 1.0) ** difficulty)
        apex, base = 75 * size, 45 * size
        lag = (85 * size, 0.5, 1.4)
        push = float(14 * size * rng.random())
        sulcus = float(10 * size * rng.random())
    elif kind == "basal":
        base = float(np.clip(0.5 * size, 0.2, 0.9))
        lag = (float(np.clip(10 * size, 4, 45)), 0.95, float(rng.uniform(0.22, 0.4)))
    elif kind == "deep_sulcus":
        front = float(np.clip(62 * size, 35, 110))
        base = float(np.clip(0.5 * size, 0.25, 0.9))
        lag = (float(np.clip(14 * size, 5, 45)), 0.9, float(rng.uniform(0.25, 0.45)))
        sulcus = float(rng.uniform(8, 32))
        share = 0.45
    else:
        raise ValueError(
            f"kind: {kind!r}; choose from {', '.join(dict.fromkeys(UPRIGHT + SUPINE))}"
        )
    return Pneumothorax(kind, side, apex, base, lag, front, sulcus, push, share)


def enlarge_air(pneumothorax: Pneumothorax, factor: float) -> Pneumothorax:
    """Widen the air between lung and wall by a factor."""
    grown = (pneumothorax.lag[0] * factor, *pneumothorax.lag[1:])
    return replace(
        pneumothorax,
        apex_mm=pneumothorax.apex_mm * factor,
        lag=grown,
        front_mm=min(pneumothorax.front_mm * factor, 140.0),
        base_mm=pneumothorax.base_mm
        if pneumothorax.base_mm > 1
        else min(pneumothorax.base_mm * factor, 0.95),
    )


def push_heart(chest: Chest, pneumothorax: Pneumothorax) -> Chest:
    """Move the heart of a chest away from air under pressure."""
    heart, mm = chest.heart, -pneumothorax.side * pneumothorax.push_mm
    center = (heart.center[0] + mm, *heart.center[1:])
    atrium = (heart.atrium[0] + mm, *heart.atrium[1:])
    return replace(chest, heart=replace(heart, center=center, atrium=atrium))


def pleural_space(part: Hemithorax, pneumothorax: Pneumothorax) -> Hemithorax:
    """Make the side's pleural space, its sulcus drawn down by air under pressure."""
    return deepen(part, pneumothorax.sulcus_mm) if pneumothorax.sulcus_mm else part


def collapsed_lung(part: Hemithorax, pneumothorax: Pneumothorax) -> Hemithorax:
    """Make the lung as a smaller hemithorax that hangs on the same hilum.

    base_mm of 1 and less is the share by which the lung's base flattens over the sulcus.
    """
    x, z = part.apex
    flat = pneumothorax.base_mm if pneumothorax.base_mm <= 1 else pneumothorax.base_mm / 90
    lift = 0.0 if pneumothorax.base_mm <= 1 else pneumothorax.base_mm
    wide = part.lateral - part.dome[0]
    fall = part.fall[0] * (1 - flat)
    return replace(
        part,
        apex=(x - 0.10 * pneumothorax.apex_mm, z - pneumothorax.apex_mm),
        base_z=part.base_z + lift + (part.fall[0] - fall) * wide * wide,
        dome=(part.dome[0], part.dome[1], part.dome[2] + 0.6 * lift),
        fall=(fall, part.fall[1]),
        lag=pneumothorax.lag,
        front=pneumothorax.front_mm,
    )


def collapse(
    chest: Chest, part: Hemithorax, pneumothorax: Pneumothorax, lines: Sightlines
) -> Collapse:
    """Compute air, lung and pleura in lines of sight (H, W), for the side of the pneumothorax."""
    x, z = lines.x, lines.z
    space, lung = pleural_space(part, pneumothorax), collapsed_lung(part, pneumothorax)
    cavity = pleural_chord(space, x, z, chest)
    chord = intersect(cavity, pleural_chord(lung, x, z, chest))
    whole = air_length(chest, space, x, z, cavity)
    rest = np.minimum(air_length(chest, lung, x, z, chord), whole)
    air = whole - rest
    skin = max(PLEURA_MM, 0.8 * lines.pixel_mm)
    core = _peeled(lung, skin)
    inner = intersect(chord, pleural_chord(core, x, z, chest))
    shell = rest - np.minimum(air_length(chest, core, x, z, inner), rest)
    near_air = np.clip(air * (1 / 8), 0, 1)
    # of the pleural space as it is: what heart or diaphragm covers, a reader leaves out
    mask = (air >= AIR_MM) & (air >= pneumothorax.share * thickness(cavity))
    mask = _without_crumbs(mask)
    return Collapse(chord, air, rest, shell * near_air * (PLEURA_MM / skin), mask)


def _without_crumbs(mask: BoolArray) -> BoolArray:
    """Keep the parts of a mask (H, W) that are at least a tenth as large as the largest."""
    _, parts, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    sizes = stats[:, cv2.CC_STAT_AREA]
    sizes[0] = 0
    kept: BoolArray = (sizes >= max(0.1 * sizes.max(), 1))[parts]
    return kept


def _peeled(lung: Hemithorax, mm: float) -> Hemithorax:
    """Remove the outermost mm of a lung."""
    x, z = lung.apex
    return replace(
        lung,
        apex=(x, z - mm),
        lateral=lung.lateral - mm,
        depth=lung.depth - mm,
        base_z=lung.base_z + mm,
        dome=(lung.dome[0], lung.dome[1], lung.dome[2] + mm),
    )
