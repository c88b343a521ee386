"""The papermill engine `swarm`: executes a notebook in a process forked from a zygote.

    papermill in.ipynb out.ipynb --engine swarm

A zygote stays as long as the calling process and serves every notebook that wants the same interpreter, folder and
imports, so a second notebook starts in milliseconds. Notebooks are shut in unless JUPYTER_SWARM_ISOLATION=off: no
network, no file outside the folder that they run in. Where a notebook is in another language, or nothing can be
forked, papermill's own engine executes it, which is said in the log.

papermill loads this module whenever it is imported (entry point), so it is light, imports papermill only when called,
and fits papermill's interface without inheriting.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_swarm.experiments.line import Ended
    from jupyter_swarm.experiments.nursery import Nursery
    from jupyter_swarm.experiments.setup import Setup

NAME = "swarm"
MOST = 4
"""Zygotes that a process keeps; the one that was used least recently ends first."""
logger = logging.getLogger("papermill")


class SwarmEngine:
    """Executes with zygotes that it keeps."""

    @classmethod
    def execute_notebook(
        cls,
        nb: Any,
        kernel_name: str,
        output_path: str | None = None,
        execution_timeout: float | None = None,
        progress_bar: bool = True,
        **options: Any,
    ) -> Any:
        """Execute all cells, until one fails.

        Args:
            nb: the notebook; changed in place.
            kernel_name: of a Python kernel; any other is papermill's own engine's.
            output_path: where it is saved, before and after.
            execution_timeout: seconds for the whole notebook.
            progress_bar: whether papermill shows one; cells are counted when all have ended.
            options: papermill's own.
        """
        from papermill.engines import NBClientEngine, NotebookExecutionManager

        ended, why = _executed(nb, cls.nb_language(nb), execution_timeout)
        if ended is None:
            logger.warning("The engine %r cannot run this notebook (%s): papermill's own engine does.", NAME, why)
            return NBClientEngine.execute_notebook(
                nb,
                kernel_name,
                output_path=output_path,
                progress_bar=progress_bar,
                **({"execution_timeout": execution_timeout} if execution_timeout else {}),
                **options,
            )
        from jupyter_swarm.experiments.records.record import assemble

        filled = assemble(nb, ended.frames, died=ended.death())
        nb.cells, nb.metadata = filled.cells, filled.metadata
        manager = NotebookExecutionManager(nb, output_path=output_path, progress_bar=progress_bar)
        manager.complete_pbar()
        manager.save()
        return nb

    @classmethod
    def nb_kernel_name(cls, nb: Any, name: str | None = None) -> str:
        """The kernel's name, from the notebook where none is given."""
        from papermill.utils import nb_kernel_name

        return str(nb_kernel_name(nb, name))

    @classmethod
    def nb_language(cls, nb: Any, language: str | None = None) -> str:
        """The language, from the notebook where none is given."""
        from papermill.utils import nb_language

        return str(nb_language(nb, language))


def _executed(nb: Any, language: str, seconds: float | None) -> tuple[Ended | None, str]:
    """What came of a notebook; None, and why, where nothing can be forked for it."""
    if language.lower() not in ("python", "ipython", "python3"):
        return None, f"it is in {language}"
    from jupyter_swarm.experiments.nursery import NurseryLost

    setup, job = _setup(nb), _job(nb)
    for _ in range(2):
        nursery = _House.here().nursery(setup)
        if nursery.why:
            return None, nursery.why
        try:
            return _House.here().call(nursery.run(job, seconds)), ""
        except NurseryLost as lost:
            why = str(lost)
    return None, why


def _job(nb: Any) -> dict[str, Any]:
    """What there is to execute."""
    return {
        "cells": [
            {
                "index": index,
                "source": cell.source,
                "may_fail": "raises-exception" in cell.metadata.get("tags", []),
            }
            for index, cell in enumerate(nb.cells)
            if cell.cell_type == "code" and cell.source.strip()
        ]
    }


def _setup(nb: Any) -> Setup:
    import sys

    from jupyter_swarm.experiments.cells import import_statements
    from jupyter_swarm.experiments.environment import isolated
    from jupyter_swarm.experiments.setup import Setup
    from jupyter_swarm.experiments.worker.sandbox import Policy

    sources = [cell.source for cell in nb.cells if cell.cell_type == "code"]
    folder = os.getcwd()
    policy = None
    if isolated():
        policy = Policy(read=(folder,), write=(folder,)).to_json()
    return Setup(sys.executable, folder, import_statements(sources), policy=policy)


def close() -> None:
    """End the zygotes of this process now, rather than when it ends."""
    if _House._only is not None:
        _House._only.close()
        _House._only = None


class _House:
    """An event loop in a thread of its own, and the nurseries that live in it until the process ends."""

    _only: _House | None = None
    _lock = threading.Lock()

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._owner = os.getpid()
        self._nurseries: dict[str, Nursery] = {}
        self._opening = threading.Lock()
        self._thread = threading.Thread(target=self._loop.run_forever, name="swarm-engine", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    @classmethod
    def here(cls) -> _House:
        """That of this process."""
        with cls._lock:
            if cls._only is None or cls._only._owner != os.getpid():
                cls._only = cls()
            return cls._only

    def call(self, work: Any) -> Any:
        """Await something in the loop, from the calling thread."""
        future: Future[Any] = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def nursery(self, setup: Setup) -> Nursery:
        """A nursery for a setup; that which is there already, where it lives."""
        from jupyter_swarm.experiments.cores import usable_cores
        from jupyter_swarm.experiments.nursery import Nursery

        key = repr(setup)
        with self._opening:
            found = self._nurseries.get(key)
            if found is None or not (found.lives or found.why):
                if found is not None:
                    self.call(found.close())
                found = Nursery(setup, usable_cores())
                self.call(found.open())
            self._nurseries.pop(key, None)
            self._nurseries[key] = found
            idle = [name for name, each in self._nurseries.items() if each.idle and each is not found]
            for name in idle[: max(0, len(self._nurseries) - MOST)]:
                self.call(self._nurseries.pop(name).close())
            return found

    def close(self) -> None:
        """End every zygote; harmless when called again."""
        if self._owner == os.getpid() and self._loop.is_running():
            for each in self._nurseries.values():
                self.call(each.close())
            self._nurseries.clear()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
