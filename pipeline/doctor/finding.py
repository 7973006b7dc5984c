"""What an examination found: one line, with what to do."""

from dataclasses import dataclass
from enum import StrEnum


class Gravity(StrEnum):
    """How bad it is; only what is wrong keeps a batch from starting."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True)
class Diagnosis:
    """What was found of one thing. remedy: what to do, empty where there is nothing to do."""

    name: str
    state: Gravity
    found: str
    remedy: str = ""

    def line(self) -> str:
        """Return it as one line."""
        said = " ".join(f"{self.found}{': ' if self.remedy else ''}{self.remedy}".split())
        return f"{self.state:<6}{self.name:<20}{said}"


def ok(name: str, found: str) -> Diagnosis:
    """Return that all is well."""
    return Diagnosis(name, Gravity.OK, found)


def note(name: str, found: str, remedy: str = "") -> Diagnosis:
    """Return what is worth knowing and stops nothing."""
    return Diagnosis(name, Gravity.NOTE, found, remedy)


def wrong(name: str, found: str, remedy: str) -> Diagnosis:
    """Return what keeps videos from being built."""
    return Diagnosis(name, Gravity.WRONG, found, remedy)
