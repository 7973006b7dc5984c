"""Workers on the machines of a Ray cluster: an actor each, around the same code that a process of this machine runs.

What is right is decided in the store, not by Ray: an actor that Ray takes for dead may go on, and has then lost the
lease of its video like any process that stood still.
"""

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from assets.pools.base import Order, Outcome, WorkerDied, WorkerLost
from assets.pools.resident import Resident
from models.extras import extra
from pipeline.contract.errors import ClusterGone, SettingsError
from pipeline.settings import RaySettings

ROOM_S = 600.0
"""Seconds that a worker waits for room on the cluster while nobody else works for the same build."""
REACH_S = 10.0
LOOK_S, GONE_S = 2.0, 30.0
"""Seconds between two looks whether the head of the cluster is there, and without it until the build ends."""
COUNT_S = 10.0
"""Seconds between two looks at which machines the cluster has."""

GIB = 2**30


class RayResident:
    """The actor: makes one run after another, and ends with the raylet that started it.

    Ray says that an actor died when its raylet did; the process itself would go on.
    """

    def __init__(self, gpus: float) -> None:
        threading.Thread(target=_end_without, args=(os.getppid(),), daemon=True).start()
        self._gpus = gpus
        self._resident = Resident()

    def lacks(self) -> str:
        """Return what the machine lacks of what it was asked for, or nothing."""
        import torch

        if self._gpus and not torch.cuda.is_available():
            return f"{socket.gethostname()} has no graphics card that torch can use, of which dataset.ray.gpus asks"
        return ""

    def build(self, order: Order) -> Outcome:
        """Make one run."""
        return self._resident.build(order)


