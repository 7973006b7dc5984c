"""One figure of a quality report."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One row of the report. says: what it means, in words. at_least, at_most: the target, where there is one."""

    stage: str
    name: str
    value: float
    says: str = ""
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None

    @property
    def target(self) -> str:
        """The target as text."""
        if self.at_least is not None:
            return f">= {self.at_least:g}"
        return f"<= {self.at_most:g}" if self.at_most is not None else ""

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached; None where there is none."""
        if self.at_least is not None:
            return self.value >= self.at_least
        return self.value <= self.at_most if self.at_most is not None else None
