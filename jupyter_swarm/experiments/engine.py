"""The papermill engine `swarm-kernels`: executes a notebook on a kernel that is already running.

    papermill.execute_notebook(notebook, path, engine_name="swarm-kernels", swarm_kernel=kernel)

Without `swarm_kernel` it does what papermill's own engine does. papermill loads this module whenever it is imported
(entry point), so it is light, imports papermill only when called, and fits papermill's interface without inheriting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_swarm.experiments.kernels import Kernel

NAME = "swarm-kernels"


class AheadEngine:
    """Executes on `swarm_kernel`, which is used up by it."""

    @classmethod
    def execute_notebook(
        cls,
        nb: Any,
        kernel_name: str,
        output_path: str | None = None,
        swarm_kernel: Kernel | None = None,
        swarm_keep: list[Any] | None = None,
        **options: Any,
    ) -> Any:
        """Execute all cells, until one fails.

        Args:
            nb: the notebook; changed in place.
            kernel_name: used where no kernel is given.
            output_path: where papermill saves while it runs; None for nowhere.
            swarm_kernel: a started kernel.
            swarm_keep: takes the notebook, for a caller who needs it although papermill raises.
            options: papermill's own.
        """
        from papermill.engines import NBClientEngine, NotebookExecutionManager

        if swarm_kernel is None:
            return NBClientEngine.execute_notebook(nb, kernel_name, output_path=output_path, **options)
        from jupyter_swarm.experiments.client import AheadClient

        nb.metadata.papermill["input_path"] = ""  # papermill would put the whole notebook there
        if swarm_keep is not None:
            swarm_keep.append(nb)
        manager = NotebookExecutionManager(nb, output_path=output_path, progress_bar=False)
        manager.notebook_start()
        try:
            AheadClient(manager, swarm_kernel, kernel_name=kernel_name, timeout=None).execute()
        finally:
            manager.notebook_complete()
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
