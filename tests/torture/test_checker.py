"""What the checker is for: it finds everything that may go wrong in a dataset, and nothing in one that is right."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.paths import ROOT
from tests.torture.checker import Film, Found, check, digests
from tests.torture.identity import write_film

BUILD = """
import random, sys
from pathlib import Path
from tests.torture.__main__ import install
folder = Path(sys.argv[1])
install(folder / "site")
from tests.torture.work import Choice, Place, exit_code
sys.exit(exit_code("build", Place(folder / "data", folder / "films"), Choice(), random.Random(0)))
"""

Damage = Callable[[Path, Path], object]
"""Of a data folder, given the folders of two of its videos."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Film]]:
    """A dataset of two films that had only peace, and what is known of the films."""
    folder = tmp_path_factory.mktemp("torture")
    (folder / "films").mkdir()
    films = {}
    for number in range(2):
        path = folder / "films" / f"film-{number}.mp4"
        write_film(path, number, 1)
        films[number] = Film(number, {hashlib.sha256(path.read_bytes()).hexdigest(): 1})
    environment = {**os.environ, "TORTURE_LEDGER": str(folder / "ledger")}
    subprocess.run([sys.executable, "-c", BUILD, str(folder)], cwd=ROOT, env=environment, check=True)
    ids = sorted(path.name for path in (folder / "data" / "videos").iterdir())
    return folder / "data", dict(zip(ids, films.values(), strict=True))


@pytest.fixture
def data(built: tuple[Path, dict[str, Film]], tmp_path: Path) -> Path:
    return Path(shutil.copytree(built[0], tmp_path / "data"))


def found_after(damage: Damage, data: Path, films: dict[str, Film]) -> Found:
    first, second = (data / "videos" / video_id for video_id in films)
    damage(first, second)
    return check(data, films)


def test_nothing_is_wrong_with_a_dataset_that_had_only_peace(built: tuple[Path, dict[str, Film]]):
    data, films = built
    found = check(data, films)
    assert found.wrong == []
    assert list(found.whole) == sorted(found.rows) == list(films)
    assert found.frames == sum(found.indexed.values()) > 20
    assert found.stale == 0


def adopt(group: str) -> Damage:
    """Put the group of the second video into the first, with notes as if it had been made there."""

    def damage(first: Path, second: Path) -> None:
        mine, other = (video / "scene.zarr" / group for video in (first, second))
        noted = json.loads((mine / "zarr.json").read_text())["attributes"]
        shutil.rmtree(mine)
        shutil.copytree(other, mine)
        content = json.loads((mine / "zarr.json").read_text())
        content["attributes"] |= {name: noted[name] for name in ("fingerprint", "upstream")}
        (mine / "zarr.json").write_text(json.dumps(content))

    return damage


def shard(video: Path, array: str) -> Path:
    return next(path for path in (video / "scene.zarr" / array / "c").rglob("*") if path.is_file())


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (adopt("frames"), "the picture is"),
        (adopt("reconstruction"), "the camera of reconstruction"),
        (adopt("scene"), "the camera of scene"),
        (adopt("semantics"), "the labels are another frame's"),
        (adopt("occupancy"), "the grid is not that"),
        (lambda first, _: shard(first, "scene/depth").unlink(), "is not what its group lists"),
        (lambda first, _: flip(shard(first, "frames/rgb")), "is not what its group lists"),
        (
            lambda first, _: (first / "scene.zarr" / "scene" / "zarr.json").write_text(""),
            "metadata of scene is damaged",
        ),
        (lambda first, _: flip(first / "source.mp4"), "source.mp4 is not what"),
        (lambda first, _: os.truncate(first / "clips.parquet", 40), "clips.parquet is damaged"),
        (lambda first, _: os.truncate(first / "source.json", 40), "source.json is damaged"),
        (lambda first, _: os.truncate(first.parents[1] / "catalog" / "parts.json", 9), "catalog is damaged"),
        (lambda first, _: os.truncate(first.parents[1] / "dataset" / "index.parquet", 99), "index or its summary"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_is_found(built: tuple[Path, dict[str, Film]], data: Path, damage: Damage, said: str):
    assert any(said in sentence for sentence in found_after(damage, data, built[1]).wrong)


@pytest.mark.parametrize("group", ["frames", "scene", "occupancy"])
def test_a_group_of_another_making_makes_a_video_unfinished_and_its_rows_stale(
    built: tuple[Path, dict[str, Film]], data: Path, group: str
):
    def damage(first: Path, second: Path) -> None:
        del second
        path = first / "scene.zarr" / group / "zarr.json"
        content = json.loads(path.read_text())
        content["attributes"]["fingerprint"] = "0" * 16
        path.write_text(json.dumps(content))

    found = found_after(damage, data, built[1])
    first, second = built[1]
    assert (list(found.whole), found.stale) == (
        ([second] if group != "occupancy" else [first, second]),
        found.indexed[first],
    )


def test_a_row_that_is_lost_is_missed(built: tuple[Path, dict[str, Film]], data: Path):
    def damage(first: Path, second: Path) -> None:
        for path in (first.parents[1] / "catalog").glob("*.parquet"):
            table = pq.read_table(path)
            pq.write_table(table.filter(pa.compute.not_equal(table["video_id"], second.name)), path)

    assert found_after(damage, data, built[1]).rows == list(built[1])[:1]


def test_digests_tell_a_file_that_differs_and_pass_over_when_it_was_made(
    built: tuple[Path, dict[str, Film]], data: Path
):
    video = data / "videos" / next(iter(built[1]))
    before = digests(video)
    path = video / "scene.zarr" / "scene" / "zarr.json"
    content = json.loads(path.read_text())
    content["attributes"] |= {"created": "later", "seconds": 99.0}
    path.write_text(json.dumps(content))
    assert digests(video) == before
    flip(shard(video, "scene/depth"))
    assert {name for name, digest in digests(video).items() if digest != before[name]} == {
        shard(video, "scene/depth").relative_to(video).as_posix()
    }
