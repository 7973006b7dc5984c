"""The errors a stage may end with: what went wrong, with which video or clip, and what to do next.

Every error carries a stable ``code`` (the class name), so that left-out lists can be counted by
reason. ``ClipError`` leaves one clip out and the video goes on; ``VideoError`` ends the video.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.contract.records import LeftOut


class PipelineError(Exception):
    """Base of all errors that the pipeline raises on purpose."""

    @property
    def code(self) -> str:
        """Stable name of the reason, as it appears in left-out lists."""
        return type(self).__name__


class SettingsError(PipelineError):
    """A profile, a settings file or a source that cannot be understood."""


class DeviceMissing(SettingsError):
    """Settings name a device that this machine does not have: nothing of the video's, and no try of it is counted."""


class BrokenListing(PipelineError):
    """A feed or list of videos that cannot be read; the other sources go on."""


class NoScriptRuntime(PipelineError):
    """No JavaScript runtime that works, without which YouTube hands out no films; the message says what to install."""


class BrokenManifest(PipelineError):
    """A manifest that cannot be read, or that names what may not be fetched."""


class MixedDataset(PipelineError):
    """Videos of one dataset that were not made in the same way: no one set of settings describes it."""


class UnusableQuery(PipelineError):
    """Words that regions cannot be compared with: none, in another script, too long, or a list that repeats itself."""


class OtherWeights(PipelineError):
    """Region embeddings that come from other weights than the text side: their products would mean nothing."""


class BrokenRetrievalSet(PipelineError):
    """Files of a retrieval benchmark that do not fit together or hold what they should not."""


class UnloggedLook(PipelineError):
    """A look at frozen tours that cannot be logged, and therefore does not take place."""


class NotReady(PipelineError):
    """Something on this machine would fail every video of a batch: nothing was begun. A line each says what to do."""


class ClusterGone(PipelineError):
    """The Ray cluster that a build ran on answers no more: what is stored stays, and the next build goes on from it."""


class WrittenMeanwhile(PipelineError):
    """Another process changed an object between the look at it and the write, which did not take place."""


class VideoError(PipelineError):
    """The whole video is left out."""


@contextlib.contextmanager
def naming(file_name: str, video: str) -> Iterator[None]:
    """Let errors of the block name the video where they begin with the name of the file that it is worked on in."""
    try:
        yield
    except VideoError as error:
        said = str(error)
        if said.startswith(f"{file_name} "):
            error.args = (f"{video}{said[len(file_name) :]}", *error.args[1:])
        raise


class FrozenSeeds(VideoError):
    """A rendered tour that is kept for figures that are reported; a look at it needs a purpose, which is logged."""


class DownloadError(VideoError):
    """The video could not be fetched."""


class DownloadRefused(DownloadError):
    """The host refused (bot check, 403, 429): wait before asking it again.

    retry_after_s: how long the host asked to be left alone, or None where it did not say.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ExtractorTrouble(DownloadRefused):
    """A host's page was read and no film was found in it, which is not the video's fault: as if the host refused."""


class NotYet(DownloadError):
    """A premiere, or a stream that runs or is to come: there is a film after ``until``, seconds since 1970."""

    def __init__(self, message: str, until: float = 0.0) -> None:
        super().__init__(message)
        self.until = until


class HostResting(DownloadError):
    """The host refused before and is left alone: nothing was asked. Try again after ``until``, seconds since 1970."""

    def __init__(self, message: str, until: float = 0.0) -> None:
        super().__init__(message)
        self.until = until


class ForbiddenAddress(DownloadError):
    """A link or redirect leads where no stranger may send us: another scheme, a private network."""


class DownloadGone(DownloadError):
    """The video does not exist any more (404, 410, private, removed): do not ask again."""


class DownloadTransient(DownloadError):
    """The host or the network failed (5xx, reset, time-out): try again later."""


class ChangedMeanwhile(DownloadError):
    """The host gives another file under the same address than the one that was begun: begin anew."""


class BrokenVideo(VideoError):
    """The file is no video that can be decoded: empty, truncated, audio only, not a video at all."""


class UnwantedVideo(BrokenVideo):
    """The video is longer, shorter or larger than the settings accept, or its source's rules exclude it."""


