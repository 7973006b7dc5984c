"""The figures of the house: ``python -m tests.house [FOLDER]`` prints them for this tree or for another checkout."""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

PACKAGES = ("pipeline", "assets", "models", "training")
BELOW = {"models": set(), "pipeline": {"models"}, "training": {"models", "pipeline"}, "assets": set(PACKAGES)}
"""What each package may import."""
ROOMS_OF_TRAINING = {"contract", "store", "tours", "pictures"}
"""What training may import of pipeline."""


@dataclass(frozen=True)
class Module:
    """A source file with its dotted name, its path from the root and its text."""

    name: str
    path: Path
    text: str = field(repr=False)

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def lines(self) -> int:
        return len(self.text.splitlines())

    @property
    def package(self) -> str:
        return self.name.partition(".")[0]


class Function(NamedTuple):
    """A function or method: its dotted name, length in lines, and whether it is public, documented, typed."""

    name: str
    lines: int
    public: bool
    documented: bool
    typed: bool


def modules(root: Path, packages: Iterable[str] = PACKAGES) -> list[Module]:
    """Return the modules of packages below a root."""
    paths = [path for package in packages for path in sorted((root / package).rglob("*.py"))]
    return [Module(_dotted(path.relative_to(root)), path.relative_to(root), path.read_text()) for path in paths]


def _dotted(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@dataclass(frozen=True)
class House:
    """A checkout of the project."""

    root: Path

    @cached_property
    def modules(self) -> list[Module]:
        return modules(self.root)

    @cached_property
    def imports(self) -> list[tuple[str, str]]:
        """Every name that a module takes from another one, for types alone too: (module, module taken from)."""
        known = {module.name for module in self.modules}
        found = []
        for module in self.modules:
            for name in _imported(module.tree):
                target = name if name in known else name.rpartition(".")[0]
                if target in known and target != module.name:
                    found.append((module.name, target))
        return found

    @property
    def circles_of_files(self) -> list[list[str]]:
        return circles(self.imports)

    @property
    def circles_of_folders(self) -> list[list[str]]:
        """Circles between the siblings of any folder."""
        edges = defaultdict(set)
        for source, target in self.imports:
            one, other = source.split("."), target.split(".")
            shared = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
            if shared is not None:
                edges[tuple(one[:shared])].add((".".join(one[: shared + 1]), ".".join(other[: shared + 1])))
        return [circle for siblings in edges.values() for circle in circles(siblings)]

    @property
    def imports_upwards(self) -> list[tuple[str, str]]:
        packages = ((pair, pair[0].partition(".")[0], pair[1].partition(".")[0]) for pair in self.imports)
        return [pair for pair, source, target in packages if source != target and target not in BELOW[source]]

    @property
    def imports_of_training(self) -> tuple[int, int]:
        """Names that training takes from pipeline: all of them, and those from beyond the rooms it may know."""
        taken = [target for source, target in self.imports if source.startswith("training")]
        rooms = [[*target.split("."), ""][1] for target in taken if target.startswith("pipeline")]
        return len(rooms), sum(room not in ROOMS_OF_TRAINING for room in rooms)

    @cached_property
    def functions(self) -> list[Function]:
        return [function for module in self.modules for function in _functions(module.tree, module.name, public=True)]

    @property
    def documented(self) -> tuple[int, int]:
        """Public modules, classes and functions: those with a docstring, all."""
        classes = [
            node
            for module in self.modules
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Module) or (isinstance(node, ast.ClassDef) and not node.name.startswith("_"))
        ]
        functions = [function for function in self.functions if function.public]
        with_docstring = sum(ast.get_docstring(node) is not None for node in classes)
        return with_docstring + sum(f.documented for f in functions), len(classes) + len(functions)

    @property
    def defined_twice(self) -> dict[str, list[str]]:
        """Names of classes and aliases of types that several modules define."""
        places = defaultdict(list)
        for module in self.modules:
            for name in _defined(module.tree):
                places[name].append(module.name)
        return {name: where for name, where in places.items() if len(where) > 1}

    @cached_property
    def tests(self) -> list[Module]:
        return modules(self.root, ("tests",))

    def lines_of_tests(self, package: str | None = None) -> float:
        """Return the lines of tests by a line of source, of one package or of all."""
        source = sum(module.lines for module in self.modules if package in (None, module.package))
        folder = "tests." if package is None else f"tests.{package}."
        return sum(test.lines for test in self.tests if test.name.startswith(folder)) / source

    @property
    def tested_by_name(self) -> int:
        """Modules that have a test of their own name at the same place below tests."""
        tests = {test.path.relative_to("tests") for test in self.tests}
        return sum(module.path.with_name(f"test_{module.path.name}") in tests for module in self.modules)

    def table(self) -> Mapping[str, object]:
        """Return all figures by name."""
        top = [path for path in (self.root / "pipeline").iterdir() if path.name != "__pycache__"]
        lengths = sorted(function.lines for function in self.functions)
        names, beyond = self.imports_of_training
        documented, public = self.documented
        typed = sum(function.typed for function in self.functions)
        return {
            "python files": len(self.modules),
            "top of pipeline": f"{sum(p.is_file() for p in top)} files, {sum(p.is_dir() for p in top)} folders",
            "circles of files": self.circles_of_files or 0,
            "circles of folders": self.circles_of_folders or 0,
            "imports upwards": self.imports_upwards or 0,
            "names training takes from pipeline": f"{names}, beyond its rule {beyond}",
            "functions": len(lengths),
            "lines of functions": f"median {np.median(lengths):.0f}, p90 {np.percentile(lengths, 90):.0f}, "
            f"longest {lengths[-1]}, over 40: {sum(length > 40 for length in lengths)}",
            "modules over 300 lines": [module.name for module in self.modules if module.lines > 300] or 0,
            "public docstrings": f"{documented} of {public}, {documented / public:.1%}",
            "functions with all types": f"{typed} of {len(lengths)}, {typed / len(lengths):.1%}",
            "class and alias names defined more than once": len(self.defined_twice),
            "lines of source": sum(module.lines for module in self.modules),
            "lines of tests": sum(test.lines for test in self.tests),
            "test lines by a source line": f"{self.lines_of_tests():.2f} ("
            + ", ".join(f"{package} {self.lines_of_tests(package):.2f}" for package in PACKAGES)
            + ")",
            "modules with a test of their own name": f"{self.tested_by_name} of {len(self.modules)}",
            "lines of README": len((self.root / "README.md").read_text().splitlines()),
        }


