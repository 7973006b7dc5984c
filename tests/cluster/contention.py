"""How many changes a second the catalog of a bucket takes from many machines: ``python -m tests.cluster.contention``.

The bucket is moto's, behind a wire on which every request takes ``DELAY_S`` longer. Every machine changes a row of its
own, over and over; in a dataset that is built, minutes lie between two changes of one machine.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import CatalogRow
from pipeline.sources.video_source import VideoSource
from pipeline.store.store import Store
from tests.paths import ROOT

DELAY_S = 0.03
ROWS, CHANGES = 1000, 8
MACHINES = (1, 4, 16, 32)


async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter, delay_s: float) -> None:
    with contextlib.suppress(ConnectionError):
        while content := await source.read(2**16):
            await asyncio.sleep(delay_s)
            sink.write(content)
            await sink.drain()
    sink.close()


def slow_wire(port: int) -> int:
    """Return a port of this machine that leads to another one, slowly."""
    ports: SimpleQueue[int] = SimpleQueue()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, asked = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_carry(reader, asked, DELAY_S), _carry(answers, writer, 0))

    async def serve() -> None:
        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        ports.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    threading.Thread(target=lambda: asyncio.run(serve()), daemon=True).start()
    return ports.get()


def measured(folder: Path, machines: int) -> str:
    """Return what was seen of some machines that change the catalog at once."""
    url, times = f"s3://bucket/{machines}", []
    tours = [VideoSource(kind="tour", origin=f"tour://{n + 1}") for n in range(ROWS)]
    Catalog(Store(url, folder / "first")).register(CatalogRow(f"v{n}", tour) for n, tour in enumerate(tours))
    catalogs = [Catalog(Store(url, folder / f"{machines}-{n}")) for n in range(machines)]

    def change(number: int) -> None:
        for n in range(number * CHANGES, (number + 1) * CHANGES):
            began = time.perf_counter()
            catalogs[number].update([f"v{n}"], lambda row: replace(row, title="changed"))
            times.append(time.perf_counter() - began)

    asked, began = _asked(folder), time.perf_counter()
    with ThreadPoolExecutor(machines) as pool:
        list(pool.map(change, range(machines)))
    rate, requests = len(times) / (time.perf_counter() - began), (_asked(folder) - asked) / len(times)
    return f"{machines} machines: {rate:.1f} changes/s, {requests:.1f} requests each, at most {max(times):.1f} s"


def _asked(folder: Path) -> int:
    return len((folder / "requests").read_text().splitlines())


def main() -> None:
    """Print a line for every number of machines."""
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-m", "tests.cluster.s3_server", name]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            endpoint = server.stdout.readline().strip()
            urllib.request.urlopen(urllib.request.Request(f"{endpoint}/bucket", method="PUT")).close()  # noqa: S310
            slow = f"http://127.0.0.1:{slow_wire(int(endpoint.rpartition(':')[2]))}"
            os.environ |= {"AWS_ENDPOINT_URL": slow, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
            os.environ |= {"AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true", "HOME": name}
            for machines in MACHINES:
                sys.stdout.write(measured(Path(name), machines) + "\n")
                sys.stdout.flush()
            server.kill()


if __name__ == "__main__":
    main()