def _end_without(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


class Head:
    """The machine that a cluster is led from: whether it is still there, and how many workers it has machines for.

    Once it has been gone for a minute, in which calls of Ray do not return, Ray ends this process.

    Raises:
        SettingsError: no machine has what a worker is to have.
    """

    def __init__(self, address: str, asked: RaySettings, nodes: Callable[[], list[dict[str, Any]]]) -> None:
        self._address, self._gone, self._left = address, threading.Event(), threading.Event()
        self._asked, self._nodes = asked, nodes
        self._most = asked.workers or fitting(nodes(), asked)
        for watch in (self._watch, *(() if asked.workers else (self._count,))):
            threading.Thread(target=watch, daemon=True).start()

    def workers(self) -> int:
        """Return how many there are to be: what is asked for, or as many as there was ever room for at once."""
        return self._most

    def check(self) -> None:
        """Do nothing; raises ``ClusterGone`` where nobody has answered for ``GONE_S`` seconds."""
        if self.is_gone():
            raise ClusterGone(
                f"the Ray cluster at {self._address} has not answered for {GONE_S:.0f} s: finished stages stay; start "
                "the cluster and this job again, which goes on from there"
            )

    def is_gone(self) -> bool:
        """Tell whether nobody has answered for ``GONE_S`` seconds."""
        return self._gone.is_set()

    def leave(self) -> bool:
        """Watch no longer; return whether it is gone."""
        self._left.set()
        return self.is_gone()

    def _watch(self) -> None:
        answered = time.monotonic()
        while not self._left.wait(LOOK_S) and not self.is_gone():
            try:
                socket.create_connection(_place_of(self._address), timeout=REACH_S).close()
                answered = time.monotonic()
            except OSError:
                if time.monotonic() - answered > GONE_S:
                    self._gone.set()

    def _count(self) -> None:
        """See machines that join; of one that leaves, the workers are lost and wait for room elsewhere."""
        while not self._left.wait(COUNT_S) and not self.is_gone():
            with contextlib.suppress(Exception):  # a head that is going, or a connection that is being closed
                self._most = max(self._most, fitting(self._nodes(), self._asked))


class RayWorker:
    """An actor of a cluster that this process is connected to."""

    def __init__(self, asked: RaySettings) -> None:
        import ray

        self._ray = ray
        memory = int(asked.memory_gb * GIB) or None
        options = {"num_cpus": asked.cpus, "num_gpus": asked.gpus, "memory": memory, "max_restarts": 0}
        self._actor: Any = ray.remote(RayResident).options(**options).remote(asked.gpus)
        self._said: Any = self._actor.lacks.remote()
        self._until = time.monotonic() + ROOM_S

    def ready(self, timeout_s: float) -> bool:
        """Wait for room and for the definitions; raises ``WorkerDied``, ``SettingsError``."""
        lacking = self._heard(timeout_s)
        if lacking:
            self.kill()
            raise SettingsError(str(lacking))
        if lacking is None and time.monotonic() > self._until:
            self.kill()
            raise WorkerDied(f"no machine of the cluster had room for a worker in {ROOM_S:.0f} s")
        return lacking is not None

    def begin(self, order: Order) -> None:
        """Have a run made."""
        self._said = self._actor.build.remote(order)

    def answer(self, timeout_s: float) -> Outcome | None:
        """Return what the worker said; raises ``WorkerLost``."""
        said: Outcome | None = self._heard(timeout_s)
        return said

    def leave(self) -> None:
        """End it between two runs."""
        self.kill()

    def kill(self) -> None:
        """End it at once, if it can be reached."""
        with contextlib.suppress(self._ray.exceptions.RayError, ConnectionError):
            self._ray.kill(self._actor)

    def _heard(self, timeout_s: float) -> Any:
        try:
            done, _ = self._ray.wait([self._said], timeout=timeout_s)
            return self._ray.get(self._said) if done else None
        except self._ray.exceptions.RayActorError as error:
            self.kill()  # one that cannot be reached may live
            raise WorkerLost(f"its worker was lost: {_first_line(error)}") from error
        except self._ray.exceptions.RayError as error:
            self.kill()
            raise WorkerDied(f"its worker ended: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"[:300]


@contextlib.contextmanager
def connected(asked: RaySettings) -> Iterator[Head]:
    """Be connected to a cluster; yields its head.

    Raises:
        MissingExtra: Ray is not installed.
        SettingsError: the cluster cannot be reached, or no machine of it has what a worker is to have.
    """
    os.environ.setdefault("RAY_DEDUP_LOGS", "0")  # which takes lines of two videos for one
    with extra("cluster", "dataset.engine 'ray'"):
        import ray
    _reach(asked.address)
    handler = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(address=asked.address, logging_level="ERROR", ignore_reinit_error=True)
    except (ConnectionError, RuntimeError, ValueError) as error:
        message = f"dataset.ray.address {asked.address!r}: no Ray cluster can be reached ({_first_line(error)})"
        raise SettingsError(message) from error
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)  # Ray has put its own in place of Dagster's
    head: Head | None = None
    try:
        head = Head(ray.get_runtime_context().gcs_address, asked, ray.nodes)
        yield head
    finally:
        if head is None or not head.leave():
            ray.shutdown()


def _reach(address: str) -> None:
    """See that somebody listens at an address with a port; Ray would try for a minute, and end this process."""
    place = _place_of(address)
    if not place[0] or not place[1].isdigit():
        return
    try:
        socket.create_connection(place, timeout=REACH_S).close()
    except OSError as error:
        message = f"dataset.ray.address {address!r}: no Ray cluster can be reached ({error})"
        raise SettingsError(message) from error


def _place_of(address: str) -> tuple[str, str]:
    """Return host and port of an address, empty where it has none."""
    host, _, port = address.rpartition(":")
    return host.rpartition("/")[2], port


def fitting(nodes: list[dict[str, Any]], asked: RaySettings) -> int:
    """Return how many workers the machines have room for together."""
    wanted = {"CPU": asked.cpus, "GPU": asked.gpus, "memory": asked.memory_gb * GIB}
    alive = [node["Resources"] for node in nodes if node["Alive"]]
    rooms = [min(int(has.get(name, 0) / much) for name, much in wanted.items() if much) for has in alive]
    if not sum(rooms):
        said = f"{asked.cpus:g} CPUs, {asked.gpus:g} of a graphics card and {asked.memory_gb:g} GiB"
        message = f"none of {len(alive)} machines of the Ray cluster has what a worker asks: {said} (dataset.ray)"
        raise SettingsError(message)
    return sum(rooms)
