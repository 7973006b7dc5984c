"""Which groups of a video a row of the index was written from."""

import json
from collections.abc import Mapping
from typing import Any

from models.json_text import parsed_json
from pipeline.contract.errors import CorruptStore
from pipeline.store.provenance import identity


def as_indexed(made: Mapping[str, str]) -> str:
    """Return what the index notes of a video's groups: the identity of each by its name, as JSON."""
    return json.dumps(dict(sorted(made.items())))


def same_as_indexed(group: str, attributes: Mapping[str, Any], indexed: str) -> bool:
    """Tell whether a group with these attributes is the one that the index notes; nothing noted, nothing to differ.

    Indexes of release 0.1 note nothing; groups that they do not name (``language``) are checked by whoever makes them.
    """
    wanted = _noted(indexed).get(group)
    found = identity(str(attributes.get("fingerprint")), str(attributes.get("upstream", "")))
    return wanted is None or found == wanted


def _noted(indexed: str) -> dict[str, Any]:
    try:
        noted = parsed_json(indexed or "{}")
    except ValueError:
        noted = None
    if not isinstance(noted, dict):
        raise CorruptStore(
            f"the index does not say which groups it was written from ({indexed[:80]!r}): build it again"
        )
    return noted
