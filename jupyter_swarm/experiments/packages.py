"""Installed packages that an experiment imports: which versions they have, and whether one was changed meanwhile."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from jupyter_swarm.experiments.environment import environment

_ASK = """
import importlib.metadata, json, sys
found, homes = {}, importlib.metadata.packages_distributions()
for name in json.loads(sys.argv[1]):
    for distribution in homes.get(name, ())[:1]:
        made = importlib.metadata.distribution(distribution)
        found[name] = [made.version, str(getattr(made, "_path", ""))]
print(json.dumps(found))
"""
ASK_SECONDS = 60.0


class Packages:
    """What an interpreter has of some packages; `changed` is cheap.

    Args:
        python: the interpreter.
        names: of the packages, as they are imported.
        known: name → version that was found before; what differs from it has changed.
    """

    def __init__(self, python: str, names: Iterable[str], known: Mapping[str, str] | None = None) -> None:
        self._python, self._names = python, sorted(names)
        answer = self._asked()
        found = answer or {}
        self.versions = {name: version for name, (version, _) in found.items()}
        self._known = {**self.versions, **{name: v for name, v in (known or {}).items() if name in self._names}}
        self._stamps = {path: _stamp(path) for _, path in found.values() if path}
        self._said = "" if answer is None else self._differing(self.versions)

    def changed(self) -> str:
        """Which packages have other versions than at the beginning, in words; "" where none has."""
        if any(_stamp(path) != stamp for path, stamp in self._stamps.items()):
            found = self._asked()
            if found is None:
                return self._said
            self._said = self._differing({name: version for name, (version, _) in found.items()})
            self._stamps = {path: _stamp(path) for _, path in found.values() if path}
        return self._said

    def _differing(self, versions: Mapping[str, str]) -> str:
        said = []
        for name, before in sorted(self._known.items()):
            now = versions.get(name)
            if now is None:
                said.append(f"{name} {before} is gone")
            elif now != before:
                said.append(f"{name} was {before} and is {now}")
        return ", ".join(said)

    def _asked(self) -> dict[str, tuple[str, str]] | None:
        """Name → version, and where its metadata lie; None where the interpreter does not answer."""
        if not self._names:
            return {}
        command = [self._python, "-P", "-c", _ASK, json.dumps(self._names)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=ASK_SECONDS, check=True, env=environment(1)
            )
            return {name: (str(version), str(path)) for name, (version, path) in json.loads(done.stdout).items()}
        except (OSError, ValueError, subprocess.SubprocessError):
            return None


def _stamp(path: str) -> tuple[int, int]:
    """Changes when a package is installed again or removed."""
    try:
        found = os.stat(Path(path))
    except OSError:
        return (0, 0)
    return (found.st_ino, found.st_mtime_ns)
