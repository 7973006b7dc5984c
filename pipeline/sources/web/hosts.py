"""Keeps the rate limit of every host, for all threads and processes that share a scratch folder or a bucket.

A request reserves its moment in the host's record before it is made, so that a killed process never leads to a
host being asked too often. Slots are file locks, which a killed process gives back by dying, and leases as well where
machines share a bucket. Times in a bucket are of the bucket's clock.
"""

import contextlib
import hashlib
import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path

from filelock import FileLock, Timeout
from fsspec.implementations.local import LocalFileSystem
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.contract.errors import HostResting
from pipeline.contract.waits import Patience, in_words, say_wait
from pipeline.sources.web.settings import WebSettings
from pipeline.store.files import Files
from pipeline.store.hold import lease
from pipeline.store.lease import Lease
from pipeline.store.objects import FolderObjects, Objects, changed, found

FOLDER = "hosts"
EVERYBODY = "all-hosts"
POLL_S = 0.05
POLL_BUCKET_S = 1.0
TURNS_AHEAD = 4
"""Requests that each of those who may ask at once can have reserved, generously."""

CLOCK_S = 1.0
"""What clocks of machines that share a folder may differ by, seconds."""


class HostState(BaseModel):
    """The moment last given away, the next free one and the end of its rest, seconds since 1970; refusals in a row.

    trouble: what was wrong with its pages, where that is why it rests.
    """

    model_config = ConfigDict(frozen=True)

    site: str = ""
    turn_at: float = 0.0
    free_at: float = 0.0
    resting_until: float = 0.0
    refusals: int = 0
    trouble: str = ""


