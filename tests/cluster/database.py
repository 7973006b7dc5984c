"""A PostgreSQL of the tests' own, on loopback, run by a user who may do nothing else."""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.assets.workplace import free_port

USER = "dagster"
UNPRIVILEGED = ("postgres", "nobody")
"""Who runs the server where the tests run as root, whom it refuses."""

PLACES = os.pathsep.join([os.environ["PATH"], *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin")))])
"""Where its programs are looked for; Debian keeps them out of the path."""


def is_installed() -> bool:
    return all(shutil.which(program, path=PLACES) for program in ("initdb", "postgres"))


@dataclass(frozen=True)
class DatabaseServer:
    """A running server: its port on loopback and the password of its only user."""

    port: int
    password: str

    def connection(self, database: str = "postgres") -> Any:
        import psycopg2

        return psycopg2.connect(
            host="127.0.0.1", port=self.port, user=USER, password=self.password, dbname=database, connect_timeout=5
        )

    def asked(self, question: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        with closing(self.connection(database)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(question)
                found: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
                return found

    def empty_database(self) -> dict[str, str]:
        """Make a database; return the environment by which ``deploy/dagster.yaml`` finds it."""
        name = f"dagster_{uuid4().hex}"
        self.asked(f"CREATE DATABASE {name}")
        return {
            "DAGSTER_PG_HOST": "127.0.0.1",
            "DAGSTER_PG_PORT": str(self.port),
            "DAGSTER_PG_USERNAME": USER,
            "DAGSTER_PG_PASSWORD": self.password,
            "DAGSTER_PG_DB": name,
        }


@contextmanager
def running_server() -> Iterator[DatabaseServer]:
    """Run an empty server for the block, in a folder that its user may enter and nobody else reads."""
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    runs_as = _given_away(folder)
    server = DatabaseServer(free_port(), f"{secrets.token_hex(8)} @:/%")
    settings = ["-h", "127.0.0.1", "-p", str(server.port), "-k", str(folder), "-F"]
    try:
        _initialize(folder, server.password, runs_as)
        with (folder / "log").open("w", encoding="utf-8") as log:
            command = [_program("postgres"), "-D", str(folder / "data"), *settings]
            with subprocess.Popen(command, cwd=folder, stderr=log, **runs_as) as serving:
                try:
                    _wait_until_it_answers(server, serving, folder / "log")
                    yield server
                finally:
                    serving.terminate()
    finally:
        shutil.rmtree(folder)


def _program(name: str) -> str:
    found = shutil.which(name, path=PLACES)
    assert found is not None
    return found


def _given_away(folder: Path) -> dict[str, Any]:
    """Give a folder to a user who may run the server; return how a process is started as that user."""
    if os.getuid() != 0:
        return {}
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = next(known[name] for name in UNPRIVILEGED if name in known)
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _initialize(folder: Path, password: str, runs_as: dict[str, Any]) -> None:
    (folder / "password").write_text(password, encoding="utf-8")  # in a folder that nobody else may enter
    command = [_program("initdb"), "-D", "data", "-U", USER, "-A", "scram-sha-256", "--pwfile", "password", "-N"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, **runs_as)


def _wait_until_it_answers(server: DatabaseServer, serving: "subprocess.Popen[bytes]", log: Path) -> None:
    from psycopg2 import OperationalError

    while True:
        try:
            return server.connection().close()
        except OperationalError:
            assert serving.poll() is None, log.read_text(encoding="utf-8")
            time.sleep(0.05)
