from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.classes import OCCUPIED_CLASSES
from pipeline.tours.tour import Tour


def test_a_house_holds_all_eleven_classes(tour: Tour):
    assert {piece.label for piece in tour.house.things} >= set(OCCUPIED_CLASSES)


def test_ply_reads_back_with_labels_and_the_floor_area(tour: Tour, tmp_path: Path):
    path = tmp_path / "house.ply"
    tour.house.write_ply(path)
    vertices, faces = _read_ply(path)
    assert set(np.unique(faces["label"])) == set(OCCUPIED_CLASSES)
    corners = vertices[faces["corners"][faces["label"] == 2]]
    flat = corners[(np.abs(corners[..., 2]) < 1e-6).all(axis=1)].astype(np.float64)
    area = 0.5 * np.linalg.norm(np.cross(flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]), axis=1).sum()
    rooms = sum(room.side_length(0) * room.side_length(1) for room in tour.house.rooms)
    rugs = sum(2.1 for piece in tour.house.things if piece.label == 2 and len(piece.parts) == 6)
    assert rooms <= area + 1e-3
    assert area < rooms + 0.1 * 4 * len(tour.house.rooms) + rugs  # sills below doorways and undersides of rugs


def test_open3d_reads_the_ply(tour: Tour, tmp_path: Path):
    o3d = pytest.importorskip("open3d")
    tour.house.write_ply(tmp_path / "house.ply")
    mesh = o3d.io.read_triangle_mesh(str(tmp_path / "house.ply"))
    assert len(mesh.triangles) == int((tour.house.mesh.labels != 255).sum())


def test_lamps_of_a_house_hang_above_the_tallest_camera(tour: Tour):
    for room in tour.house.rooms:
        x0, y0, x1, y1 = room.bounds
        middle = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
        overhead = [
            b for b in (p.bounds() for p in tour.house.things) if (np.abs(b.mean(axis=0)[:2] - middle) < 0.02).all()
        ]
        assert any(low[2] > 1.8 and high[2] > room.ceiling_height - 0.01 for low, high in overhead)


def _read_ply(path: Path) -> tuple[np.ndarray, np.ndarray]:
    header, body = path.read_bytes().split(b"end_header\n", 1)
    counts = [int(line.split()[-1]) for line in header.decode().splitlines() if line.startswith("element")]
    vertices = np.frombuffer(body, "<f4", 3 * counts[0]).reshape(-1, 3)
    face = [("count", "u1"), ("corners", "<i4", 3), ("label", "u1"), ("instance", "<u2"), ("colour", "u1", 3)]
    return vertices, np.frombuffer(body, face, counts[1], offset=vertices.nbytes)
