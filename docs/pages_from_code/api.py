"""Pages of the API: one a package, with its modules, from their docstrings."""

import pkgutil
from collections.abc import Iterator
from importlib.util import find_spec
from typing import NamedTuple

PACKAGES = ("pipeline", "models", "training", "assets")
LEFT_OUT = ("bench", "cli", "__main__")
"""Benchmarks and command lines: the latter have a page of their own."""

UNDERLINES = "=-"


class Package(NamedTuple):
    """A package by its dotted name, with its modules and the packages in it, by theirs."""

    name: str
    modules: tuple[str, ...]
    packages: tuple[str, ...]


def pages() -> dict[str, str]:
    """Return a page a package."""
    return {f"api/{found.name}.rst": page(found) for name in PACKAGES for found in packages(name)}


def packages(name: str) -> Iterator[Package]:
    """Yield a package and all packages in it; nothing but they themselves is imported."""
    spec = find_spec(name)
    folders = spec.submodule_search_locations if spec else None
    found = [entry for entry in pkgutil.iter_modules(folders) if _is_public(entry.name)]
    modules = tuple(f"{name}.{entry.name}" for entry in found if not entry.ispkg)
    inner = tuple(f"{name}.{entry.name}" for entry in found if entry.ispkg)
    yield Package(name, modules, inner)
    for package in inner:
        yield from packages(package)


def page(package: Package) -> str:
    """Return the page of a package: what it offers itself, the packages in it, then module by module."""
    parts = [f".. _api-{package.name}:\n", _heading(package.name, 0), _documented(package.name)]
    if package.packages:
        parts.append(".. toctree::\n   :maxdepth: 1\n\n" + "".join(f"   {name}\n" for name in package.packages))
    for module in package.modules:
        parts += [_heading(module, 1), _documented(module)]
    return "\n".join(parts)


def _is_public(name: str) -> bool:
    return name not in LEFT_OUT and not name.startswith("_")


def _heading(name: str, level: int) -> str:
    return f"{name}\n{UNDERLINES[level] * len(name)}\n"


def _documented(module: str) -> str:
    return f".. automodule:: {module}\n   :members:\n   :show-inheritance:\n   :ignore-module-all:\n"
