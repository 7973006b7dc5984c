"""Settings that name weights of one family of networks: another one's name is refused before anything is fetched."""

from pathlib import Path

from pydantic import AfterValidator

from models.errors import WrongWeights
from models.weights.families import check_name


def of_family(*families: str) -> AfterValidator:
    """Return the check of a setting that names weights of one of ``families``, or gives a path.

    families: as ``models.weights.families`` calls them.
    """

    def checked(name: str | None) -> str | None:
        if not name or Path(name).name != name or Path(name).suffix:
            return name  # a path, whatever its folder is called
        try:
            check_name(name, *families)
        except WrongWeights as error:
            raise ValueError(str(error)) from error
        return name

    return AfterValidator(checked)
