"""Rows of a listing that name no video: they are passed over, counted, and the first of them named with the reason."""

from dataclasses import dataclass, field

from pipeline.sources.web.explain import one_line

NAMED_ROWS = 20
"""Rows that are named; a list of millions may hold as many that are no videos."""


@dataclass
class SkippedRows:
    """What was passed over in one listing.

    count: rows that were skipped. named: the first of them, each with where it stands and why. other_files: how many
    files of a folder are no videos, by the ending of their names.
    """

    count: int = 0
    named: list[str] = field(default_factory=list)
    other_files: dict[str, int] = field(default_factory=dict)

    def add(self, where: str, why: str) -> None:
        """Note a row."""
        self.count += 1
        if len(self.named) < NAMED_ROWS:
            self.named.append(f"{one_line(where)}: {one_line(why)}")

    def described(self) -> list[str]:
        """Return what was passed over, a sentence each."""
        more = [f"and {self.count - len(self.named)} more"] if self.count > len(self.named) else []
        kinds = ", ".join(f"{count} {one_line(ending)}" for ending, count in sorted(self.other_files.items()))
        files = sum(self.other_files.values())
        others = [f"{files} files of other kinds ({kinds})"] if files else []
        rows = [f"{self.count} {'row' if self.count == 1 else 'rows'} skipped"] if self.count else []
        return [*rows, *self.named, *more, *others]
