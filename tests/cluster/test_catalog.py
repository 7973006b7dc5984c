"""Several hosts that write the catalog of one bucket at once lose nothing."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from pipeline.sources.catalog.catalog import Catalog
from pipeline.store.store import Store
from tests.cluster.conftest import Bucket
from tests.paths import ROOT

CHANGES = 20


def test_two_hosts_that_register_at_once_lose_no_row_and_give_no_number_twice(bucket: Bucket, tmp_path: Path):
    with ExitStack() as running:
        hosts = []
        for name in ("a", "b"):
            command = [sys.executable, "-m", "tests.cluster.hosts", "register", bucket.url, name, str(CHANGES)]
            environment = bucket.environment(tmp_path / name)
            hosts.append(
                running.enter_context(
                    subprocess.Popen(
                        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
                    )
                )
            )
        for host in hosts:
            assert host.stdout is not None
            assert host.stdout.readline() == "ready\n"
        for host in hosts:
            assert host.stdin is not None
            print("go", file=host.stdin, flush=True)
        assert [host.wait() for host in hosts] == [0, 0]
    rows = Catalog(Store(bucket.url)).table(["video_id", "number"])
    assert set(rows["video_id"].to_pylist()) == {f"{name}-{i}" for name in "ab" for i in range(CHANGES)}
    assert rows["number"].to_pylist() == list(range(2 * CHANGES))
