"""IPython's shell as a kernel has it, but its messages go to a channel instead of a socket.

It is ipykernel's own shell class, so that magics, display hooks, figures, tracebacks and tools that ask in which shell
they run (progress bars) find what they find in a kernel.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import subprocess
import sys
import tempfile
from typing import Any

from ipykernel import compiler
from ipykernel.kernelbase import Kernel
from ipykernel.zmqshell import ZMQInteractiveShell
from jupyter_client.session import Session
from traitlets.config import Config

from .channel import Channel, Stream
from .curves import instrument


class ChannelSession(Session):  # type: ignore[misc]
    """A session that hands messages to a channel."""

    channel: Any = None

    def msg(self, msg_type: Any, content: Any = None, *_: Any, **__: Any) -> dict[str, Any]:
        """As much of a message as anybody looks at."""
        return {"header": {"msg_type": msg_type}, "msg_type": msg_type, "content": content or {}, "metadata": {}}

    def send(self, stream: Any, msg_or_type: Any, content: Any = None, *_: Any, **__: Any) -> Any:
        """Tell it."""
        if isinstance(msg_or_type, dict):
            kind, content = msg_or_type["msg_type"], msg_or_type["content"]
        else:
            kind = msg_or_type
        self.channel.message(kind, content or {})
        return None


FORESEEN, FORESEEN_LENGTH = 64, 10_000
"""Texts of cells that are remembered, and how long each may be."""
_MAGIC = re.compile(r"^\s*[%!?/,;]|\?\s*$|=\s*[%!]", re.MULTILINE)


class _Kernel:
    """What a shell asks of its kernel."""

    eventloop = None
    io_loop = None
    shell_streams: tuple[Any, ...] = ()
    raw_input, getpass = Kernel.raw_input, Kernel.getpass
    _allow_stdin = False  # as in a notebook that nobody watches

    def __init__(self, session: Session) -> None:
        self.session = session


class Shell(ZMQInteractiveShell):
    """The shell of all experiments of a zygote; each runs in a copy of it.

    `between(index, statements, name)` is called before each statement of a cell and after the last, and returns the
    statements and the name of the cell to go on with.
    """

    between: Any = None
    curve = ""
    """The metric, where assignments to it in a loop are points of a curve."""
    _db: Any = None
    foreseen: dict[str, str]
    usual: tuple[list[Any], ...] | None = None

    def foresee(self, source: str) -> None:
        """Work out, before a fork, what becomes of a cell's text. Where it has magics that may take long: not here."""
        if source in self.foreseen or len(source) > FORESEEN_LENGTH or _MAGIC.search(source):
            return
        if self._transformers() == self.usual:
            if len(self.foreseen) >= FORESEEN:
                self.foreseen.clear()
            with contextlib.suppress(Exception):  # it is said where it is seen
                self.foreseen[source] = cell = str(super().transform_cell(source))
                self.compile.get_code_name(source, cell, 0)

    def transform_cell(self, raw_cell: str) -> str:
        """Python of what was typed; as foreseen, unless something has changed how that is done."""
        if raw_cell in self.foreseen and self._transformers() == self.usual:
            return self.foreseen[raw_cell]
        return str(super().transform_cell(raw_cell))

    def transform_ast(self, node: Any) -> Any:
        """A cell as it will be compiled."""
        node = super().transform_ast(node)
        if self.curve:
            instrument(node, self.curve)
        return node

    def _transformers(self) -> tuple[list[Any], ...]:
        manager = self.input_transformer_manager
        return (
            [*manager.cleanup_transforms],
            [*manager.line_transforms],
            [*manager.token_transformers],
            [*self.input_transformers_post],
        )

    async def run_ast_nodes(
        self,
        nodelist: list[Any],
        cell_name: str,
        interactivity: str = "last_expr",
        compiler: Any = compile,
        result: Any = None,
    ) -> Any:
        """Statement by statement, as IPython does, with a word in between."""
        if self.between is None or interactivity not in ("last_expr", "none"):
            return await super().run_ast_nodes(nodelist, cell_name, interactivity, compiler, result)
        nodes, index = list(nodelist), 0
        while True:
            nodes, cell_name = self.between(index, nodes, cell_name)
            if index >= len(nodes):
                return False
            how = interactivity if index == len(nodes) - 1 else "none"
            if await super().run_ast_nodes([nodes[index]], cell_name, how, compiler, result):
                return True
            index += 1

    @property
    def db(self) -> Any:
        """What `%cd` and `%store` remember: as long as the experiment lasts, in its own temporary folder."""
        if self._db is None:
            try:
                from IPython.external.pickleshare import PickleShareDB
            except ImportError:  # an older IPython
                from pickleshare import PickleShareDB
            self._db = PickleShareDB(os.path.join(tempfile.gettempdir(), "ipython"))
        return self._db

    @db.setter
    def db(self, made: Any) -> None:
        self._db = None  # where an older IPython makes one: it lies in the zygote's folder

    def enable_gui(self, gui: Any = None) -> None:
        """Nobody looks at windows here; figures that are drawn in the notebook need nothing."""
        self.active_eventloop = gui

    def system(self, cmd: str) -> None:
        """`!cmd`, without a terminal, which a process that is shut in cannot have; lines end as a terminal's do."""
        command = self.var_expand(cmd, depth=1)
        with subprocess.Popen(command, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            assert process.stdout is not None
            for line in process.stdout:
                sys.stdout.write(line.decode("utf-8", "replace").replace("\n", "\r\n"))
        self.user_ns["_exit_code"] = process.returncode


def make(channel: Channel) -> Shell:
    """The shell, warmed, with nothing executed; `sys.stdout` and `sys.stderr` are the channel's from now on."""
    with contextlib.suppress(AttributeError):  # by which cells are named; it goes through a text byte by byte
        compiler.murmur2_x86 = functools.lru_cache(FORESEEN)(compiler.murmur2_x86)
    session = ChannelSession()
    session.channel = channel
    config = Config({"HistoryManager": {"enabled": False}, "InteractiveShell": {"banner1": ""}})
    shell: Shell = Shell.instance(config=config, compiler_class=compiler.XCachingCompiler, kernel=_Kernel(session))
    shell.foreseen, shell.usual = {}, shell._transformers()
    shell.displayhook.session = shell.display_pub.session = session
    shell.displayhook.pub_socket = shell.display_pub.pub_socket = None
    shell.displayhook.get_execution_count = lambda: shell.execution_count
    shell.displayhook.topic, shell.display_pub.topic = b"execute_result", b"display_data"
    sys.stdout, sys.stderr = Stream(channel, "stdout"), Stream(channel, "stderr")
    _no_input(shell)
    _warm(shell, channel)
    return shell


def _no_input(shell: Shell) -> None:
    import builtins
    import getpass

    builtins.input = shell.kernel.raw_input
    getpass.getpass = shell.kernel.getpass


def _warm(shell: Shell, channel: Channel) -> None:
    """Execute something, so that what is made at its first use is made before the forks; then forget it.

    More than eight times: until then the interpreter counts in the code itself how often it was called, and a fork
    would copy those pages.
    """
    before, hidden = dict(shell.user_ns), dict(shell.user_ns_hidden)
    for source in ("1", "print('')", "raise KeyError", "from IPython.display import display; display(1)") * 3:
        shell.run_cell(source, store_history=True)  # type: ignore[no-untyped-call]
    for space, old in ((shell.user_ns, before), (shell.user_ns_hidden, hidden)):
        space.clear()
        space.update(old)
    shell.user_ns["In"][:] = [""]
    shell.user_ns["Out"].clear()
    shell.execution_count = 1
    shell.displayhook.flush()
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        if hasattr(sys, name):
            delattr(sys, name)
    history = shell.history_manager
    history.reset(new_session=False)
    history._i00 = history._i = history._ii = history._iii = ""
    shell.displayhook._, shell.displayhook.__, shell.displayhook.___ = "", "", ""
    getattr(shell.compile, "_filename_map", {}).clear()  # an older IPython has none
    channel.held.clear()
