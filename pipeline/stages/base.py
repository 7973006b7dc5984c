"""What a stage is: one declaration of its name, settings, inputs, output, resources, preview and checks.

Runner, settings, Dagster's assets, previews, checks and pools are all made from these declarations.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from models.gpu import gpu_share
from models.memory import is_out_of_main_memory
from pipeline.contract.errors import OutOfMemory
from pipeline.contract.progress import Progress, silent
from pipeline.contract.records import LeftOut
from pipeline.sources.catalog.catalog import Catalog
from pipeline.store.outputs import Draft, Output
from pipeline.store.video import VideoStore

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Resources:
    """What a stage asks of a machine: processors, gigabytes of memory, and the share of a GPU where there is one."""

    cpus: float = 1.0
    memory_gb: float = 1.0
    gpu_share: float = 0.0

    def with_those_of(self, other: "Resources") -> "Resources":
        """Return what is enough for both, one after the other."""
        return Resources(
            max(self.cpus, other.cpus), max(self.memory_gb, other.memory_gb), max(self.gpu_share, other.gpu_share)
        )


class StageSettings(BaseModel):
    """Settings of a stage; frozen, unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def resources(self) -> Resources:
        """Return what these settings ask of a machine, beyond what the stage declares."""
        return Resources()

    def decisive(self) -> dict[str, Any]:
        """Return what decides the stage's result, as plain values; what says where or how fast may be left out."""
        return self.model_dump(mode="json")

    @classmethod
    def unsaid(cls) -> dict[str, Any]:
        """Return the values of what ``decisive`` leaves out, whatever a profile makes of it; plain values."""
        return {}

    def earlier(self) -> tuple[str, ...]:
        """Return earlier code versions of the stage whose stored results stand, and are not made again."""
        return ()

    def decisive_before(self, code_version: str) -> dict[str, Any]:  # noqa: ARG002 - for stages that know one
        """Return what decided the result of an earlier code version that stands: what it had of ``decisive``."""
        return self.decisive()


SettingsT = TypeVar("SettingsT", bound=StageSettings)
DraftT = TypeVar("DraftT", bound=Draft)


class SettingsTree(Protocol):
    """The settings of all stages."""

    def of(self, stage: "Stage[SettingsT, Any]") -> SettingsT:
        """Return those of one stage."""
        ...


@dataclass(frozen=True)
class Workbench:
    """What stages work with: one video's files, the catalog, the settings, and whom to tell how far they are.

    wanted: identity of the result that the running stage is to make. check_weights: raises ``WeightsReplaced`` once
    the files of weights that settings name by a path are not those in ``wanted`` any more; for stages that keep
    something before their result is whole.
    """

    video: VideoStore
    catalog: Catalog
    settings: SettingsTree
    progress: Progress = silent
    wanted: str = ""
    check_weights: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class StageResult:
    """What a stage has to say about its result; becomes part of its ``Provenance``, which says what each is."""

    backend: str
    counts: Mapping[str, float]
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    weights: Mapping[str, str] = field(default_factory=dict)
    beside: str = ""


@dataclass(frozen=True)
class Finding:
    """What a check found: whether the result is sound, one sentence, and the figures behind it."""

    passed: bool
    detail: str
    figures: Mapping[str, float]


Check = Callable[[VideoStore], Finding]
"""A measure of a stored result; its name and docstring say what should hold."""


@dataclass(frozen=True)
class Stage(Generic[SettingsT, DraftT]):
    """One stage of a video.

    name: of the asset, the folder, the key in the settings and the function. code_version: raised by hand whenever the
    same input and settings would give another result. inputs: names of the stages whose results it reads; the
    fingerprint of the last ones enters its own. fill: does the work, filling the draft of the output. published: what
    follows once the result is in its place. beside: tells what it has written into the result of an earlier stage,
    which may be made anew without it; what it was is in the provenance. preview: draws the result of a video, its
    only argument but for a ``Chosen`` where it can show any clip and frame. restore: makes again what of its result was
    deleted to save space, before a later stage reads it.
    """

    name: str
    code_version: str
    settings: type[SettingsT]
    inputs: tuple[str, ...]
    output: Output[DraftT]
    fill: Callable[[Workbench, SettingsT, DraftT], StageResult]
    preview: "Callable[..., Image]"
    checks: tuple[Check, ...] = ()
    resources: Resources = Resources()
    published: Callable[[Workbench], None] | None = None
    beside: Callable[[VideoStore], str] | None = None
    restore: Callable[[Workbench, SettingsT], None] | None = None

    def resources_under(self, settings: SettingsT) -> Resources:
        """Return what the stage asks of a machine with these settings: its own declaration and its backend's."""
        return self.resources.with_those_of(settings.resources())

    @property
    def description(self) -> str:
        """What the stage does, in the words of its function."""
        return inspect.getdoc(self.fill) or ""


def imported(name: str) -> Callable[..., Any]:
    """Return a function that lies in a module which is loaded when it is called: ``module:function``.

    Declarations are read to list assets and settings, which must not load what draws and decodes.
    """

    def call(*arguments: Any) -> Any:
        return resolve_name(name)(*arguments)

    call.__name__ = call.__qualname__ = name
    return call


def stage(
    *,
    code_version: str,
    settings: type[SettingsT],
    inputs: tuple[str, ...],
    output: Output[DraftT],
    preview: "Callable[..., Image]",
    checks: tuple[Check, ...] = (),
    resources: Resources = Resources(),
    published: Callable[[Workbench], None] | None = None,
    beside: Callable[[VideoStore], str] | None = None,
    restore: Callable[[Workbench, SettingsT], None] | None = None,
) -> Callable[[Callable[[Workbench, SettingsT, DraftT], StageResult]], Stage[SettingsT, DraftT]]:
    """Make a stage of the function below, which gives it its name and description; arguments as of ``Stage``."""

    def declared(fill: Callable[[Workbench, SettingsT, DraftT], StageResult]) -> Stage[SettingsT, DraftT]:
        return Stage(
            fill.__name__,
            code_version,
            settings,
            inputs,
            output,
            _within_limits(fill, resources),
            preview,
            checks,
            resources,
            published,
            beside,
            restore,
        )

    return declared


def _within_limits(
    fill: Callable[[Workbench, SettingsT, DraftT], StageResult], resources: Resources
) -> Callable[[Workbench, SettingsT, DraftT], StageResult]:
    """Let a stage wait for its share of the graphics card, whichever process it runs in, and say that memory ended."""

    @functools.wraps(fill)
    def limited(workbench: Workbench, settings: SettingsT, draft: DraftT) -> StageResult:
        def waits() -> None:
            workbench.progress(fill.__name__, 0, 1, "waits for the graphics card")

        try:
            with gpu_share(resources.with_those_of(settings.resources()).gpu_share, waits):
                return fill(workbench, settings, draft)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_main_memory(error):
                raise
            message = f"{workbench.video.video_id}: {fill.__name__} wants more memory than dataset.memory_share allows"
            raise OutOfMemory(message) from error

    return limited
