"""A seeded house: rooms, everything in them, and the garden around it."""

import functools
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.contract.classes import SemanticClass, palette
from pipeline.tours.dressing import finished, swapped
from pipeline.tours.fittings import ceiling_lamp, pictures, wall_mirror
from pipeline.tours.forms.draw import formed
from pipeline.tours.furnish import furnish
from pipeline.tours.furniture import ORDINARY
from pipeline.tours.garden import build_garden
from pipeline.tours.held_out.furniture import HELD_OUT
from pipeline.tours.held_out.looks import relooked
from pipeline.tours.held_out.plan import in_a_row
from pipeline.tours.layout import Opening, Room, plan_rooms, split_house
from pipeline.tours.mesh import Mesh, build_mesh
from pipeline.tours.raycast import RayCaster
from pipeline.tours.settings import TourSettings
from pipeline.tours.shell import build_shell
from pipeline.tours.sizes import USUAL, Sizes, draw_ceilings, draw_sizes
from pipeline.tours.surfaces import Thing


@dataclass(frozen=True)
class House:
    """Rooms and the things in them; the instance id of a thing is its index plus one."""

    rooms: tuple[Room, ...]
    things: tuple[Thing, ...]

    @functools.cached_property
    def mesh(self) -> Mesh:
        """All things as triangles."""
        return build_mesh(self.things)

    @functools.cached_property
    def caster(self) -> RayCaster:
        """Ray caster over the mesh."""
        return RayCaster(self.mesh)

    def write_ply(self, path: Path) -> None:
        """Write the inside of the house as a binary PLY: faces with ``label``, ``instance`` and colour."""
        write_ply(path, self.mesh)


def build_house(rng: np.random.Generator, settings: TourSettings) -> House:
    """Build the house of a seed."""
    # beside the stream of ``rng``, so that what varies changes nothing else
    heights, finishes, mirrors, patterns, forms = rng.spawn(5)
    sizes = draw_sizes(heights, settings.houses.odd_heights) if settings.houses.heights else USUAL
    held_out = settings.houses.held_out
    plan = plan_rooms(rng, settings, in_a_row if held_out else split_house)
    rooms = finished(finishes, resized(heights, plan, sizes), settings.houses)
    rooms = formed(forms, rooms, settings.houses)
    things: list[Thing] = []
    for room in rooms:
        fitting = sizes.under(room.ceiling_height) if sizes.storey else sizes
        furnished = furnish(rng, room, fitting, HELD_OUT if held_out else ORDINARY)
        things += build_shell(rng, room)
        things += furnished.things
        things.append(ceiling_lamp(rng, room))
        hung = wall_mirror(mirrors, room, furnished.along_walls) if room.finish.mirror else None
        if hung is not None:
            things.append(hung[0])
            furnished.along_walls.append(hung[1])
        things += [] if room.finish.bare else pictures(rng, room, furnished.along_walls)
    things += build_garden(rng, rooms)
    things = swapped(patterns, things, settings.houses.swapped_patterns)
    looked = relooked(things) if held_out else things
    return House(rooms, tuple(item.painted(settings.texel) for item in looked))


def resized(rng: np.random.Generator, rooms: tuple[Room, ...], sizes: Sizes) -> tuple[Room, ...]:
    """Give the rooms the ceilings and doors of ``sizes``, and windows that end below."""
    if sizes.storey is None:
        return rooms
    ceilings = draw_ceilings(rng, sizes, len(rooms))
    return tuple(
        replace(room, ceiling_height=ceiling, openings=tuple(_fitted(hole, sizes, ceiling) for hole in room.openings))
        for room, ceiling in zip(rooms, ceilings, strict=True)
    )


def _fitted(hole: Opening, sizes: Sizes, ceiling: float) -> Opening:
    return replace(hole, top=sizes.door if hole.kind == "doorway" else min(hole.top, ceiling - 0.16))


def write_ply(path: Path, mesh: Mesh) -> None:
    """Write the labelled triangles of ``mesh`` to ``path``."""
    inside = mesh.labels != SemanticClass.UNKNOWN
    used, corners = np.unique(mesh.triangles[inside], return_inverse=True)
    faces = np.empty(
        int(inside.sum()),
        [("count", "u1"), ("corners", "<i4", 3), ("label", "u1"), ("instance", "<u2"), ("colour", "u1", 3)],
    )
    faces["count"], faces["corners"] = 3, corners.reshape(-1, 3)
    faces["label"], faces["instance"] = mesh.labels[inside], mesh.instances[inside]
    faces["colour"] = palette()[mesh.labels[inside]]
    header = (
        "ply\nformat binary_little_endian 1.0\n"
        f"element vertex {len(used)}\nproperty float x\nproperty float y\nproperty float z\n"
        f"element face {len(faces)}\nproperty list uchar int vertex_indices\nproperty uchar label\n"
        "property ushort instance\nproperty uchar red\nproperty uchar green\nproperty uchar blue\nend_header\n"
    )
    path.write_bytes(header.encode() + mesh.vertices[used].astype("<f4").tobytes() + faces.tobytes())