class Hosts:
    """The rate limits of all hosts.

    Args:
        folder: where they are kept; shared by all processes that ought to be one guest to a host.
        settings: how often a host is asked and how long it rests.
        bucket: where the limits are kept instead that machines share.
    """

    def __init__(self, folder: Path, settings: WebSettings, bucket: Files | None = None) -> None:
        self.folder = folder
        self.settings = settings
        folder.mkdir(parents=True, exist_ok=True)
        self._bucket = bucket
        self._records: Objects = FolderObjects(LocalFileSystem(), str(folder.absolute()), lambda: folder)
        if bucket is not None:
            self._records = bucket.shared

    @classmethod
    def of(cls, files: Files, settings: WebSettings) -> "Hosts":
        """Return the rate limits that all processes share which work on a store."""
        return cls(files.make_scratch() / FOLDER, settings, None if files.is_local() else files)

    def wait_turn(self, site: str) -> None:
        """Wait until a host may be asked.

        Raises:
            HostResting: it has refused and is left alone for a while.
        """
        self._refuse_resting(self.state(site), site)
        wait = self._change(site, self._reserve).turn_at - time.time()
        say_wait(f"the turn at {site}", wait)
        time.sleep(max(0.0, wait))
        self._refuse_resting(self.state(site), site)

    def refused(self, site: str, retry_after_s: float | None, trouble: str = "") -> float:
        """Note that a host refused, or what is wrong with its pages; return until when it rests."""
        rested = self._change(site, lambda state: self._rested(state, retry_after_s, trouble))
        say_wait(f"{site}, which refused {rested.refusals} times in a row", rested.resting_until - time.time())
        return rested.resting_until

    def answered(self, site: str) -> None:
        """Note that a host gave a video: its next refusal is a first one again."""
        if self.state(site).refusals:
            self._change(site, lambda state: state.model_copy(update={"refusals": 0, "trouble": ""}))

    def state(self, site: str) -> HostState:
        """Return what is known of a host; what a wrong clock wrote is put right."""
        noted = self._noted(_parsed(found(self._records, self._name(site))[0], site))
        return noted if self._bounded(noted) == noted else self._change(site, lambda state: state)

    def states(self) -> list[HostState]:
        """Return what is known of all hosts that were ever asked."""
        folder = "" if self._bucket is None else FOLDER
        names = sorted(name for name in self._records.listed(folder) if name.endswith(".json"))
        noted = [_parsed(found(self._records, f"{folder}/{name}".lstrip("/"))[0]) for name in names]
        return [self.state(state.site) for state in noted if state.site]

    @contextlib.contextmanager
    def slot(self, site: str) -> Iterator[None]:
        """Hold one of the host's places and one of those of all hosts together; waits for both."""
        with ExitStack() as held:
            held.enter_context(self._place(site, self.settings.per_host))
            held.enter_context(self._place(EVERYBODY, self.settings.parallel))
            yield

    def _refuse_resting(self, state: HostState, site: str) -> None:
        if state.resting_until > time.time():
            left = in_words(state.resting_until - time.time())
            raise HostResting(f"{site} refused and is left alone for {left}", state.resting_until)

    @contextlib.contextmanager
    def _place(self, site: str, places: int) -> Iterator[None]:
        locks = [FileLock(self.folder / f"{_name(site)}.place{i}.lock") for i in range(places)]
        leases = self._leases(site, places)
        what = "all hosts" if site == EVERYBODY else site
        patience = Patience(f"one of {places} places at {what}, which other videos hold")
        while True:
            patience.look()
            for i, lock in enumerate(locks):
                try:
                    lock.acquire(timeout=0)
                except Timeout:
                    continue
                try:
                    if leases and not leases[i].attempt():
                        continue
                    with leases[i].kept() if leases else nullcontext():
                        yield
                finally:
                    lock.release()
                return
            time.sleep(POLL_BUCKET_S if leases else POLL_S)

    def _leases(self, site: str, places: int) -> list[Lease]:
        """Return leases of a host's places; none in a folder, and none where each machine has its own measure."""
        if self._bucket is None or site == EVERYBODY:
            return []
        return [lease(self._bucket, f"{_name(site)}.place{i}", f"a place at {site}") for i in range(places)]

    def _reserve(self, state: HostState) -> HostState:
        gap = self.settings.interval_s * (1 + self.settings.jitter * random.random())
        turn_at = max(time.time(), state.free_at)
        return state.model_copy(update={"turn_at": turn_at, "free_at": turn_at + gap})

    def _bounded(self, state: HostState) -> HostState:
        """Return a state whose times are no further away than any of ours could be, whatever the clock said then."""
        present, settings = time.time(), self.settings
        gaps = TURNS_AHEAD * (settings.parallel + settings.per_host)
        turn = present + settings.interval_s * (1 + settings.jitter) * gaps
        latest = {"turn_at": turn, "free_at": turn, "resting_until": present + settings.pause_max_s}
        beyond = {name: most for name, most in latest.items() if not getattr(state, name) <= most + CLOCK_S}
        return state.model_copy(update=beyond) if beyond else state

    def _rested(self, state: HostState, retry_after_s: float | None, trouble: str) -> HostState:
        present = time.time()
        # Several transfers that are refused together are one refusal.
        refusals = state.refusals + (present >= state.resting_until)
        pause = self.settings.pause_s * 2.0 ** min(refusals - 1, 30) * (1 + self.settings.jitter * random.random())
        pause = min(max(pause, retry_after_s or 0.0), self.settings.pause_max_s)
        until = max(present + pause, state.resting_until)
        return state.model_copy(update={"refusals": refusals, "resting_until": until, "trouble": trouble})

    def _change(self, site: str, change: Callable[[HostState], HostState]) -> HostState:
        def made(stored: bytes | None) -> bytes:
            state = change(self._bounded(self._noted(_parsed(stored, site))))
            return _moved(state, self._records.clock_ahead_s()).model_dump_json().encode()

        return self._noted(_parsed(changed(self._records, self._name(site), made), site))

    def _noted(self, stored: HostState) -> HostState:
        """Return what is noted in times of this machine."""
        return _moved(stored, -self._records.clock_ahead_s())

    def _name(self, site: str) -> str:
        return f"{_name(site)}.json" if self._bucket is None else f"{FOLDER}/{_name(site)}.json"


def _parsed(stored: bytes | None, site: str = "") -> HostState:
    try:
        return HostState(site=site) if stored is None else HostState.model_validate_json(stored)
    except ValidationError:
        return HostState(site=site)


def _moved(state: HostState, by_s: float) -> HostState:
    """Return a state with its times moved; those that are not set stay so."""
    if not by_s:
        return state
    times = ("turn_at", "free_at", "resting_until")
    return state.model_copy(update={name: getattr(state, name) + by_s for name in times if getattr(state, name)})


def _name(site: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", site.lower())[:40]
    return f"{plain}-{hashlib.sha256(site.encode()).hexdigest()[:8]}"
