"""A process of this machine that builds one video after another for the process that started it.

Its standard input is a channel of which the other end is with whoever started it: orders come in, answers go out, both
as dictionaries, and it closes when that one dies. Standard output stays free for what libraries print.
"""

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import asdict
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any, NoReturn, Protocol

from assets.pools.base import Order, Outcome
from assets.pools.resident import Resident


class Builder(Protocol):
    """Does what an order says."""

    def build(self, order: Order) -> Outcome:
        """Make one run."""
        ...


def serve(made: Callable[[], Builder]) -> None:
    """Serve until told to leave, or until nobody is there to serve."""
    channel = Connection(os.dup(0))
    _close_standard_input()
    orders: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
    threading.Thread(target=_listen, args=(channel, orders), daemon=True).start()
    builder = made()
    channel.send({})
    while (order := orders.get()) is not None:
        channel.send(asdict(builder.build(Order(**order))))


def _close_standard_input() -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


def _listen(channel: "Connection[Any, Any]", orders: "SimpleQueue[dict[str, Any] | None]") -> None:
    try:
        while True:
            orders.put(channel.recv())
    except (EOFError, OSError):
        _end_with_children()


def _end_with_children() -> NoReturn:
    """End at once, in the middle of a video: nobody closes its run, and the lease of the video goes to another."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


if __name__ == "__main__":
    serve(Resident)
