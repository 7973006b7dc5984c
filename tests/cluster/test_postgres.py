"""``deploy/dagster.yaml`` on a real PostgreSQL: opened by several processes at once, and a dataset built twice."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from tests.assets.workplace import Workplace
from tests.cluster.database import DatabaseServer, is_installed, running_server
from tests.paths import ROOT
from tests.pipeline.room_video import write_room_video

pytestmark = pytest.mark.skipif(not is_installed(), reason="PostgreSQL's initdb and postgres are not installed")

DEPLOYED = ROOT / "deploy"

OPEN = """
import sys
import alembic.command, dagster, dagster_postgres, psycopg2, assets.postgres
print("ready", flush=True)
sys.stdin.readline()
with dagster.DagsterInstance.from_config(sys.argv[1]) as instance:
    print(instance.get_runs_count())
"""
"""Opens the database when told to, with all imports done before, so that several do it at the same moment."""


@pytest.fixture(scope="module")
def database() -> Iterator[DatabaseServer]:
    with running_server() as server:
        yield server


@pytest.fixture
def workplace(database: DatabaseServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    for name, value in database.empty_database().items():
        monkeypatch.setenv(name, value)
    return Workplace(tmp_path, str(tmp_path / "room.mp4"), home=DEPLOYED)


def test_processes_that_open_an_empty_database_at_once_all_succeed(database: DatabaseServer, workplace: Workplace):
    """Without a turn of each, one of four failed in two of five tries: a type that another one has just made."""
    command = [sys.executable, "-W", "ignore", "-c", OPEN, str(workplace.folder / "home")]
    piped = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    opening = [subprocess.Popen(command, cwd=ROOT, env=workplace.environment, text=True, **piped) for _ in range(4)]
    for each in opening:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in opening:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()
    ended = [(*each.communicate(), each.returncode) for each in opening]
    assert ended == [("0\n", "", 0)] * 4
    assert len(database.asked("SELECT * FROM alembic_version", workplace.environment["DAGSTER_PG_DB"])) == 1


def test_a_dataset_is_built_once_and_its_runs_are_in_the_database(database: DatabaseServer, workplace: Workplace):
    write_room_video(workplace.folder / "room.mp4")
    first, again = (workplace.execute("build_dataset") for _ in range(2))
    assert first.code == 0, first.text
    assert "1 videos to build" in first.text
    assert again.code == 0, again.text
    assert "no video to build" in again.text
    found = database.asked("SELECT pipeline_name, status FROM runs", workplace.environment["DAGSTER_PG_DB"])
    assert sorted(found) == [("build_dataset", "SUCCESS")] * 2 + [("process_video", "SUCCESS")]
    assert not (workplace.folder / "home" / "history").exists(), "nothing is kept in SQLite"
    with workplace.instance as instance:
        assert len(instance.get_materialized_partitions(dg.AssetKey("occupancy"))) == 1
