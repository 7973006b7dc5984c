"""How the API reads: short types, fields as lists, and links only to what is documented here."""

import contextlib
import inspect
import re
from collections.abc import Iterator
from pkgutil import resolve_name
from typing import Any, TypeVar

from docutils import nodes  # type: ignore[import-untyped]
from sphinx import addnodes
from sphinx.application import Sphinx

from docs.pages_from_code.api import PACKAGES

ARRAY = re.compile(r"~?numpy\.ndarray\[tuple\[~?(?:typing\.)?Any, \.\.\.\], ~?numpy\.dtype\[~?(?:\w+\.)*(\w+)\]\]")
"""``NDArray[np.float32]`` as it looks once Python has evaluated it."""

FIELD = re.compile(r"(\w+(?:, \w+)*): ")


def keep_foreign_names_as_text(app: Sphinx, doctree: nodes.document) -> None:
    """Make plain text of types of other packages: nothing here documents them, and nothing is fetched to find out."""
    for reference in list(doctree.findall(addnodes.pending_xref)):
        target = reference.get("reftarget", "")
        if reference.get("refdomain") == "py" and not is_documented(target):
            reference.replace_self(reference.children)


def is_documented(target: str) -> bool:
    """Tell whether a dotted name is one of the project's, and not of a type variable or of what is private."""
    package, *inside = target.split(".")
    if package not in PACKAGES or any(part.startswith("_") or "[" in part for part in inside):
        return False
    try:
        found = resolve_name(target)
    except (ImportError, AttributeError):
        return True  # so that Sphinx says that there is no such thing
    return not isinstance(found, TypeVar) and getattr(found, "__module__", package).partition(".")[0] in PACKAGES


def short_arrays(
    app: Sphinx, what: str, name: str, documented: Any, options: Any, signature: str | None, returned: str | None
) -> tuple[str | None, str | None]:
    """Write arrays as they stand in the code."""
    return shortened(signature), shortened(returned)


def shortened(signature: str | None) -> str | None:
    """Return a signature with ``NDArray[float32]`` for what that stands for."""
    return signature and ARRAY.sub(r"NDArray[\1]", signature)


def leave_out_generated_classes(
    app: Sphinx, what: str, name: str, member: Any, skip: bool, options: Any
) -> bool | None:
    """Leave out what pydantic adds to modules: every generic class with every parameter it was given."""
    return True if "[" in name else None


def list_fields(app: Sphinx, what: str, name: str, documented: Any, options: Any, lines: list[str]) -> None:
    """Make lists of the lines in docstrings that say what a field or an argument is: ``name, name: what``."""
    lines[:] = with_lists(lines, set(_names_in(documented)))


def with_lists(lines: list[str], names: set[str]) -> list[str]:
    """Return lines of a docstring in which those that begin with some of ``names`` and a colon are items of a list."""
    found: list[str] = []
    in_item = False
    for line in lines:
        item = FIELD.match(line)
        begins = item is not None and {word.strip() for word in item[1].split(",")} <= names
        if begins and item is not None:
            found += [*([] if in_item else [""]), f"* ``{item[1]}``: {line[item.end() :]}"]
        elif in_item and line.strip():
            found.append(f"  {line.strip()}")
        else:
            found += ["", line] if in_item else [line]
        in_item = begins or (in_item and bool(line.strip()))
    return found


def _names_in(documented: Any) -> Iterator[str]:
    """Yield the names of a class's fields, or of a function's arguments."""
    yield from getattr(documented, "__annotations__", {})
    if inspect.isclass(documented):
        for base in documented.__mro__[1:]:
            yield from getattr(base, "__annotations__", {})
    if callable(documented):
        with contextlib.suppress(TypeError, ValueError):
            yield from inspect.signature(documented).parameters
