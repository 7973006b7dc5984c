"""A Sphinx extension: pages on settings, on the command line and on the API, written from the code before each build.

They lie in ``reference/generated`` and are not under version control.
"""

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from docs.pages_from_code import api, commands, settings
from docs.pages_from_code.signatures import (
    keep_foreign_names_as_text,
    leave_out_generated_classes,
    list_fields,
    short_arrays,
)

FOLDER = Path("reference") / "generated"
WRITTEN = "written"
"""List of the pages that were written."""


def pages() -> dict[str, str]:
    """Return the text of every page by its path below ``reference/generated``."""
    return {**settings.pages(), **commands.pages(), **api.pages()}


def write_pages(folder: Path) -> None:
    """Write the pages that have changed, and delete those that an earlier build wrote and that are no more."""
    wanted = {folder / name: text for name, text in pages().items()}
    for path, text in wanted.items():
        if not path.exists() or path.read_text() != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    listed = folder / WRITTEN
    for name in listed.read_text().splitlines() if listed.exists() else ():
        if (path := folder / name) not in wanted and path.resolve().is_relative_to(folder.resolve()):
            path.unlink(missing_ok=True)
    listed.write_text("".join(f"{path.relative_to(folder)}\n" for path in wanted))


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the extension."""
    app.add_object_type("setting", "setting", objname="setting", indextemplate="setting; %s")
    app.connect("builder-inited", lambda app: write_pages(Path(app.srcdir) / FOLDER))
    app.connect("doctree-read", keep_foreign_names_as_text)
    app.connect("autodoc-process-docstring", list_fields, priority=400)  # before napoleon reads it
    app.connect("autodoc-process-signature", short_arrays)
    app.connect("autodoc-skip-member", leave_out_generated_classes)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
