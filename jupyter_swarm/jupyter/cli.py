"""`jupyter swarm …`: the verbs in a terminal.

Exit status: 0 done; 1 something failed (the message is on stderr); 2 the command makes no sense; 130 interrupted: a
swarm that was waited for goes on.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from jupyter_swarm import __version__
from jupyter_swarm.errors import SwarmError, UsageError
from jupyter_swarm.jupyter import needs

if TYPE_CHECKING:
    from jupyter_swarm.jupyter.pages import Answer

DONE, FAILED, MISUSED, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out a command; its exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _command(words)
    except UsageError as error:
        return _sorry(str(error), MISUSED)
    except SwarmError as error:
        return _sorry(str(error), FAILED)
    except KeyboardInterrupt:
        return _sorry("interrupted; nothing was started", INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python complains once more as it closes stdout
        return FAILED
    except OSError as error:
        return _sorry(f"{error.strerror or error}" + (f": {error.filename}" if error.filename else ""), FAILED)


def _command(words: list[str]) -> int:
    if words[:1] == ["--version"]:
        print(f"jupyter-swarm {__version__}")
        return DONE
    needs.check("terminal")
    from jupyter_swarm.jupyter import help, verbs
    from jupyter_swarm.workspace import Workspace

    if not words or words[0] in ("--help", "-h"):
        help.overview("terminal").show()
        return DONE
    if words[0].startswith("-"):
        raise UsageError(f"{words[0]} comes before any verb", cure="the verb first, as in jupyter swarm status --json")
    verb = verbs.find(words[0], "terminal")
    if "--help" in words or "-h" in words:
        help.of(verb, "terminal").show()
        return DONE
    options = verbs.read(verb, words[1:], "terminal")
    workspace = Workspace(options.workspace)
    if options.workspace and not workspace.folder.is_dir():
        raise UsageError(f"the folder {options.workspace} does not exist", where="--workspace", cure="one that does")
    answer = verb.carry_out(verbs.Asked(options, workspace, "terminal"))
    if answer.wait:
        return _wait(answer, options.json)
    return _tell(answer, options.json)


def _tell(answer: Answer, as_json: bool) -> int:
    """Print an answer."""
    if as_json:
        print(json.dumps(answer.data, ensure_ascii=False, allow_nan=False))
    else:
        answer.show()
    sys.stdout.flush()
    return answer.status


def _wait(answer: Answer, as_json: bool) -> int:
    """Say what has begun, wait until it is over, print what came of it."""
    from jupyter_swarm.jupyter.actions import ended
    from jupyter_swarm.jupyter.pages import Table, visible
    from jupyter_swarm.jupyter.waiting import Line

    swarm = answer.watch
    assert swarm is not None, "only a swarm is waited for"
    for part in answer.parts:
        print(visible(part.plain()), file=sys.stderr, flush=True)
    line = Line()
    try:
        swarm.wait(watch=line.watch)
    except KeyboardInterrupt:
        line.end()
        there = f" --workspace {swarm.workspace.folder}"
        words = f"interrupted; {swarm.name} goes on. To follow it: jupyter swarm watch {swarm.name}{there}"
        return _sorry(words, INTERRUPTED)
    line.end()
    last = ended(swarm)
    if last.status != DONE and as_json:
        for part in last.parts:
            if not isinstance(part, Table):
                print(visible(part.plain()), file=sys.stderr)
    return _tell(last, as_json)


def _sorry(text: str, status: int) -> int:
    from jupyter_swarm.jupyter.pages import visible

    print(f"jupyter swarm: {visible(text)}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
