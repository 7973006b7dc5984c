"""The figures of the house: ``python -m tests.house [FOLDER]`` prints them for this tree, or for another checkout."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("pipeline", "assets", "models", "training")


@dataclass(frozen=True)
class Module:
    """A source file with its dotted name and its syntax tree."""

    name: str
    path: Path
    tree: ast.Module
    lines: int


def modules(root: Path, packages: tuple[str, ...] = PACKAGES) -> list[Module]:
    """Return the modules of the packages below ``root``."""
    return [
        Module(dotted(path.relative_to(root)), path, ast.parse(path.read_text()), len(path.read_text().splitlines()))
        for package in packages
        for path in sorted((root / package).rglob("*.py"))
    ]


def dotted(path: Path) -> str:
    """Return the dotted name of a module's file."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(module: Module, known: set[str]) -> Iterator[tuple[str, bool]]:
    """Yield (module imported, whether for types alone) for every name that a module takes from the project."""
    for node, types_alone in _import_nodes(module.tree, False):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            target = name if name in known else name.rpartition(".")[0]
            if target in known:
                yield target, types_alone


def _import_nodes(node: ast.AST, types_alone: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, types_alone
        else:
            guarded = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
            yield from _import_nodes(child, types_alone or guarded)


def components(graph: dict[str, set[str]]) -> list[set[str]]:
    """Return the strongly connected components of more than one node (Tarjan)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for target in graph.get(node, ()):
            if target not in index:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], index[target])
        if low[node] == index[node]:
            members = set()
            while True:
                member = stack.pop()
                members.add(member)
                if member == node:
                    break
            if len(members) > 1:
                found.append(members)

    sys.setrecursionlimit(10_000)
    for node in graph:
        if node not in index:
            visit(node)
    return found


def functions(module: Module) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef, bool]]:
    """Yield (qualified name, function, whether public) of a module."""

    def walk(node: ast.AST, prefix: str, public: bool) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef, bool]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{prefix}{child.name}", child, public and not child.name.startswith("_")
                yield from walk(child, f"{prefix}{child.name}.", False)
            elif isinstance(child, ast.ClassDef):
                yield from walk(child, f"{prefix}{child.name}.", public and not child.name.startswith("_"))

    yield from walk(module.tree, f"{module.name}.", True)


def main(root: Path) -> None:
    """Print the table."""
    every = modules(root)
    known = {module.name for module in every}
    edges = {module.name: {t for t, types in imports(module, known) if t != module.name} for module in every}
    runtime = {module.name: {t for t, types in imports(module, known) if not types and t != module.name} for module in every}
    # importing a.b.c also runs a and a.b only where named; the circles of files are over names as written
    print("python files", {p: sum(m.name.split(".")[0] == p for m in every) for p in PACKAGES})
    top = root / "pipeline"
    files = [p for p in top.iterdir() if p.is_file()]
    folders = [p for p in top.iterdir() if p.is_dir() and p.name != "__pycache__"]
    print(f"top of pipeline: {len(files)} files, {len(folders)} folders")
    circles = components(edges)
    print(f"circles of files: {len(circles)} with {sum(map(len, circles))} modules;", [sorted(c)[:4] for c in circles])
    # circles of folders: siblings at each level
    bad = []
    packages = {m.name.rpartition(".")[0] for m in every} | {""}
    for package in sorted(packages):
        prefix = package + "." if package else ""
        graph: dict[str, set[str]] = {}
        for source, targets in edges.items():
            if not source.startswith(prefix) or source == package:
                continue
            child = source[len(prefix):].split(".")[0]
            for target in targets:
                if target.startswith(prefix) and target != package:
                    other = target[len(prefix):].split(".")[0]
                    if other != child:
                        graph.setdefault(child, set()).add(other)
        for circle in components(graph):
            bad.append((package or "(top)", sorted(circle)))
    print(f"circles of folders or siblings: {len(bad)}")
    for package, circle in bad:
        print("   ", package, circle)
    crossing = [(m, t) for m, ts in edges.items() for t in ts if m.split(".")[0] != t.split(".")[0]]
    allowed = {"assets": {"training", "models", "pipeline"}, "training": {"models", "pipeline"}, "pipeline": {"models"}, "models": set()}
    print("imports upwards:", [(m, t) for m, t in crossing if t.split(".")[0] not in allowed[m.split(".")[0]]])
    count = 0
    other = 0
    for module in every:
        if not module.name.startswith("training"):
            continue
        for t, types in imports(module, known):
            if t.startswith("pipeline"):
                count += 1
                room = t.split(".")[1] if "." in t else ""
                if room not in ("contract", "store", "tours", "pictures"):
                    other += 1
    print(f"training's names from pipeline: {count}, beyond contract, store, tours, pictures: {other}")
    lengths = [(fn.end_lineno - fn.lineno + 1, name) for m in every for name, fn, _ in functions(m)]
    lengths.sort()
    n = len(lengths)
    print(f"functions {n}: median {lengths[n//2][0]} p90 {lengths[int(n*0.9)][0]} longest {lengths[-1]}; over 40: {sum(l > 40 for l, _ in lengths)}")
    print("modules over 300 lines:", [(m.name, m.lines) for m in every if m.lines > 300])
    documented = total = typed = alltyped = 0
    for m in every:
        publics = [m.tree] + [n for n in ast.walk(m.tree) if isinstance(n, ast.ClassDef) and not n.name.startswith("_")]
        for node in publics:
            total += 1
            documented += ast.get_docstring(node) is not None
        for name, fn, public in functions(m):
            args = [*fn.args.posonlyargs, *fn.args.args, *fn.args.kwonlyargs]
            alltyped += 1
            typed += (fn.returns is not None) and all(a.annotation is not None or a.arg in ("self", "cls") for a in args)
            if public and not (fn.name.startswith("__")):
                total += 1
                documented += ast.get_docstring(fn) is not None
    print(f"public docstrings: {documented}/{total} = {documented/total:.1%}; functions fully typed {typed}/{alltyped} = {typed/alltyped:.1%}")
    names: dict[str, list[str]] = {}
    for m in every:
        for node in m.tree.body:
            if isinstance(node, ast.ClassDef):
                names.setdefault(node.name, []).append(m.name)
            elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                if node.targets[0].id[0].isupper() and not node.targets[0].id.isupper():
                    names.setdefault(node.targets[0].id, []).append(m.name)
    twice = {k: v for k, v in names.items() if len(v) > 1}
    print(f"class or alias names defined more than once: {len(twice)}", twice)
    source = sum(m.lines for m in every)
    tests = modules(root, ("tests",))
    print(f"source lines {source}, test lines {sum(t.lines for t in tests)}, ratio {sum(t.lines for t in tests)/source:.2f}")
    for p in PACKAGES:
        s = sum(m.lines for m in every if m.name.split(".")[0] == p)
        t = sum(t.lines for t in tests if t.name.startswith(f"tests.{p}"))
        print(f"   {p}: {s} source, {t} test, {t/s:.2f}")
    own = 0
    test_names = {t.path.relative_to(root / "tests").as_posix() for t in tests}
    for m in every:
        rel = m.path.relative_to(root)
        want = (rel.parent / f"test_{rel.name}").as_posix()
        own += want in test_names
    print(f"modules with a test of their own name: {own} of {len(every)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path())
