"""Under which licence files of weights are, told by what they hold, or by their names."""

from models.weights.cache import shipped
from models.weights.registry import PACKAGED_LICENCES, WEIGHTS

OWN_LICENCE = "Apache-2.0"
"""Of the small networks that come with this package."""

UNKNOWN_LICENCE = "not known here: the file was named by its path"


def licence_of(file_name: str, sha256: str) -> str:
    """Return the licence of a file of weights and what it allows, in one line."""
    if sha256 in PACKAGED_LICENCES:
        return PACKAGED_LICENCES[sha256]
    for weights in WEIGHTS.values():
        if sha256 in weights.checksums or (not weights.checksums and weights.file_name == file_name):
            return f"{weights.licence}; allowed: {weights.use}"
    return OWN_LICENCE if file_name in {f"{name}.safetensors" for name in shipped()} else UNKNOWN_LICENCE
