"""The guard before frozen tours: nobody builds one without a purpose, and every look is logged before it begins.

``Tour.from_seed`` asks here, so that no command, training, benchmark or study gets at a frozen tour in another way.
In a checkout the log is ``docs/results/frozen_seeds.jsonl`` and is committed with the figures; elsewhere it lies in the
data folder. Each line is one look: date, commit, whether the checkout had changes, command, what was scored, seeds,
purpose.
"""

import contextlib
import errno
import fcntl
import json
import os
import subprocess
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.contract.errors import FrozenSeeds, UnloggedLook
from pipeline.contract.tour_origin import TOUR_SCHEME, tour_of_video_id
from pipeline.store.atomic import flush
from pipeline.store.groups import SOURCE_NOTES
from pipeline.store.store import Store
from pipeline.tours.seeds import DEFAULT_SEEDS, is_frozen, seed_text

CHECKOUT = Path(__file__).parents[2]
LOG = "frozen_seeds.jsonl"
LOG_FOLDER = Path("docs") / "results"

_open: ContextVar[frozenset[int]] = ContextVar("frozen seeds that may be looked at", default=frozenset())


@dataclass(frozen=True)
class Look:
    """Who looks at frozen tours and why. scored: the profiles or weights; purpose: what the figures are for."""

    command: str
    scored: str
    purpose: str | None


def refuse_frozen(seeds: Iterable[int]) -> None:
    """Let tours pass that are not frozen, or that are being looked at.

    Raises:
        FrozenSeeds: some are neither.
    """
    shut = [seed for seed in seeds if is_frozen(seed) and seed not in _open.get()]
    if shut:
        message = (
            f"tours {seed_text(shut)} are frozen: they are for figures that are reported, nothing is trained, tuned or "
            "chosen by them. To report, say what for: youtube-occ score --reporting 'figures of release 1.0'; the "
            f"look is logged. To try something, take tuning seeds, such as --seeds {DEFAULT_SEEDS}"
        )
        raise FrozenSeeds(message)


@contextlib.contextmanager
def looking(seeds: Iterable[int], look: Look, data: str) -> Iterator[Path | None]:
    """Open the frozen ones among some tours, after the look is logged; gives the log, or None where none is frozen.

    data: folder that the log lies in where the code does not run from a checkout.

    Raises:
        FrozenSeeds: some are frozen, and no purpose is given.
        UnloggedLook: the log cannot be written.
    """
    frozen = frozenset(seed for seed in seeds if is_frozen(seed))
    log = None
    if not (look.purpose or "").strip():
        refuse_frozen(frozen)
    elif frozen:
        log = log_of(data)
        append_line(log, json.dumps(_entry(frozen, look)))
    opened = _open.set(_open.get() | frozen)
    try:
        yield log
    finally:
        _open.reset(opened)


def frozen_among(store: Store, video_ids: Iterable[str]) -> list[int]:
    """Return the seeds of the frozen tours among stored videos; only what is called like one is opened."""
    named = {name: tour_of_video_id(name) for name in video_ids}
    frozen = [name for name, tour in named.items() if tour is not None and is_frozen(tour.seed)]
    return [tour.seed for name in frozen if (tour := named[name]) is not None and _is_tour(store, name)]


def log_of(data: str) -> Path:
    """Return where looks are logged: in the checkout that this code runs from, else in a data folder.

    Raises:
        UnloggedLook: there is no checkout, and the data folder is a bucket, where a line cannot be appended.
    """
    if _is_checkout(CHECKOUT):
        return CHECKOUT / LOG_FOLDER / LOG
    store = Store(data)
    if not store.is_local():
        message = f"looks at frozen tours cannot be logged in {data}: take a local data folder, or run from a checkout"
        raise UnloggedLook(message)
    return Path(store.path(LOG))


def append_line(log: Path, line: str) -> None:
    """Append a line in one write, so that processes do not cut each other's lines and a kill leaves all or nothing.

    A part of a line that a full disk left stays a line of its own, which the lock tells from one being written.

    Raises:
        UnloggedLook: the whole line could not be written.
    """
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        opened = os.open(log, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX)  # let go of when it is closed, and by a kill
            size = os.fstat(opened).st_size
            cut_off = size > 0 and os.pread(opened, 1, size - 1) != b"\n"
            content = b"\n" * cut_off + line.encode() + b"\n"
            if os.write(opened, content) < len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(opened)
        finally:
            os.close(opened)
        flush(log.parent)
    except OSError as error:
        message = (
            f"nothing was looked at, because {log} could not be written ({error.strerror}): mend that and run again"
        )
        raise UnloggedLook(message) from error


def _entry(seeds: Iterable[int], look: Look) -> dict[str, object]:
    commit, dirty = _commit()
    said = {**asdict(look), "purpose": (look.purpose or "").strip()}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {"date": now, "commit": commit, "dirty": dirty, "seeds": seed_text(seeds), **said}


def _is_tour(store: Store, video_id: str) -> bool:
    """Tell a rendered tour from a file ``tour.mp4``, whose id may end in digits too."""
    video = store.video(video_id)
    origin = video.read_json(SOURCE_NOTES).get("origin") if video.exists(SOURCE_NOTES) else None
    return str(origin).startswith(TOUR_SCHEME)


def _is_checkout(folder: Path) -> bool:
    return (folder / ".git").exists() and (folder / "pyproject.toml").exists()


def _commit() -> tuple[str | None, bool | None]:
    """Return the commit of the checkout and whether files beside the log differ from it; None where git cannot tell."""
    if not _is_checkout(CHECKOUT):
        return None, None
    try:
        commit = _git("rev-parse", "HEAD").strip()
        return commit, bool(_git("status", "--porcelain", "--", ".", f":(exclude){LOG_FOLDER / LOG}").strip())
    except (OSError, subprocess.CalledProcessError):
        return None, None


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(CHECKOUT), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - words of our own
