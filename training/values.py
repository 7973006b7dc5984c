"""Settings from single values, with errors that name what is wrong."""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pipeline.contract.errors import SettingsError
from pipeline.contract.values import laid_over

Model = TypeVar("Model", bound=BaseModel)


def with_values(model: type[Model], values: dict[str, Any]) -> Model:
    """Return a model's defaults with nested values laid over them; raises ``SettingsError``."""
    fields = {name: field.default for name, field in model.model_fields.items() if not field.is_required()}
    defaults = {name: value.model_dump() if isinstance(value, BaseModel) else value for name, value in fields.items()}
    return checked(model, laid_over(defaults, values))


def checked(model: type[Model], values: dict[str, Any]) -> Model:
    """Return a model of values; raises ``SettingsError`` naming what is wrong."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise SettingsError(problems) from error