class DuplicateVideo(VideoError):
    """Another video of the catalog shows the same tour; that one is kept."""


class DiskFull(VideoError):
    """The data folder ran out of space; nothing half-written was kept."""


class StorageFailed(VideoError):
    """The file system refused for a reason that may pass (an error of the disk, too many open files)."""


class OutOfMemory(VideoError):
    """A stage wanted more memory than one video may take; nothing half-written was kept."""


class ProcessKilled(VideoError):
    """A process that a stage started was killed or stood still; that says nothing of the video."""


class NothingLeft(VideoError):
    """A stage left out all there is of a video: ``left_out`` says each clip and why."""

    def __init__(self, message: str, left_out: Sequence["LeftOut"] = ()) -> None:
        super().__init__(message)
        self.left_out = tuple(left_out)


class NoClips(NothingLeft):
    """No shot of the video makes a clip: too short, or a film that nobody wants."""


class NoIndoorClip(NothingLeft):
    """Every clip of the video was filmed outdoors, shows no scene, or is turned on its side or upside down."""


class NothingReconstructed(NothingLeft):
    """Not one clip of the video could be reconstructed."""


class StageMissing(VideoError):
    """A stage was asked for before the one it builds on; run that one first."""


class NoEmbeddings(VideoError):
    """Regions without embeddings to compare words with; run the stage ``semantics`` with a backend that makes them."""


class WeightsReplaced(VideoError):
    """Another file took the place of the weights while a stage worked with them: nothing was kept, run it again."""


class WeightsAway(VideoError):
    """No server gives the weights of a stage at the moment: nothing of the video's, and no try of it is counted."""


class CorruptStore(VideoError):
    """A stored file or array does not read back; a build moves a damaged ``group`` aside and makes it again."""

    def __init__(self, message: str, group: str | None = None) -> None:
        super().__init__(message)
        self.group = group


class NotReadableNow(VideoError):
    """This machine cannot say what a file holds (permissions, a folder that is away, too many open files)."""


class CredentialsRefused(NotReadableNow):
    """A bucket does not take this machine's credentials, or takes them no longer: renew them and run again."""


class WrongClock(NotReadableNow):
    """This machine's clock is too far from that of the bucket for them to work together: set it."""


class ChangedSinceIndexed(VideoError):
    """Stages of the video were run again since the dataset was written: pictures and grids do not fit."""


class VideoLocked(VideoError):
    """Another process works on this video at the moment."""


class NewerResult(VideoError):
    """A newer release made the stored result of a stage: nothing is made anew by this one."""


class LeaseLost(VideoError):
    """This machine stood still for so long that another one has the video now: nothing more was written."""


class ClipError(PipelineError):
    """One clip is left out; the rest of the video goes on."""


class TooFewRegistered(ClipError):
    """Fewer than three frames of the clip found their camera."""


class TooLittleParallax(ClipError):
    """The camera turned without moving, or stood still: depth cannot be told."""


class InconsistentReconstruction(ClipError):
    """The solution contradicts itself: focal length out of range, two halves that disagree, depth behind cameras."""


class UnlikelyReconstruction(ClipError):
    """Every check passed, but together the signs say that the reconstruction is probably wrong."""


class LensZooms(ClipError):
    """The lens zooms during the clip, and the cameras do not follow it."""


class ReconstructionCrashed(ClipError):
    """Structure from motion died or ran out of time on this clip."""


class UnforeseenFault(ClipError):
    """An error that nobody foresaw came up on this clip; its text says which and where. Please report it."""


class NoUpDirection(ClipError):
    """Neither floor, ceiling nor walls could be found, so that 'up' is unknown."""


class TooFast(ClipError):
    """The camera moves faster than people walk: the film is played faster than it was filmed, or its size is wrong."""


def interruption(error: BaseException | None) -> BaseException | None:
    """Return the request to end that an error comes of, or None: what is loading a library at that moment wraps it."""
    while isinstance(error, Exception):
        error = error.__cause__ or error.__context__
    return None if isinstance(error, GeneratorExit) else error