def circles(edges: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Return the groups of nodes that reach one another."""
    edges = list(edges)
    names = sorted({name for edge in edges for name in edge})
    numbers = {name: number for number, name in enumerate(names)}
    rows, columns = ([numbers[edge[side]] for edge in edges] for side in (0, 1))
    graph = coo_array((np.ones(len(edges)), (rows, columns)), shape=(len(names), len(names)))
    count, part = connected_components(graph, connection="strong")
    groups = [[names[number] for number in np.flatnonzero(part == group)] for group in range(count)]
    return [group for group in groups if len(group) > 1]


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _functions(node: ast.AST, name: str, *, public: bool) -> Iterator[Function]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{name}.{child.name}", public=public and not child.name.startswith("_"))
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = [*child.args.posonlyargs, *child.args.args, *child.args.kwonlyargs]
            typed = all(a.annotation is not None or a.arg in ("self", "cls") for a in arguments)
            yield Function(
                f"{name}.{child.name}",
                (child.end_lineno or child.lineno) - child.lineno + 1,
                public and not child.name.startswith("_"),
                ast.get_docstring(child) is not None,
                typed and child.returns is not None,
            )
            yield from _functions(child, f"{name}.{child.name}", public=False)


def _defined(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name[0].isupper() and not name.isupper():
                yield name


if __name__ == "__main__":
    for figure, value in House(Path(sys.argv[1]) if len(sys.argv) > 1 else Path()).table().items():
        print(f"{figure:<46} {value}")  # noqa: T201 - its purpose
