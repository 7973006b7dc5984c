"""``python -m pipeline.quality.metres``: how wrong scales are, and whether their deviations say so.

Houses that were rendered before are taken from the folder.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from pipeline.quality.metres.judge import RULES, JudgedSizes, factors, joined_members, judge
from pipeline.quality.metres.report import deviations_table, factors_line, sizes_diagram, sizes_table
from pipeline.quality.metres.samples import EXACT, SizedClip, exact_clips, kept, stored_sizes
from pipeline.quality.rulers.suites import real_parts
from pipeline.quality.truth.film import TrueFilm
from pipeline.quality.truth.rendered import TourFilm
from pipeline.settings import Settings
from pipeline.stages.scene.settings import SceneSettings
from pipeline.store.groups import RECONSTRUCTION
from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from pipeline.tours.seeds import seed_list
from pipeline.tours.truth import tour_of


def main(
    folder: Annotated[Path, typer.Option(help="Where rendered houses and the diagram are kept.")] = Path(".metres"),
    seeds: Annotated[str, typer.Option(help="Tours to take with exact cameras and depth, as 930201-930210.")] = "",
    data: Annotated[
        list[str] | None, typer.Option(help="Data folders whose tours, and films of --truth, are reconstructed.")
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="Folder of real footage with its truth, as of `--suite real`.")
    ] = None,
) -> None:
    """Collect clips, judge them by both rules, print what came of it, and write the diagram."""
    exact = [clip for seed in seed_list(seeds) for clip in _exact(folder, seed)] if seeds else []
    together, apart = list[SizedClip](), list[SizedClip]()
    for film in _films(data or [], truth):
        joined, alone = stored_sizes(*film, SceneSettings())
        together, apart = together + joined, apart + alone
    judged = {rule: judge([*exact, *together], rule) for rule in RULES}
    folder.mkdir(parents=True, exist_ok=True)
    diagram = folder / "metres.svg"
    diagram.write_text(sizes_diagram(judged), encoding="utf-8")
    typer.echo(f"{sizes_table(judged)}\n\n{deviations_table(judged)}\n")
    for rule in RULES:
        _say_factors(rule, judged[rule], judge(apart, rule), together)
    typer.echo(f"\n{diagram}")


def _exact(folder: Path, seed: int) -> Iterator[SizedClip]:
    for kind, settings in EXACT.items():
        typer.echo(f"{kind}: {seed}", err=True)
        yield from kept(folder / f"{kind.split(',')[0]}-{seed}.jsonl", exact_clips(kind, seed, settings))


def _films(folders: list[str], truth: Path | None) -> Iterator[tuple[VideoStore, TrueFilm, str]]:
    """Yield stored videos whose truth is known, each with it and its kind."""
    real = {} if truth is None else {one.video_id: film for part in real_parts(truth) for one, film in part.films}
    for folder in folders:
        store = Store(folder)
        for video_id in store.video_ids():
            video = store.video(video_id)
            if not video.has_group(RECONSTRUCTION):
                continue
            tour = tour_of(video)
            if tour is not None:
                yield video, TourFilm(video_id, tour), "tours" if tour.filming is None else "hard tours"
            elif video_id in real and (film := real[video_id](Settings())).in_metres:
                yield video, film, "real"


def _say_factors(rule: str, together: JudgedSizes, apart: JudgedSizes, clips: list[SizedClip]) -> None:
    members = joined_members(clips)
    typer.echo(factors_line(f"{rule}, joined", factors(together, members)))
    typer.echo(factors_line(f"{rule}, apart", factors(apart, members)))


if __name__ == "__main__":
    typer.run(main)
