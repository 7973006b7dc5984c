"""Plain rooms and the sums over their surfaces that have closed forms."""

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.classes import SemanticClass
from pipeline.tours.camera import Walk
from pipeline.tours.house import House
from pipeline.tours.layout import Opening, Room, RoomKind
from pipeline.tours.materials import Material
from pipeline.tours.mesh import build_mesh
from pipeline.tours.shell import build_shell
from pipeline.tours.surfaces import Sheet, Thing, box, thing

GREY = Material("smooth", (0.5, 0.5, 0.5))
DOORWAY = Opening("doorway", 0, 1.5, 2.4, 0.0, 2.05, leads_to=1)
WINDOW = Opening("window", 2, 1.0, 2.2, 0.9, 2.1)


def plain_room(*openings: Opening, kind: RoomKind = "living", height: float = 2.5) -> Room:
    """A room of 4 x 3 metres whose lowest corner is the origin."""
    return Room(0, kind, (0.0, 0.0, 4.0, 3.0), height, openings)


def block(low: tuple[float, float, float], high: tuple[float, float, float], label: int = 10) -> Thing:
    return thing(SemanticClass(label), (box(low, high), GREY))


def corners(*things: Thing) -> NDArray[np.float64]:
    """The corners (T, 3, 3) of all triangles."""
    mesh = build_mesh(things)
    return mesh.vertices[mesh.triangles].astype(np.float64)


def area(*things: Thing) -> float:
    a, b, c = corners(*things).swapaxes(0, 1)
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


def volume(*sheets: Sheet) -> float:
    """What closed sheets with outward normals enclose, by the divergence theorem."""
    a, b, c = corners(thing(SemanticClass.OBJECTS, (sheets, GREY))).swapaxes(0, 1)
    return float((a * np.cross(b, c)).sum() / 6)


def bare_house(*things: Thing, room: Room | None = None) -> House:
    """One room's shell, without doors or windows where none are given, with some things in it and no garden."""
    chosen = room or plain_room()
    return House((chosen,), (*build_shell(np.random.default_rng(0), chosen), *things))


def standing(x: float, y: float, yaw: float, height: float = 1.25) -> Walk:
    """A walk that stays where it is, level and steady, for a second."""
    return Walk((x, y), (x, y), (x, y), height, (yaw, yaw), (0.0, 0.0), 1.0, (0.0, 0.0), 0)
