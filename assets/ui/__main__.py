"""Starts pages, daemon and code server as ``dagster dev`` does, with pages that answer no other site: ``make ui``.

Dagster's pages ask nobody for a name. Whoever reaches them starts runs and reads files, and so does any page of the web
that a browser on this machine has open, unless requests are looked at.
"""

from collections.abc import Sequence
from typing import Any

import dagster._cli.dev as dagster_dev
from dagster_shared.ipc import open_ipc_subprocess

PAGES, GUARDED_PAGES = "dagster_webserver", "assets.ui.webserver"
DAEMON, LOG_LEVEL, CHATTY, QUIET = "dagster._daemon", "--log-level", "info", "warning"
"""At its usual level the daemon writes some thirty lines a minute to say that it has looked and found nothing."""

LOOPBACK = "127.0.0.1"


def start_guarded(parts: Sequence[str], **options: Any) -> Any:
    """Start one of Dagster's processes: instead of its web server the guarded one; a daemon that tells of trouble."""
    started = [GUARDED_PAGES if part == PAGES else part for part in parts]
    if DAEMON in started and LOG_LEVEL in started:
        level = started.index(LOG_LEVEL) + 1
        started[level] = QUIET if started[level] == CHATTY else started[level]
    return open_ipc_subprocess(started, **options)


def main() -> None:
    """Run until interrupted; arguments as of ``dagster dev``, on the loopback unless another host is named."""
    vars(dagster_dev)["open_ipc_subprocess"] = start_guarded
    dagster_dev.dev_command(default_map={"host": LOOPBACK})


if __name__ == "__main__":
    main()
