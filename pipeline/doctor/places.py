"""Places: the data folder and its disk, Dagster's home, the clock, the weights."""

import errno
import os
import shutil
import tempfile
import time
from pathlib import Path

from models.errors import ModelError
from models.weights.cache import verify
from models.weights.folder import cache_folder
from models.weights.registry import WeightFile
from pipeline.doctor.finding import Diagnosis, note, ok, wrong
from pipeline.stages.base import SettingsTree
from pipeline.stages.needed_weights import missing_weights, needed_weights
from pipeline.store.store import Store

DISK_MIN_BYTES, DISK_USUAL_BYTES = 1 << 30, 20 << 30
"""A video takes about a gigabyte while it is worked on; a dataset of tours, some."""

PROBE_BYTES = 1 << 16
CLOCK_SLACK_S = 600.0
RELEASED = 1_767_225_600
"""Seconds since 1970 on 1 January 2026: this program is younger."""


def data_folder(store: Store) -> Diagnosis:
    """Tell whether the data folder takes files, and how much room there is."""
    if not store.is_local():
        return note("data folder", f"{store.path()} is a bucket, which is not tried here")
    return _folder("data folder", Path(store.path()), "choose another with --data or YOUTUBE_OCC_DATA")


def dagster_home(*, required: bool = False) -> Diagnosis:
    """Tell whether Dagster can keep its records."""
    home = os.environ.get("DAGSTER_HOME", "")
    remedy = "make and 'source .venv/bin/activate' set it; else export DAGSTER_HOME=<an absolute, writable folder>"
    if not home:
        said = "DAGSTER_HOME is not set, so that Dagster forgets its runs"
        return wrong("DAGSTER_HOME", said, remedy) if required else note("DAGSTER_HOME", said, remedy)
    if not Path(home).is_absolute():
        return wrong("DAGSTER_HOME", f"{home} is no absolute path", remedy)
    return _folder("DAGSTER_HOME", Path(home), remedy)


def scratch_folder() -> Diagnosis:
    """Tell whether temporary files can be written."""
    remedy = "set TMPDIR to a folder with room"
    try:
        folder = Path(tempfile.gettempdir())
    except OSError as error:
        return wrong("temporary files", f"no folder takes any ({error.strerror})", remedy)
    return _folder("temporary files", folder, remedy, usual=DISK_MIN_BYTES)


def clock(store: Store) -> Diagnosis:
    """Tell whether the clock is behind what was written earlier, from which rests of hosts would suffer."""
    now = time.time()
    shown = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    known = [Path(store.path(*parts)) for parts in (("youtube-occ.json",), ("catalog",), ("dataset", "summary.json"))]
    latest = max((path.stat().st_mtime for path in known if store.is_local() and path.exists()), default=0.0)
    if now < max(latest - CLOCK_SLACK_S, RELEASED):
        written = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(max(latest, RELEASED)))
        return wrong(
            "clock", f"it shows {shown}, and something here is of {written}", "set it: timedatectl set-ntp true"
        )
    return ok("clock", shown)


def weights(settings: SettingsTree, until: str | None = None) -> list[Diagnosis]:
    """Tell which registered weights the stages up to one need, and whether they are here or can be put here."""
    folder, missing = cache_folder(), missing_weights(settings, until)
    found = [_cached(one, folder / one.file_name) for one in needed_weights(settings, until) if one not in missing]
    for one in missing:
        said = f"{one.name} is missing, {one.size_bytes / 1e9:.2f} GB; {one.licence}"
        found.append(
            note("weights", said, f"it is fetched at the start; earlier: youtube-occ weights fetch {one.name}")
        )
    if missing:
        needed = sum(one.size_bytes for one in missing)
        remedy = "set YOUTUBE_OCC_WEIGHTS to a folder with room"
        found.append(_folder("weights folder", folder, remedy, least=needed, usual=needed))
    return found or [ok("weights", "these settings need none of others")]


def _cached(weights: WeightFile, path: Path) -> Diagnosis:
    """Tell whether a file in the cache holds what it should; it is read once, until it changes."""
    try:
        size = path.stat().st_size
        verify(weights, path.parent)
    except (ModelError, OSError) as error:
        return wrong("weights", f"{weights.name}: {error}", f"delete {path}, it is then fetched anew")
    return ok("weights", f"{weights.name} is here, {size / 1e9:.2f} GB; {weights.licence}")


def _folder(
    name: str, folder: Path, remedy: str, least: int = DISK_MIN_BYTES, usual: int = DISK_USUAL_BYTES
) -> Diagnosis:
    """Write a small file where ``folder`` is or would be made, and look at the room."""
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    try:
        with tempfile.NamedTemporaryFile(dir=there, prefix=".youtube-occ-") as probe:
            probe.write(bytes(PROBE_BYTES))
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return wrong(name, f"{folder} is full ({error.strerror})", f"make room, or {remedy}")
        return wrong(name, f"{folder} cannot be written ({error.strerror})", remedy)
    free = shutil.disk_usage(there).free
    found = f"{folder}, {free / 1e9:.1f} GB free"
    if free < least:
        return wrong(name, found, f"at least {least / 1e9:.1f} GB are needed: make room, or {remedy}")
    return note(name, found, "more room is usual") if free < usual else ok(name, found)
