"""`%swarm` and `%%swarm`: parse, delegate, show. All else is imported with the first verb, not by `%load_ext`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError as Told
from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand

from jupyter_swarm.errors import SwarmError, UsageError
from jupyter_swarm.jupyter import needs

if TYPE_CHECKING:
    from types import SimpleNamespace

    from jupyter_swarm.api import Swarm
    from jupyter_swarm.jupyter.pages import Answer
    from jupyter_swarm.jupyter.view.live import SwarmView
    from jupyter_swarm.jupyter.view.picture import Picture

_NO_SPACE = {28: "the disk is full", 30: "the file system is read-only", 122: "the disk quota is used up"}


@magics_class
class SwarmMagics(Magics):  # type: ignore[misc]
    """The two magics of one shell."""

    @no_var_expand  # type: ignore[untyped-decorator]
    @line_cell_magic  # type: ignore[untyped-decorator]
    def swarm(self, line: str, cell: str | None = None) -> None:
        """Give a cell to a swarm of agents that varies, tunes, reads and verifies it.

            %%swarm wine --maximize accuracy --budget 2m --agents 16
            %swarm status wine
            %swarm help

        `%swarm help` lists the verbs, `%swarm help VERB` explains one, `%swarm help %%swarm` the cell's first line.
        """
        with self._spoken():
            self._do(line, cell)

    def _do(self, line: str, cell: str | None) -> None:
        needs.check("notebook")
        from jupyter_swarm.jupyter import help, verbs
        from jupyter_swarm.jupyter.options import split

        if cell is None and line.split()[:1] == ["this"] and "--help" not in line.split():
            self._begin_this(line)
            return
        words = split(line, self.shell.user_ns)
        if cell is not None:
            if "--help" in words:
                self._show(help.of(verbs.CELL, "notebook"))
            else:
                self._begin(words, cell)
            return
        if not words or words[0] == "--help":
            self._show(help.overview("notebook"))
            return
        verb = verbs.find(words[0], "notebook")
        if "--help" in words:
            self._show(help.of(verb, "notebook"))
            return
        from jupyter_swarm.workspace import Workspace

        options = verbs.read(verb, words[1:], "notebook")
        self._show(verb.carry_out(verbs.Asked(options, Workspace(), "notebook")))

    def _begin(self, words: list[str], cell: str) -> None:
        from jupyter_swarm.jupyter import verbs

        self._start(cell, verbs.read(verbs.CELL, words, "notebook"))

    def _begin_this(self, line: str) -> None:
        """`%swarm this EXPRESSION`: its words may hold quotation marks of Python."""
        from jupyter_swarm.jupyter import swarming, verbs
        from jupyter_swarm.jupyter.options import split

        text, rest = swarming.expression(line)
        words = [*([text] if text else []), *split(rest, self.shell.user_ns)]
        options = verbs.read(verbs.VERBS["this"], words, "notebook")
        options.here = False
        self._start(swarming.cell_of(text, options), options)

    def _start(self, cell: str, options: SimpleNamespace) -> None:
        """Give a cell to a swarm, and show it."""
        from pathlib import Path

        from jupyter_swarm.jupyter.swarming import begin
        from jupyter_swarm.jupyter.waiting import capturing
        from jupyter_swarm.workspace import Workspace

        with capturing("notebook" if self._page else "terminal") as progress:
            answer = begin(
                cell,
                options,
                self.shell.user_ns,
                workspace=Workspace(),
                folder=Path.cwd(),
                earlier=self._earlier(),
                progress=progress,
            )
        if options.here and answer.watch is not None:
            answer.wait = False
        self._show(answer)
        if answer.watch is not None and options.here:
            self._run_here(cell, answer.watch)
            if options.wait:
                self._wait(answer.watch)

    def _earlier(self) -> dict[int, str]:
        """What was run in this session, as typed, by the numbers beside the cells."""
        return dict(enumerate(self.shell.history_manager.input_hist_raw))

    def _run_here(self, cell: str, swarm: Swarm) -> None:
        """Run the cell as if it had no magic.

        Raises:
            Told: it failed; its traceback has been shown.
        """
        result = self.shell.run_cell(cell, store_history=False)
        if not result.success:
            raise Told(f"the cell failed in the notebook (above); its swarm {swarm.name} goes on by itself")

    # ------------------------------------------------------------ showing

    @property
    def _page(self) -> bool:
        """Whether a front end shows widgets (a terminal's IPython does not)."""
        return getattr(self.shell, "kernel", None) is not None

    def _show(self, answer: Answer) -> None:
        from IPython.display import display

        shown: SwarmView | Picture | None = None
        if answer.parts and self._page:
            display(answer)
        elif answer.parts:
            answer.show()
        if answer.watch is not None and self._page:
            from jupyter_swarm.jupyter import view

            shown = view.show(answer.watch)
        elif answer.watch is not None and not answer.wait and not answer.parts:
            from jupyter_swarm.jupyter.waiting import line_of

            print(line_of(answer.watch.state, answer.watch.alive))
        if answer.cell:
            self.shell.set_next_input(answer.cell, replace=False)
        if answer.watch is not None and answer.wait:
            self._wait(answer.watch, shown)

    def _wait(self, swarm: Swarm, shown: SwarmView | Picture | None = None) -> None:
        """Block until it is over, and show what came of it (in the view too, since nothing may run after this cell).

        Raises:
            Told: interrupted; the swarm goes on.
        """
        from jupyter_swarm.jupyter.actions import ended
        from jupyter_swarm.jupyter.waiting import Line

        line = None if self._page else Line()
        try:
            swarm.wait(watch=line.watch if line else None)
        except KeyboardInterrupt:
            raise Told(
                f"the wait was interrupted; {swarm.name} goes on in the background "
                f"(%swarm watch {swarm.name} shows it, %swarm stop {swarm.name} ends it)"
            ) from None
        finally:
            if line:
                line.end()
        if shown is not None:
            shown.refresh()
        self._show(ended(swarm))

    @contextmanager
    def _spoken(self) -> Iterator[None]:
        """A mistake is said in one line, without a traceback; "Run All" stops at it all the same."""
        try:
            yield
        except SwarmError as error:
            cure = error.cure
            if isinstance(error, UsageError) and cure.endswith(" --help"):
                cure = f"%swarm help {cure.removesuffix(' --help').removeprefix('%swarm ')}"
                error = UsageError(error.what, where=error.where, cure=cure)
            raise Told(str(error)) from None
        except KeyboardInterrupt:
            raise Told("interrupted; %swarm list shows what has begun") from None
        except OSError as error:
            if error.errno not in _NO_SPACE:
                raise
            raise Told(f"{_NO_SPACE[error.errno]} ({error.filename or 'the workspace'})") from None


def load(shell: Any) -> None:
    """Register the magics and their completion; harmless when called again."""
    unload(shell)
    shell.register_magics(SwarmMagics)
    completer = getattr(shell, "Completer", None)
    if completer is None:
        return
    try:
        from IPython.core.completer import context_matcher
    except ImportError:  # before IPython 8.6, as on Colab: everything but the completion
        return

    @context_matcher(identifier="jupyter-swarm", priority=1000)  # type: ignore[untyped-decorator]
    def matcher(context: Any) -> Any:
        return _complete(shell, context)

    completer.custom_matchers.append(matcher)


def unload(shell: Any) -> None:
    """Take magics and completion back."""
    manager = shell.magics_manager
    for kind in ("line", "cell"):
        manager.magics[kind].pop("swarm", None)
    manager.registry.pop("SwarmMagics", None)
    completer = getattr(shell, "Completer", None)
    if completer is not None:
        kept = [
            each for each in completer.custom_matchers if getattr(each, "matcher_identifier", "") != "jupyter-swarm"
        ]
        completer.custom_matchers[:] = kept


def _complete(shell: Any, context: Any) -> Any:
    """For IPython's completer: what may stand at the cursor of a line of ours."""
    before = context.text_until_cursor
    if not before.lstrip().startswith(("%swarm ", "%%swarm ")):
        return {"completions": []}
    from IPython.core.completer import SimpleCompletion

    from jupyter_swarm.jupyter.completion import complete

    body = "\n".join(context.full_text.split("\n")[context.cursor_line + 1 :])
    fragment, found = complete(before, body)
    return {
        "completions": [SimpleCompletion(text=each, type="option") for each in found],
        "matched_fragment": fragment,
        "suppress": bool(found),
        "ordered": True,
    }
