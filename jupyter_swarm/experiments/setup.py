"""What every experiment of a nursery finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Setup:
    """What every experiment of a nursery finds.

    Args:
        python: the notebook's interpreter.
        folder: the working directory.
        imports: statements executed before any fork.
        modules: an archive from which modules are imported before all else; "" for none.
        captures: file of captured variables, loaded before any fork; "" for none.
        threads: for numerical libraries.
        policy: of the sandbox, as `worker.sandbox.Policy.to_json` has it; None for no sandbox.
        memory: bytes that all experiments may hold together; the one that holds most is ended first. 0: no limit.
        processes: how many an experiment may have.
        disk: bytes that an experiment may have in files. 0: 20 GB, or half of what is free.
        mirror: work in a mirror of the folder (`mirror.py`), where files that are written land, instead of in it.
        shut: folders that the mirror leaves out.
        devices: GPUs, one for each experiment that can run at once; () where none is dealt out.
    """

    python: str
    folder: str
    imports: tuple[str, ...] = ()
    modules: str = ""
    captures: str = ""
    threads: int = 1
    policy: Mapping[str, Any] | None = None
    memory: int = 0
    processes: int = 512
    disk: int = 0
    mirror: bool = False
    shut: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
