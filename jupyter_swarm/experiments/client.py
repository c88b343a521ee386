"""papermill's notebook client, on a kernel that is already running and is used up."""

from __future__ import annotations

import asyncio
from typing import Any

import nbformat
from nbclient.exceptions import CellExecutionError, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient

from jupyter_swarm.errors import LaboratoryError
from jupyter_swarm.experiments.guard import COUNTED, size_of
from jupyter_swarm.experiments.kernels import OUTPUT_BYTES, Kernel, ready

POLL_SECONDS = 0.05


class AheadClient(PapermillNotebookClient):  # type: ignore[misc]
    """Executes the cells in one event loop of the calling thread, and records a kernel's death as an error output."""

    store_widget_state = False

    def __init__(self, nb_man: Any, kernel: Kernel, **options: Any) -> None:
        super().__init__(nb_man, km=kernel, **options)
        self.kernel = kernel
        self._received: dict[int, int] = {}

    def execute(self, **_: Any) -> Any:
        """Execute all cells until one fails."""
        self.reset_execution_trackers()
        asyncio.run(self._execute())
        return self.nb

    async def _execute(self) -> None:
        self.kc = self.kernel.client()
        try:
            await ready(self.kc, self.kernel, 10.0)
            for index, cell in enumerate(self.nb.cells):
                if not await self._cell(cell, index):
                    break
        except LaboratoryError:
            self._died(0)
        finally:
            self.kc.stop_channels()
            self.kc = None

    async def _cell(self, cell: Any, index: int) -> bool:
        """Execute one cell; whether to go on."""
        try:
            self.nb_man.cell_start(cell, index)
            await self.async_execute_cell(cell, index)
        except CellExecutionError as error:
            self.nb_man.cell_exception(self.nb.cells[index], cell_index=index, exception=error)
            return False
        except DeadKernelError:
            self._died(index)
            return False
        finally:
            self.nb_man.cell_complete(self.nb.cells[index], cell_index=index)
        return True

    def _died(self, index: int) -> None:
        """Let the notebook say so where it happened; papermill then reports it like any other error."""
        cells = list(enumerate(self.nb.cells))
        at, cell = next((i, c) for i, c in cells[index:] if c.cell_type == "code")
        self.nb_man.cell_exception(cell, cell_index=at)
        text = self.kernel.death()
        line = f"DeadKernelError: {text}"
        cell.outputs.append(nbformat.v4.new_output("error", ename="DeadKernelError", evalue=text, traceback=[line]))

    async def _async_poll_kernel_alive(self) -> None:
        while self.kernel.is_alive():
            await asyncio.sleep(POLL_SECONDS)
        if self.task_poll_for_reply is not None:
            self.task_poll_for_reply.cancel()

    async def _async_check_alive(self) -> None:
        if not self.kernel.is_alive():
            raise DeadKernelError(self.kernel.death())

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        """As papermill, but a cell's output is cut where it grows too large (the kernel's own cap comes first)."""
        kind, content = msg["msg_type"], msg["content"]
        if kind in COUNTED:
            before = self._received.get(cell_index, 0)
            self._received[cell_index] = now = before + size_of(content)
            if before > 2 * OUTPUT_BYTES:
                return None
            if now > 2 * OUTPUT_BYTES:
                note = f"\n[output cut: more than {2 * OUTPUT_BYTES:,} bytes in this cell]\n"
                msg = {**msg, "msg_type": "stream", "content": {"name": "stderr", "text": note}}
                msg["header"] = {**msg["header"], "msg_type": "stream"}
        elif kind == "error":
            short = [str(line)[:20_000] for line in content.get("traceback", [])][-100:]
            msg = {**msg, "content": {**content, "evalue": str(content.get("evalue", ""))[:20_000], "traceback": short}}
        return super().process_message(msg, cell, cell_index)
