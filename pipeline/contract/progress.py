"""How long work says how far it is: one signature for stages, transfers, reports and trainings."""

from typing import Protocol


class Progress(Protocol):
    """Is told how far a task is."""

    def __call__(self, task: str, done: float, total: float, note: str = "") -> None:
        """Report ``done`` of ``total`` units of ``task``; ``note`` says in words what is being done."""
        ...


def silent(task: str, done: float, total: float, note: str = "") -> None:
    """Report to nobody."""
