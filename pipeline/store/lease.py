"""A lease: which machine may change something, told by a record that its holder writes anew again and again.

Whoever finds none takes it by a write under a condition, so that one of many gets it. The holder renews it every third
of its time. Whoever wants it watches: once it has stayed the same for its time *on the watcher's own clock*, its holder
is gone or stands still, and the watcher takes it over. Clocks of machines are never compared.

The holder asks ``check`` before each of its writes. One that stood still finds that its time has passed, tries to renew
the lease, sees that another one has it, and writes nothing more. (C. Gray, D. Cheriton: Leases, SOSP 1989.)

Records lie in ``SHEETS`` objects, each with those of the leases that are held now: what is let go is struck off by the
same write under a condition, so that nothing is left of a million videos, and nothing is ever deleted.
"""

import contextlib
import hashlib
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from models.json_text import parsed_json
from pipeline.contract.errors import LeaseLost, NotReadableNow, PipelineError, VideoLocked, WrittenMeanwhile
from pipeline.contract.waits import Patience
from pipeline.store.objects import TRIES, Expected, Objects, ObjectVersion, found, give_way

LEASE_S = 60.0
"""Seconds for which a lease holds. Longer ones free the videos of a dead machine later, shorter ones ask more often."""

TRUSTED = 0.9
"""Share of its time for which a holder trusts its lease unasked: clocks of machines do not run equally fast."""

RENEWALS, LOOKS = 3, 10
"""How often in its time a lease is renewed by its holder and looked at by who waits for it."""

