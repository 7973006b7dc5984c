"""An independent reader of a dataset that shares no code with ``pipeline/store``: what it finds wrong is wrong.

It reads JSON, Parquet and Zarr with their libraries alone. Whose a grid is it tells by filling it again.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import zarr
from numpy.typing import NDArray

from pipeline.contract.records import MetricScene, Semantics
from pipeline.contract.scale import ScaleSource
from pipeline.geometry.filling import VoxelSettings
from pipeline.geometry.voxels import voxelize
from tests.torture.identity import Identity, identify
from tests.torture.traced import DIGITS, FX, STEP, label_digits

CHAIN = ("frames", "reconstruction", "scene", "semantics", "occupancy")
Arrays = dict[tuple[str, str], NDArray[Any]]

BESIDE = ("created", "seconds", "cost")
"""What the notes on a result say that is not the same in the next run."""


@dataclass
class Film:
    """What the campaign knows of a film: its number, and the edition of a file by its SHA-256."""

    number: int
    editions: dict[str, int]


@dataclass
class Found:
    """What is in a dataset.

    wrong: sentences. whole: of every video whose results all belong together, what decides them. rows: ids in the
    catalog. indexed: frames by video. stale: indexed frames of videos that were made anew since. frames: those of
    whole videos, each of which was looked at.
    """

    wrong: list[str] = field(default_factory=list)
    whole: dict[str, str] = field(default_factory=dict)
    rows: list[str] = field(default_factory=list)
    indexed: dict[str, int] = field(default_factory=dict)
    stale: int = 0
    frames: int = 0


def check(data: Path, films: dict[str, Film]) -> Found:
    """Look at everything in a data folder; ``films`` by video id."""
    found = Found()
    made: dict[str, dict[str, str]] = {}
    for folder in sorted((data / "videos").glob("*")):
        if folder.name in films:
            made[folder.name] = _video(folder, films[folder.name], found)
    found.rows = _catalog(data, found)
    _index(data, made, found)
    return found


def digests(folder: Path) -> dict[str, str]:
    """Return a digest of every file of a video, without what differs from run to run."""
    found = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if name.startswith("damaged/"):
            continue
        if path.suffix == ".json":
            found[name] = _digest(json.dumps(_lasting(json.loads(path.read_text())), sort_keys=True).encode())
        elif path.suffix == ".parquet":
            table = pq.read_table(path)
            notes = {key: _lasting(_json(value)) for key, value in (table.schema.metadata or {}).items()}
            found[name] = _digest(repr((table.to_pydict(), sorted(notes.items()))).encode())
        else:
            found[name] = _digest(path.read_bytes())
    return found


def _lasting(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _lasting(value) for key, value in content.items() if key not in BESIDE}
    return content


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode(errors="replace")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _video(folder: Path, film: Film, found: Found) -> dict[str, str]:
    """Check a video; return the fingerprints of its groups."""
    notes: dict[str, dict[str, Any]] = {}
    for group in CHAIN:
        metadata = folder / "scene.zarr" / group / "zarr.json"
        if not metadata.exists():
            continue
        try:
            notes[group] = json.loads(metadata.read_text())["attributes"]
        except (ValueError, KeyError) as error:
            found.wrong.append(f"{folder.name}: the metadata of {group} is damaged: {error}")
            continue
        found.wrong += list(_altered(folder, group, notes[group]))
    source, clips = _source(folder, found), _clips(folder, found)
    if _is_chain(folder, [source, clips, *(notes.get(group) for group in CHAIN)]):
        try:
            edition = film.editions[json.loads((folder / "source.json").read_text())["sha256"]]
            read = {(group, name): _array(folder, group, name) for group, name in _ARRAYS}
            found.frames += len(read["frames", "rgb"])
            found.wrong += list(_strangers(folder.name, read, notes, Identity(film.number, edition, 0)))
            found.whole[folder.name] = f"{notes['occupancy']['fingerprint']} of edition {edition}"
        except Exception as error:  # noqa: BLE001 - whatever it is, a whole video has to read
            found.wrong.append(
                f"{folder.name}: is whole by its notes, and does not read: {type(error).__name__}: {error}"
            )
    return {
        group: "@".join([str(noted["fingerprint"]), *str(noted["upstream"]).split("@")[1:]])
        for group, noted in notes.items()
    }


def _is_chain(folder: Path, links: list[dict[str, Any] | None]) -> bool:
    """Tell whether every result says that it was made from the one before, and of the source that lies there."""
    if links[0] is None or None in links:
        return False
    content = json.loads((folder / "source.json").read_text())["sha256"][:16]
    before, of_this = folder.name, ""
    for link in links:
        if link is None or link["upstream"] != f"{before}{of_this}":
            return False
        before, of_this = link["fingerprint"], f"@{content}"
    return True


def _source(folder: Path, found: Found) -> dict[str, Any] | None:
    path = folder / "source.json"
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_text())
        if (folder / "source.mp4").exists() and _digest((folder / "source.mp4").read_bytes()) != content["sha256"]:
            found.wrong.append(f"{folder.name}: source.mp4 is not what source.json says")
        return dict(content["provenance"])
    except (ValueError, KeyError) as error:
        found.wrong.append(f"{folder.name}: source.json is damaged: {error}")
        return None


def _clips(folder: Path, found: Found) -> dict[str, Any] | None:
    path = folder / "clips.parquet"
    if not path.exists():
        return None
    try:
        return dict(json.loads((pq.read_table(path).schema.metadata or {})[b"provenance"]))
    except (ValueError, KeyError, OSError) as error:
        found.wrong.append(f"{folder.name}: clips.parquet is damaged: {error}")
        return None


def _altered(folder: Path, group: str, noted: dict[str, Any]) -> Iterator[str]:
    place = folder / "scene.zarr" / group
    for name, (size, sha256) in noted["files"].items():
        path = place / name
        if not path.exists() or path.stat().st_size != size or _digest(path.read_bytes()) != sha256:
            yield f"{folder.name}: {group}/{name} is not what its group lists"


def _strangers(video_id: str, read: Arrays, notes: dict[str, dict[str, Any]], film: Identity) -> Iterator[str]:
    """Say which frames of a whole video do not belong together."""
    labels, numbers = read["semantics", "labels"], read["frames", "frame_index"]
    again = _grids(read, notes["occupancy"]["settings"])
    of_labels = int(notes["semantics"]["settings"]["traced"]["edition"])
    of_depth = int(notes["reconstruction"]["settings"]["traced"]["edition"])
    for row, picture in enumerate(read["frames", "rgb"]):
        wanted = film._replace(frame=int(numbers[row]))
        at = f"{video_id} row {row}"
        if identify(picture) != wanted:
            yield f"{at}: the picture is {identify(picture)}, not {wanted}"
        for group in ("reconstruction", "scene"):
            code = round((float(read[group, "intrinsics"][row, 0, 0]) - FX) / STEP)
            if code != wanted.code:
                yield f"{at}: the camera of {group} is of {Identity.of(code)}, not {wanted}"
        if not np.array_equal(labels[row, 0, :DIGITS], label_digits(wanted.code, of_labels)):
            yield f"{at}: the labels are another frame's or another edition's"
        confidence = float(read["reconstruction", "confidence"][row].max())
        if abs(confidence - (0.5 + of_depth / 16)) > 0.01:
            yield f"{at}: the depth is another edition's ({confidence:.3f})"
        if not read["scene", "depth"][row].any():
            yield f"{at}: no depth"
        if not np.array_equal(again[row], read["occupancy", "labels"][row]):
            yield f"{at}: the grid is not that of its depth and labels"


_ARRAYS = (
    *(("frames", name) for name in ("rgb", "frame_index", "clip_id")),
    *(("reconstruction", name) for name in ("intrinsics", "confidence")),
    *(("scene", name) for name in ("intrinsics", "camera_to_world", "depth", "registered")),
    *(("semantics", name) for name in ("labels", "regions", "moving")),
    ("occupancy", "labels"),
)


def _array(folder: Path, group: str, name: str) -> NDArray[Any]:
    return np.asarray(zarr.open_array(folder / "scene.zarr" / group / name, mode="r")[:])


def _grids(read: Arrays, settings: dict[str, Any]) -> NDArray[np.uint8]:
    """Fill the grids of all frames of a video of one clip again."""
    depth = np.where(read["semantics", "moving"], 0, read["scene", "depth"]).astype(np.float32)
    scene = MetricScene(
        read["scene", "intrinsics"], read["scene", "camera_to_world"], depth, (depth > 0).astype(np.float32),
        read["scene", "registered"], float("nan"), 1.0, ScaleSource.NONE, np.eye(4),
    )  # fmt: skip
    labels = Semantics(read["semantics", "labels"], read["semantics", "regions"])
    return voxelize(scene, labels, VoxelSettings.model_validate(settings)).labels


def _catalog(data: Path, found: Found) -> list[str]:
    listing = data / "catalog" / "parts.json"
    if not listing.exists():
        return []
    try:
        parts = [part["name"] for part in json.loads(listing.read_text())["parts"]]
        tables = [pq.read_table(data / "catalog" / name) for name in parts]
    except (ValueError, KeyError, OSError) as error:
        found.wrong.append(f"the catalog is damaged: {type(error).__name__}: {error}")
        return []
    return sorted({video_id for table in tables for video_id in table["video_id"].to_pylist()})


def _index(data: Path, made: dict[str, dict[str, str]], found: Found) -> None:
    path = data / "dataset" / "index.parquet"
    if not path.exists():
        return
    try:
        rows = pq.read_table(path).to_pylist()
        json.loads((data / "dataset" / "summary.json").read_text()) if (
            data / "dataset" / "summary.json"
        ).exists() else None
    except (ValueError, OSError) as error:
        found.wrong.append(f"the index or its summary is damaged: {type(error).__name__}: {error}")
        return
    for row in rows:
        video_id = row["video_id"]
        found.indexed[video_id] = found.indexed.get(video_id, 0) + 1
        found.stale += video_id not in found.whole or json.loads(row["made"]) != made.get(video_id)
