"""nbclient on a kernel that was started ahead and is used up: the way where experiments cannot be forked.

It tells the same frames as a forked experiment does (`worker/channel.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Mapping
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

from jupyter_swarm.errors import LaboratoryError
from jupyter_swarm.experiments.kernels import Kernel, ready
from jupyter_swarm.experiments.line import Ended
from jupyter_swarm.experiments.worker.channel import KINDS, OUTPUT_BYTES, size_of

POLL_SECONDS = 0.05


class AheadClient(NotebookClient):  # type: ignore[misc]
    """Executes the cells of a job, and notes the kernel's messages as frames."""

    store_widget_state = False

    def __init__(self, job: Mapping[str, Any], kernel: Kernel) -> None:
        cells = [nbformat.v4.new_code_cell(cell["source"]) for cell in job["cells"]]
        super().__init__(nbformat.v4.new_notebook(cells=cells), km=kernel, timeout=None)
        self.kernel = kernel
        self.frames: list[bytes] = []
        self._places = [int(cell["index"]) for cell in job["cells"]]
        self._received = 0

    async def run(self) -> None:
        """Execute all cells until one fails or the kernel is gone."""
        self.reset_execution_trackers()
        self.kc = self.kernel.client()
        try:
            await ready(self.kc, self.kernel, 10.0)
            for index, cell in enumerate(self.nb.cells):
                if not await self._cell(cell, index):
                    return
            self._note(done=True)
        except (LaboratoryError, DeadKernelError):
            return
        finally:
            self.kc.stop_channels()
            self.kc = None

    async def _cell(self, cell: Any, index: int) -> bool:
        """Execute one cell; whether to go on."""
        place, self._received, failed = self._places[index], 0, False
        self._note(cell=place, begin=time.time())
        try:
            await self.async_execute_cell(cell, index)
        except CellExecutionError:
            failed = True
        self._note(cell=place, end=time.time(), count=cell.execution_count, ok=not failed)
        return not failed

    def _note(self, **frame: Any) -> None:
        self.frames.append(json.dumps(frame, default=str).encode() + b"\n")

    async def _async_poll_kernel_alive(self) -> None:
        while self.kernel.is_alive():
            await asyncio.sleep(POLL_SECONDS)
        if self.task_poll_for_reply is not None:
            self.task_poll_for_reply.cancel()

    async def _async_check_alive(self) -> None:
        if not self.kernel.is_alive():
            raise DeadKernelError(self.kernel.death())

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        """As nbclient, and note it; a cell's output is cut where it grows too large."""
        kind, content = msg["msg_type"], msg["content"]
        if kind in KINDS:
            before = self._received
            self._received += size_of(content)
            if before > OUTPUT_BYTES:
                return None
            if self._received > OUTPUT_BYTES and kind != "error":
                text = f"\n[output cut: more than {OUTPUT_BYTES:,} bytes in this cell]\n"
                kind, content = "stream", {"name": "stderr", "text": text}
            self._note(cell=self._places[cell_index], msg=kind, content=content)
        return super().process_message(msg, cell, cell_index)


async def run(job: Mapping[str, Any], kernel: Kernel, seconds: float) -> Ended:
    """Execute a job on a kernel, for so many seconds at most. The kernel is the caller's to give up."""
    client = AheadClient(job, kernel)
    began = time.monotonic()
    task = asyncio.ensure_future(client.run())
    try:
        await asyncio.wait({task}, timeout=seconds)
        why = "" if task.done() else f"{seconds:g} s were over"
    finally:
        if not task.done():
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task
    if not why and task.exception() is not None:
        raise task.exception()  # type: ignore[misc]
    code = kernel.process.poll()
    died = kernel.death() if not why and code is not None else why
    return Ended(b"".join(client.frames), 0 if not died else 1, died, seconds=time.monotonic() - began, sealed=False)
