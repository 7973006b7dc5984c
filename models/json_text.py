"""JSON that anybody may have written: read, or refused with one kind of error."""

import json
from typing import Any


def parsed_json(text: str | bytes) -> Any:
    """Return what a JSON text holds.

    Raises:
        ValueError: it is no JSON, no text, nested so deep that nobody wrote it, or holds a number without an end.
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
