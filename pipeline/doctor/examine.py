"""Everything that can be asked, and the part that a batch asks before it starts."""

from collections.abc import Iterable, Iterator

from pipeline.contract.errors import NotReady
from pipeline.doctor.finding import Diagnosis, Gravity
from pipeline.doctor.machine import devices, file_handles, graphics_card, memory, shared_memory, versions
from pipeline.doctor.places import clock, dagster_home, data_folder, scratch_folder, weights
from pipeline.doctor.web import cookies, javascript, proxy, tokens, yt_dlp
from pipeline.settings import Settings
from pipeline.sources.entries import SourceEntry, SourceKind
from pipeline.stages.video.stage import video
from pipeline.store.store import Store

YOUTUBE = ("youtube.com", "youtu.be", "youtube-nocookie.com")


def examine(store: Store, settings: Settings, entries: Iterable[SourceEntry]) -> Iterator[Diagnosis]:
    """Yield everything, one after the other; what the web needs is wrong only where sources lie there."""
    on_the_web = any(map(_lies_on_the_web, entries))
    yield versions()
    yield from _of_the_web(settings, youtube=on_the_web, required=on_the_web)
    yield from tokens()
    yield from _before_any_video(store, settings)
    yield memory()
    yield graphics_card()
    yield from devices(settings)
    yield dagster_home()
    yield shared_memory()


def check_ready(
    store: Store, settings: Settings, origins: Iterable[str], *, with_dagster: bool = False, until: str | None = None
) -> None:
    """Make sure that nothing is wrong that would fail every video of a batch, or all that lie on the web.

    Args:
        store: of the dataset.
        settings: of all stages.
        origins: of the videos that are to be built; nothing is asked of the web unless one lies there.
        with_dagster: whether Dagster runs the batch.
        until: the last stage that is run, None for all.

    Raises:
        NotReady: with a line for each thing that is wrong, and what to do.
    """
    on_the_web = [origin for origin in origins if origin.startswith(("http://", "https://"))]
    found = [*_before_any_video(store, settings, until)]
    if settings.dataset.engine == "local":  # else others work, of which each looks at its own
        found += devices(settings, until)
    if on_the_web:
        youtube = any(name in origin for origin in on_the_web for name in YOUTUBE)
        found += _of_the_web(settings, youtube=youtube, required=True)
    if with_dagster:
        found.append(dagster_home())
    lines = [diagnosis.line() for diagnosis in found if diagnosis.state is Gravity.WRONG]
    if lines:
        raise NotReady("\n".join(["nothing was begun; 'youtube-occ doctor' looks at everything", *lines]))


def _before_any_video(store: Store, settings: Settings, until: str | None = None) -> Iterator[Diagnosis]:
    yield data_folder(store)
    yield scratch_folder()
    yield file_handles()
    yield clock(store)
    yield from weights(settings, until)


def _of_the_web(settings: Settings, *, youtube: bool, required: bool) -> Iterator[Diagnosis]:
    web = settings.of(video).web
    yield yt_dlp(required=required)
    yield javascript(web, required=youtube)
    for found in (cookies(web), proxy(web)):
        yield found if required or found.state is not Gravity.WRONG else _noted(found)


def _noted(found: Diagnosis) -> Diagnosis:
    return Diagnosis(found.name, Gravity.NOTE, found.found, found.remedy)


def _lies_on_the_web(entry: SourceEntry) -> bool:
    named = entry.source.startswith(("http://", "https://"))
    return named or entry.kind in (SourceKind.CHANNEL, SourceKind.PLAYLIST, SourceKind.SEARCH, SourceKind.FEED)
