"""How Sphinx builds the documents: ``make docs`` serves them, ``make check`` builds them with warnings as errors."""

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

project = "YouTube-Occ"
author = "the authors of youtube-occ"
project_copyright = f"{author}, Apache-2.0"
release = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "docs.pages_from_code"]
exclude_patterns = ["pages_from_code"]
nitpicky = True
# made from the settings when they are loaded; the pages of the settings say what its fields are
nitpick_ignore = [("py:class", "assets.launchpad.SettingsLaunchpad")]
highlight_language = "none"

myst_enable_extensions = ["colon_fence", "deflist", "attrs_inline", "attrs_block"]
myst_heading_anchors = 3

autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
add_module_names = False
toc_object_entries = False  # the navigation would list every function on every page

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_title = f"YouTube-Occ {release}"
html_show_sphinx = False
html_copy_source = False
html_theme_options = {"source_edit_link": "", "top_of_page_buttons": []}
