"""Exchangeable ways to do a stage's work: each declares a name, its settings and how it is made.

The settings of such a stage hold the name of the backend that is used and the settings of every backend. Packages add
backends by the entry point ``youtube_occ.backends``, named ``<stage>.<backend>``.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel, Field, ValidationError, create_model

from pipeline.contract.errors import SettingsError
from pipeline.contract.values import HERE_ALONE
from pipeline.stages.base import Resources, StageSettings

ENTRY_POINTS = "youtube_occ.backends"

OwnT = TypeVar("OwnT", bound=BaseModel)
MadeT = TypeVar("MadeT")
ChosenT = TypeVar("ChosenT", bound="BackendSettings")


@dataclass(frozen=True)
class Backend(Generic[OwnT, MadeT]):
    """One way to do a stage's work.

    make: returns what does it, given the stage's settings, its own, and a folder on local disk where it may keep what
    spares work later (None: nowhere); imports what is heavy only then. ignores: settings of the stage itself that do
    not matter to this backend. resources: what it asks of a machine.
    """

    name: str
    settings: type[OwnT]
    make: Callable[[Any, OwnT, Path | None], MadeT]
    ignores: tuple[str, ...] = ()
    resources: Resources = field(default_factory=Resources)


class BackendSettings(StageSettings):
    """Settings of a stage with exchangeable backends: ``backend`` names one; each has a field with its own settings."""

    backends: ClassVar[Mapping[str, Backend[Any, Any]]] = {}
    backend: str = ""

    def of(self, backend: Backend[OwnT, Any]) -> OwnT:
        """Return the settings of one backend.

        Raises:
            SettingsError: it cannot do without settings, and has none.
        """
        own: OwnT | None = getattr(self, backend.name)
        if own is None:
            needed = [name for name, known in backend.settings.model_fields.items() if known.is_required()]
            raise SettingsError(f"backend {backend.name!r} needs its settings: {', '.join(needed)}")
        return own

    def make(self, scratch: Path | None = None) -> Any:
        """Return what does the work: the chosen backend, with its settings.

        Raises:
            SettingsError: it cannot do without settings, and has none.
        """
        chosen = self.backends[self.backend]
        return chosen.make(self, self.of(chosen), scratch)

    def resources(self) -> Resources:
        """Return what the chosen backend asks of a machine; no graphics card where it is told to run elsewhere."""
        chosen = self.backends[self.backend]
        device = getattr(getattr(self, chosen.name), "device", None)
        return replace(chosen.resources, gpu_share=0.0) if device == "cpu" else chosen.resources

    def decisive(self) -> dict[str, Any]:
        """Return the stage's settings without those of backends that were not chosen; those of this machine aside."""
        chosen = self.backends[self.backend]
        own = getattr(self, chosen.name)
        aside = {*self.backends, *chosen.ignores}
        return {**self.model_dump(mode="json", exclude=aside), chosen.name: _decisive(own)}


def with_backends(stage: str, base: type[ChosenT], built_in: Sequence[Backend[Any, Any]]) -> type[ChosenT]:
    """Return a stage's settings with a field for every backend, those of other packages included.

    The first of ``built_in`` is the default.
    """
    backends = {backend.name: backend for backend in (*built_in, *_plugged_in(stage))}
    names = tuple(backends)
    fields: dict[str, Any] = {name: _field(backend.settings) for name, backend in backends.items()}
    fields["backend"] = (Literal[names], Field(names[0], description=f"who does the work: {', '.join(names)}"))
    made: type[ChosenT] = create_model(
        base.__name__, __base__=base, __module__=base.__module__, __doc__=base.__doc__, **fields
    )
    made.backends = backends
    return made


def _plugged_in(stage: str) -> list[Backend[Any, Any]]:
    found = entry_points(group=ENTRY_POINTS)
    return [point.load() for point in found if point.name.partition(".")[0] == stage]


def _field(settings: type[BaseModel]) -> tuple[Any, Any]:
    """Return a model's field: with its defaults, or optional where a setting has none."""
    try:
        return settings, Field(settings(), description=settings.__doc__)
    except ValidationError:
        return settings | None, Field(None, description=settings.__doc__)


def _decisive(own: BaseModel | None) -> dict[str, Any] | None:
    if own is None:
        return None
    plain = own.decisive() if isinstance(own, StageSettings) else own.model_dump(mode="json")
    return plain | {name: known for name, known in _here_alone(type(own)) if name in plain}


def _here_alone(own: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    """Yield the settings that hold on this machine alone, and their defaults, under which results of all are known."""
    for name, field_info in own.model_fields.items():
        marks = field_info.json_schema_extra
        if isinstance(marks, dict) and HERE_ALONE.items() <= marks.items():
            yield name, field_info.default
