"""Finds what runs YouTube's scripts: since late 2025 it hands the addresses of its films to nobody else."""

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from models.extras import extra
from pipeline.contract.errors import NoScriptRuntime
from pipeline.sources.web.settings import WebSettings

INSTALL = "pip install 'youtube-occ[web]' brings deno; another one is named in video.web.js_runtimes"
LIMIT_S = 30.0
SCRIPT, ANSWER = "console.log([6, 7].reduce((a, b) => a * b));", "42"
_COMMANDS: dict[str, tuple[str, ...]] = {
    "deno": ("run", "--no-prompt", "--no-config", "--no-lock", "--no-remote"),
    "node": (),
    "bun": ("run",),
    "quickjs": ("--script",),
}
"""What goes before the name of a script, by runtime."""


@dataclass(frozen=True)
class JavaScriptRuntime:
    """A program that runs JavaScript: its name as in the settings, where it lies, its version."""

    name: str
    path: str
    version: str


def named_runtimes(settings: WebSettings) -> dict[str, str | None]:
    """Return the runtimes of the settings, name by path; None where it is to be looked for."""
    parts = (written.partition(":") for written in settings.js_runtimes)
    return {name: str(Path(path).expanduser()) if path else None for name, _, path in parts}


def found_runtime(settings: WebSettings) -> JavaScriptRuntime:
    """Return the first runtime of the settings that is there and new enough.

    Raises:
        NoScriptRuntime: there is none; the message says what to install.
        MissingExtra: the packages for the web are not installed.
    """
    with extra("web", "looking for a JavaScript runtime"):
        import yt_dlp  # noqa: F401 - enters what it knows into its list
        from yt_dlp.globals import supported_js_runtimes

    seen = []
    for name, path in named_runtimes(settings).items():
        info = supported_js_runtimes.value[name](path=path).info
        if info is not None and info.supported:
            return JavaScriptRuntime(name, str(info.path), str(info.version))
        seen.append(f"{path or name} {'is not there' if info is None else f'is too old ({info.version})'}")
    why = ", ".join(seen) or "video.web.js_runtimes names none"
    raise NoScriptRuntime(f"YouTube's films need a JavaScript runtime, and {why}: {INSTALL}")


def check_runs(runtime: JavaScriptRuntime) -> None:
    """Run a small script.

    Raises:
        NoScriptRuntime: it does not answer as it should, or not within ``LIMIT_S`` seconds.
    """
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "script.js"
        script.write_text(SCRIPT)
        command = [runtime.path, *_COMMANDS[runtime.name], str(script)]
        try:
            ran = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)  # noqa: S603
        except subprocess.TimeoutExpired:
            raise _broken(runtime, f"does not answer within {LIMIT_S:g} s") from None
        except (OSError, UnicodeDecodeError) as error:
            raise _broken(runtime, f"cannot be run ({error})") from error
    if ran.returncode or ran.stdout.strip() != ANSWER:
        said = " ".join(ran.stderr.split())[:200]
        raise _broken(runtime, f"does not run a script (status {ran.returncode}: {said})")


def _broken(runtime: JavaScriptRuntime, why: str) -> NoScriptRuntime:
    return NoScriptRuntime(f"{runtime.path}, which is to run YouTube's scripts, {why}: {INSTALL}")
