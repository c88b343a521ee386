"""A swarm's handle that only writes requests: what the view needs, without a runner behind it."""

from __future__ import annotations

from typing import Any

from jupyter_swarm import events as e
from jupyter_swarm.workspace import Workspace


class RequestsOnly:
    """Appends to the ledger what a person asks for."""

    def __init__(self, folder: str, name: str = "wine") -> None:
        self.workspace, self.name = Workspace(folder), name

    def pause(self) -> None:
        self._ask(e.PauseRequested())

    def resume(self) -> None:
        self._ask(e.ResumeRequested())

    def stop(self) -> None:
        self._ask(e.StopRequested())

    def steer(self, *, verb: Any, target: str = "", value: float | str | None = None) -> None:
        self._ask(e.SteeringRequested(verb=verb, target=target, value=value))

    def report(self) -> str:
        from jupyter_swarm import report

        return str(report.write(self.workspace, self.name))

    def _ask(self, event: e.AnyEvent) -> None:
        self.workspace.store.append(self.name, [event])