FOLDER = "leases"
SHEETS = 256
"""Objects that hold all leases. Holders of one sheet now and then begin a write anew, which fewer sheets make more."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class LeaseRecord:
    """What is stored of a lease.

    holder: a name that each holding gets anew, empty where nobody holds it. locks: names the file locks that the holder
    sees. who: the holder in words. count: of its renewals. lease_s: seconds for which it holds.
    """

    holder: str = ""
    locks: str = ""
    who: str = ""
    count: int = 0
    lease_s: float = LEASE_S

    @classmethod
    def parsed(cls, told: Any) -> "LeaseRecord":
        """Return a record of a sheet; a damaged one is a free one."""
        try:
            record = cls(str(told["holder"]), str(told["locks"]), str(told["who"]), int(told["count"]))
            return replace(record, lease_s=min(max(float(told["lease_s"]), 0.0), 3600.0))
        except (ValueError, KeyError, TypeError, OverflowError):
            return cls()


FREE = LeaseRecord()
LeaseSheet = dict[str, LeaseRecord]


class Lease:
    """The lease ``name`` among ``objects``.

    what: that it is for, in words. scratch: the folder of the file lock that the caller holds already. A lease of a
    process that used the same file lock is taken at once, as that lock shows that the process is no more.
    """

    def __init__(self, objects: Objects, name: str, what: str, scratch: Path, lease_s: float = LEASE_S) -> None:
        self._objects, self._name, self._what = objects, name, what
        self._place = place_of(name)
        self._record = LeaseRecord(locks=_locks_of(scratch), who=f"{socket.gethostname()}, process {os.getpid()}")
        self._record = replace(self._record, lease_s=lease_s)
        self._sheet: tuple[LeaseSheet, ObjectVersion | None] | None = None
        self._trusted_until = 0.0
        self._holder, self._is_alive = FREE, False
        self._seen: LeaseRecord | None = None
        self._since: float | None = None
        self._turn, self._ended = threading.Lock(), threading.Event()

    @contextlib.contextmanager
    def held(self, timeout_s: float = 0) -> Iterator["Lease"]:
        """Hold the lease to the end of the block.

        It takes as long as needed to tell whether a holder lives: a third of the lease's time if so, else all of it.

        Raises:
            VideoLocked: its holder lives, and still has it after ``timeout_s`` seconds.
        """
        until, patience = _now() + timeout_s, Patience(f"{self._what}, which another machine has or had")
        while not self.attempt():
            if self._is_alive and _now() >= until:
                raise VideoLocked(f"{self._what} is being worked on by {self._holder.who}; wait for it or stop it")
            patience.look()
            time.sleep(self._holder.lease_s / LOOKS)
        with self.kept():
            yield self

    def attempt(self) -> bool:
        """Take the lease if it is free or its holder gave no sign of life for its time; tell whether that worked."""
        record = self._look()
        if record != self._seen:
            self._is_alive = self._since is not None
            self._seen, self._since = record, _now()  # after the look: the holder's time began before it
        self._holder = record
        is_over = _now() - (self._since or _now()) >= record.lease_s
        is_left = not record.holder or record.locks == self._record.locks or is_over
        return is_left and self._take(record)

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Keep a lease that was taken, which a thread renews, to the end of the block, and leave it free."""
        self._ended.clear()
        renewing = threading.Thread(target=self._keep, name=f"lease {self._name}", daemon=True)
        renewing.start()
        try:
            yield
        finally:
            self._ended.set()
            renewing.join()
            self._release()

    def check(self) -> None:
        """Make sure that the lease is still held; to be called before each write.

        Raises:
            LeaseLost: another machine has it now.
            NotReadableNow: its time has passed, and whether another machine has it cannot be told at the moment.
        """
        if _now() >= self._trusted_until:
            self._renew()

    def is_held(self) -> bool:
        """Tell whether some machine has the lease, or had it when it died."""
        record = self._look()
        return bool(record.holder) and record.locks != self._record.locks

    def _look(self) -> LeaseRecord:
        return self._read()[0].get(self._name, FREE)

    def _read(self) -> tuple[LeaseSheet, ObjectVersion | None]:
        content, version = found(self._objects, self._place)
        self._sheet = _parsed(content), version
        return self._sheet

    def _take(self, seen: LeaseRecord) -> bool:
        mine = replace(self._record, holder=secrets.token_hex(8), count=seen.count + 1)
        with self._turn:
            began = _now()
            if not self._write(mine, lambda there: there in (seen, mine)):
                return False
            self._record, self._trusted_until = mine, began + TRUSTED * mine.lease_s
            return True

    def _write(self, record: LeaseRecord | None, may: Callable[[LeaseRecord], bool]) -> bool:
        """Put a record into the sheet, or strike it off, if what is there now ``may`` be replaced; tell whether it was.

        Raises:
            WrittenMeanwhile: others changed the sheet ``TRIES`` times in a row.
        """
        for tried in range(TRIES):
            sheet, version = self._sheet or self._read()
            if not may(sheet.get(self._name, FREE)):
                return False
            after = {name: held for name, held in sheet.items() if name != self._name}
            after |= {} if record is None else {self._name: record}
            try:
                self._sheet = after, self._objects.put(self._place, _stored(after), Expected(version))
            except WrittenMeanwhile:
                self._sheet = None
                if tried == TRIES - 1:
                    raise
                give_way(tried)
                continue
            return True
        raise AssertionError

    def _keep(self) -> None:
        """Renew the lease until it is let go or lost; where the storage does not answer, again a little later."""
        rest = self._record.lease_s / RENEWALS
        while not self._ended.wait(rest):
            rest = self._record.lease_s / RENEWALS
            try:
                self._renew()
            except LeaseLost:
                return
            except (PipelineError, OSError):
                rest = self._record.lease_s / LOOKS

    def _renew(self) -> None:
        with self._turn:
            began = _now()
            if not self._record.holder:
                raise LeaseLost(f"{self._what}: its lease was let go")
            record = replace(self._record, count=self._record.count + 1)
            if not self._write(record, lambda there: there.holder == record.holder):
                self._trusted_until = 0.0
                raise LeaseLost(
                    f"{self._what}: this machine stood still or was cut off, and another one has it now; nothing "
                    "more was written here"
                )
            self._record, self._trusted_until = record, began + TRUSTED * record.lease_s

    def _release(self) -> None:
        """Leave the lease free; where that does not work, it is taken over when its time has passed."""
        with self._turn, contextlib.suppress(WrittenMeanwhile, NotReadableNow, OSError):
            mine = self._record.holder
            self._record, self._trusted_until = replace(self._record, holder=""), 0.0
            self._write(None, lambda there: there.holder == mine)


def place_of(name: str) -> str:
    """Return the name of the object that holds a lease."""
    return f"{FOLDER}/{int(hashlib.sha256(name.encode()).hexdigest(), 16) % SHEETS:02x}.json"


def _parsed(content: bytes | None) -> LeaseSheet:
    """Return the records of a sheet that are held; a damaged sheet holds none."""
    try:
        told = {} if content is None else parsed_json(content)
    except ValueError:
        return {}
    records = {str(name): LeaseRecord.parsed(record) for name, record in told.items()} if isinstance(told, dict) else {}
    return {name: record for name, record in records.items() if record.holder}


def _stored(sheet: LeaseSheet) -> bytes:
    return json.dumps({name: asdict(record) for name, record in sheet.items()}).encode()


def _locks_of(scratch: Path) -> str:
    """Return a name of the file locks in a folder: that of the running system, and of the folder in it."""
    boot = _BOOT_ID.read_text(encoding="ascii").strip() if _BOOT_ID.exists() else socket.gethostname()
    folder = scratch.stat()
    return f"{boot} {folder.st_dev} {folder.st_ino}"


def _now() -> float:
    """Return seconds of a clock that nobody sets, and that goes on while the machine sleeps."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()
