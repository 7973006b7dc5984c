"""The command that shows clips in 3D, in any browser."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from pipeline.cli.ids import TakesIds
from pipeline.cli.options import (
    LOOK,
    DataOption,
    FileOption,
    ProfileOption,
    SetOption,
    completed_videos,
    flags,
    resolved_for_words,
    store_at,
)
from pipeline.cli.printers import bar
from pipeline.cli.state import known_videos
from pipeline.contract.errors import PipelineError, SettingsError
from pipeline.contract.progress import counted
from pipeline.settings import Settings
from pipeline.store.store import Store
from pipeline.store.video import VIDEOS, VideoStore

if TYPE_CHECKING:
    from pipeline.language.text import SanText

PICTURE_BYTES = 400_000


def add_to(app: typer.Typer) -> None:
    """Add the command to a command line."""
    app.command(rich_help_panel=LOOK, epilog="Example: youtube-occ view tour-7 --data /tmp/look", cls=TakesIds)(view)


def view(
    what: Annotated[
        str,
        typer.Argument(
            metavar="VIDEO|DIR",
            help="Id of a video; or a data folder, or a video's folder in it.",
            autocompletion=completed_videos,
        ),
    ],
    data: DataOption = None,
    out: Annotated[Path, typer.Option(help="Folder for the pages, one a clip.")] = Path("views"),
    clip: Annotated[int | None, typer.Option(help="Only this clip.")] = None,
    query: Annotated[str | None, typer.Option(help="Words; the page shows where they are said, as heat.")] = None,
    truth: Annotated[bool, typer.Option(help="Of rendered tours, show the truth beside what was built.")] = True,
    stages: Annotated[
        bool, typer.Option("--stages", help="Instead one page a video, with a picture of every stage.")
    ] = False,
    rerun: Annotated[
        bool, typer.Option("--rerun", help="Also a recording (.rrd) for Rerun; needs the extra 'rerun'.")
    ] = False,
    profile: ProfileOption = None,
    settings_file: FileOption = None,
    values: SetOption = None,
) -> None:
    """Write a page for every clip that turns in any browser: pictures, labels, camera path, points and voxels.

    A page is one file that loads nothing else. Where several videos are asked for, one that is half built or damaged is
    named and the others go on; the command then ends with 1.
    """
    store, ids = _asked(what, data)
    settings = resolved_for_words(flags(profile, settings_file, values), store).settings if query else None
    side, failed = _text_side(store, settings) if settings else None, 0
    with bar(passing=True) as progress:
        for video_id in counted(ids, progress, "view"):
            pages = _written(store.video(video_id), out, clip, (side, query or ""), truth, stages, rerun)
            failed += _said(pages, progress.console, may_fail=len(ids) > 1)
    if failed:
        raise typer.Exit(1)


def _said(pages: Iterator[Path], screen: Console, *, may_fail: bool) -> bool:
    """Print where pages are written; tell whether that failed, where other videos are to go on."""
    try:
        for path in pages:
            screen.print(str(path), soft_wrap=True)
    except PipelineError as error:
        if not may_fail:
            raise
        screen.print(f"{error.code}: {error}", soft_wrap=True)
        return True
    return False


def _asked(what: str, data: str | None) -> tuple[Store, list[str]]:
    """Return the store and the videos that are meant by an id or a folder; an id is never taken for a folder.

    Raises:
        SettingsError: there is no such video; the message names those that are like it.
    """
    folder = Path(what).absolute()
    if (folder / VIDEOS).is_dir():
        store = Store(str(folder))
        ids = store.video_ids()
        if not ids:
            raise SettingsError(f"{folder} holds no video yet: build one first")
        return store, ids
    if folder.parent.name == VIDEOS and folder.is_dir():
        return Store(str(folder.parents[1])), [folder.name]
    store = store_at(data)
    return store, known_videos(store, [what])


def _written(
    video: VideoStore,
    out: Path,
    clip: int | None,
    words: "tuple[SanText | None, str]",
    truth: bool,
    stages: bool,
    rerun: bool,
) -> Iterator[Path]:
    """Yield the pages of a video as they are written."""
    from pipeline.quality.views import clip_views, write_rerun, write_view
    from pipeline.stages.page import page_of

    if stages:
        page, path = page_of(video, PICTURE_BYTES), out / f"{video.video_id}.html"
        out.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8")
        yield path
        return
    side, query = words
    for shown in clip_views(video, clip, truth=truth):
        if side is not None:
            from pipeline.language.clip_words import words_of

            yield write_view(replace(shown, words=words_of(video, side, query, shown.rows.tolist())), out)
        else:
            yield write_view(shown, out)
        if rerun:
            yield write_rerun(shown, out)


def _text_side(store: Store, settings: Settings) -> "SanText":
    """Return the text side of the weights that the regions of a dataset were made with."""
    from pipeline.language.index import open_index
    from pipeline.language.text import SanText
    from pipeline.stages.semantics.backends import SAN
    from pipeline.stages.semantics.stage import semantics

    side = SanText(settings.of(semantics).of(SAN))
    open_index(store, side)  # refuses what was made by other weights
    return side
