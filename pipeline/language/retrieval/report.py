"""What a retrieval benchmark gave: average precisions query by query, and their means by kind of query and by split."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.language.retrieval.benchmark import KINDS, RetrievalQuery

METHODS = ("voxels", "true_scale", "projected", "share")
"""Fields of ``QueryScore`` in the order of the table: three rankings, and chance."""


@dataclass(frozen=True)
class QueryScore:
    """Average precisions of one query, nan where no voxel that it means is visible.

    asked: the words that were compared with regions: the text, or a word for its class where the text is unknown.

    voxels: by the dataset's own scale; true_scale: given the true one; projected: by the frame's 2D features.

    share, share_visible: of the ranked voxels that it means, which is what a blind ranking gets.
    """

    query: RetrievalQuery
    asked: str
    voxels: float
    voxels_visible: float
    true_scale: float
    true_scale_visible: float
    projected: float
    projected_visible: float
    share: float
    share_visible: float


@dataclass(frozen=True)
class RetrievalReport:
    """Scores of the queries; missing: those whose frame the dataset lacks; refused: those the text side cannot take."""

    scores: tuple[QueryScore, ...]
    missing: int
    refused: int

    def groups(self) -> dict[str, tuple[QueryScore, ...]]:
        """Return the scores of all queries, of each kind and of each split that occurs, by what they are called."""
        groups = {"all": self.scores}
        for kind in KINDS:
            groups[f"by {kind}"] = tuple(score for score in self.scores if score.query.kind == kind)
        for split in sorted({score.query.split for score in self.scores}):
            groups[split] = tuple(score for score in self.scores if score.query.split == split)
        return {name: scores for name, scores in groups.items() if scores}

    def mean(self, name: str, group: str = "all") -> float:
        """Return the mean of a figure of ``QueryScore`` over the queries of a group, nan where there is none."""
        given = [value for score in self.groups()[group] if np.isfinite(value := getattr(score, name))]
        return float(np.mean(given)) if given else float("nan")

    def markdown(self) -> str:
        """Return the table, a row for every group: mAP over all voxels / over visible ones, by method."""
        lines = [
            "mAP over all occupied voxels / over visible ones.",
            "",
            "| queries | number | language voxels | given the true scale | 2D features projected | chance |",
            "|---|---|---|---|---|---|",
        ]
        for group, scores in self.groups().items():
            cells = (f"{self.mean(name, group):.3f} / {self.mean(f'{name}_visible', group):.3f}" for name in METHODS)
            lines.append(f"| {group} | {len(scores)} | {' | '.join(cells)} |")
        return "\n".join([*lines, *self._remarks()])

    def _remarks(self) -> Iterator[str]:
        replaced = Counter(s.query.kind for s in self.scores if s.asked != s.query.text)
        if replaced:
            kinds = ", ".join(f"{count} by {kind}" for kind, count in replaced.items())
            yield ""
            yield (
                f"{replaced.total()} queries ({kinds}) were asked by a word for their class alone, as in "
                f"{self._example()}: this network does not know their texts, and cannot tell things of a class apart."
            )
        if self.missing:
            yield from ("", f"{self.missing} queries left out: the dataset does not have their frames.")
        if self.refused:
            yield from ("", f"{self.refused} queries left out: the text side does not know their words.")

    def _example(self) -> str:
        score = next(score for score in reversed(self.scores) if score.asked != score.query.text)
        return f"'{score.asked}' for '{score.query.text}'"
