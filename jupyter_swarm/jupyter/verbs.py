"""The table of verbs: magic, terminal, help and completion follow from it.

Loading it is cheap: what carries a verb out is named as `module:function` and loaded when first asked for.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Literal

from jupyter_swarm.errors import UsageError
from jupyter_swarm.jupyter.options import (
    Argument,
    cell_numbers,
    count,
    counts,
    nearest,
    parse,
    role_and_count,
    role_and_mind,
    share,
)
from jupyter_swarm.settings import PRUNING, parse_budget, parse_seconds

if TYPE_CHECKING:
    from jupyter_swarm.jupyter.pages import Answer
    from jupyter_swarm.workspace import Workspace

Face = Literal["notebook", "terminal"]
COMMANDS: Mapping[Face, str] = {"notebook": "%swarm", "terminal": "jupyter swarm"}
BUDGET = "2m"
"""The budget of a swarm for which none is given."""


@dataclass(frozen=True)
class Asked:
    """A verb with its values, and where it is to be carried out."""

    options: SimpleNamespace
    workspace: Workspace
    face: Face = "notebook"

    @property
    def command(self) -> str:
        """How a person writes the next verb on this face."""
        return COMMANDS[self.face]


@dataclass(frozen=True)
class Verb:
    """One thing that a person can ask for."""

    name: str
    help: str
    action: str
    """`module:function` of this room; the function takes an `Asked` and returns an `Answer`."""
    arguments: tuple[Argument, ...] = ()
    more: str = ""
    examples: tuple[str, ...] = ()
    face: Face | None = None
    """The only face that has it; None for all."""

    def usage(self, command: str) -> str:
        """The line that shows how it is written.

        >>> VERBS["open"].usage("%swarm")
        '%swarm open NAME N'
        """
        return " ".join([command, self.name, *(each.usage for each in self.arguments)]).replace("  ", " ").strip()

    def carry_out(self, asked: Asked) -> Answer:
        """Load what does it, and do it."""
        module, _, function = self.action.partition(":")
        answer: Answer = getattr(importlib.import_module(f"jupyter_swarm.jupyter.{module}"), function)(asked)
        return answer


_ONE = Argument("name", "which swarm; may be left out where there is only one", completes="swarm")
_NAMED = Argument("name", "which swarm", required=True, completes="swarm")

SWARM = (
    Argument("--maximize", "what to measure: a name that the cell assigns; more is better", metavar="METRIC",
             completes="metric"),
    Argument("--minimize", "likewise, where less is better", metavar="METRIC", completes="metric"),
    Argument("--budget", f"time, experiments or both: 90s, 2m, 500x, 2m,500x ({BUDGET} where not given); for language "
             "models also dollars and tokens: 2m,2usd or 2m,500kt",
             kind=parse_budget, metavar="BUDGET"),
    Argument("--agents", "how many agents (16 where not given)", kind=count, metavar="N"),
    Argument("--workers", "how many experiments at once (as many as cores where not given)", kind=count, metavar="N"),
    Argument("--timeout", "the longest that a run may take, as in 60s (from the baseline's time where not given)",
             kind=parse_seconds, metavar="TIME"),
    Argument("--seed", "of the swarm's own choices (0 where not given)", kind=int, metavar="N"),
    Argument("--vary", "vary this alone, also NAME=low..high or NAME=a|b; repeat it or separate names by commas",
             metavar="NAME", many=True),
    Argument("--record", "record the values of these names in each run, besides the metric; repeat it or separate "
             "names by commas", metavar="NAME", many=True),
    Argument("--keep", 'what a variation has to keep, as in "latency_ms <= 5"; seconds and peak_mb are always known',
             metavar="CONDITION", many=True),
    Argument("--min-effect", "the smallest effect that counts, in units of the metric (half the baseline's standard "
             "deviation where not given)", kind=float, metavar="X"),
    Argument("--equivalent", "also look for what is cheaper and as good: worse by no more than X, in units of "
             "the metric", kind=float, metavar="X"),
    Argument("--confirm", "measure supported findings once on data that no run has seen: an expression that gives the "
             "metric on them, as in 'accuracy_score(y_new, model.predict(X_new))'", metavar="EXPR"),
    Argument("--tradeoff", "a second objective: a name that the cell assigns, seconds or peak_mb (less is better, or "
             "NAME:max); the report shows between what one has to choose", metavar="NAME"),
    Argument("--prune", "how screening ends runs whose curve is hopeless (median where not given); runs that count as "
             "evidence are never ended", choices=PRUNING),
    Argument("--cells", "join these earlier cells to this one, by the numbers beside them, as in 3-6,8",
             kind=cell_numbers, metavar="CELLS", many=True),
    Argument("--setup", "execute these earlier cells again before it, for what cannot be taken along (a loader, a "
             "connection); they are never varied", kind=cell_numbers, metavar="CELLS", many=True),
    Argument("--fix", "never vary this; repeat it or separate names by commas", metavar="NAME", many=True),
    Argument("--mind", "how the agents think (classical where not given)", metavar="MIND", completes="mind"),
    Argument("--model", "let some agents think with this language model, as in openai:gpt-5-mini, ollama:qwen3 or "
             "local:NAME; repeat it for several (`%swarm models` says which can be asked)", metavar="MODEL", many=True),
    Argument("--base-url", "where these models are asked: a server that speaks the provider's protocol", metavar="URL"),
    Argument("--confirmation", "share of the budget that is set aside for confirming (50% where not given)",
             kind=share, metavar="SHARE"),
    Argument("--gpus", "how many GPUs there are to deal out, one to each experiment at once", kind=count, metavar="N"),
    Argument("--network", "let experiments open connections, which they may not otherwise", flag=True),
    Argument("--read", "let experiments read this file or folder too; what your own cell reads is granted already",
             metavar="PATH", many=True),
    Argument("--unsafe", "run code that nobody has read even where this machine cannot shut it in "
             "(`jupyter swarm doctor`)", flag=True),
    Argument("--new", "start another swarm even though nothing has changed", flag=True),
    Argument("--plan", "show what was found in the cell and what the budget buys; start nothing", flag=True),
    Argument("--wait", "wait until it is over; interrupting the wait leaves the swarm running", flag=True),
)  # fmt: skip
"""What a swarm is asked for with, in a notebook and in a terminal."""

CELL = Verb(
    "",
    "Give the cell to a swarm; returns at once with a live view.",
    "swarming:cell",
    (
        Argument("name", "what to call it (swarm where not given)", completes="swarm"),
        *SWARM,
        Argument("--here", "run the cell in the notebook too, so that its variables are there", flag=True),
    ),
    "An unchanged cell run again shows the same swarm again; a changed one starts a new swarm (wine-2). Braces in the "
    "cell mean what Python means by them; {{name}} on this line is the notebook's variable of that name.",
    (
        "%%swarm wine --maximize accuracy --budget 2m --agents 16",
        "%%swarm --minimize loss --budget 200x --vary lr=1e-4..1e-1 --plan",
    ),
    "notebook",
)
"""`%%swarm` itself."""

_TABLE = (
    Verb(
        "run",
        "Give a cell from a file to a swarm.",
        "swarming:run",
        (
            Argument("file", "a Python file or a notebook", required=True, completes="path"),
            Argument("--name", "what to call it (the file's name, or the one in the notebook, where not given)",
                     completes="swarm"),
            *SWARM,
        ),
        "In a Python file whose cells begin with `# %%` the last cell is given, and those before it are its context. "
        "In a notebook it is the cell that begins with %%swarm; what its first line says holds where the command says "
        "nothing. A Python file without such marks is one cell.",
        ("jupyter swarm run cell.py --maximize accuracy --budget 60s --wait --json",
         "jupyter swarm run study.ipynb --wait"),
        "terminal",
    ),
    Verb(
        "this",
        "Give an expression to a swarm, whose value is the metric.",
        "swarming:this",
        (
            Argument("expression", "Python, without quotation marks around it; it ends where the options begin",
                     required=True),
            Argument("--name", "what to call the swarm (swarm where not given)", completes="swarm"),
            *SWARM,
        ),
        "The value is called what --maximize or --minimize says. Whatever the expression needs is taken from the "
        "notebook.",
        ("%swarm this train(cfg) --minimize loss --budget 10m", "%swarm this evaluate(lr=0.1,depth=3) --maximize f1"),
        "notebook",
    ),
    Verb("status", "What it is doing, what it has spent, where it looks.", "actions:status", (_ONE,),
         examples=("%swarm status wine",)),
    Verb("findings", "What was supported, refuted and left open, with effects and citations.", "actions:findings",
         (_ONE,), examples=("%swarm findings wine",)),
    Verb("best", "The best cell, measured again on untouched seeds; in a notebook its code comes as a new cell.",
         "actions:best", (_ONE,), examples=("%swarm best wine",)),
    Verb("open", "The executed notebook of a run, as a copy beside your notebooks.", "actions:open_run",
         (_NAMED, Argument("number", "the run's number", kind=count, metavar="N", required=True)),
         "A file of yours is never written over.", ("%swarm open wine 17",)),
    Verb(
        "export",
        "Write executed notebooks of runs into a folder.",
        "exporting:export",
        (
            _ONE,
            Argument("--run", "this run; repeat it or separate numbers by commas", kind=counts, metavar="N", many=True),
            Argument("--needed", "all runs that a finding, the baseline or the best rests on (what is written where "
                     "nothing is said)", flag=True),
            Argument("--all", "every run that left a notebook", flag=True),
            Argument("--to", "the folder (NAME-runs where not given)", metavar="FOLDER", completes="path"),
        ),
        "papermill runs such a notebook again to the same metric, as long as the captured data are in .swarm. A file "
        "of yours is never written over.",
        ("%swarm export wine --run 17", "%swarm export wine --all --to notebooks"),
    ),
    Verb("report", "Write the report notebook.", "actions:report", (_ONE,), examples=("%swarm report wine",)),
    Verb("watch", "Show it live; a terminal waits until it is over.", "actions:watch", (_ONE,),
         "Interrupting leaves the swarm running.", ("%swarm watch wine",)),
    Verb("pause", "Start no more work; what runs may finish.", "actions:pause", (_ONE,)),
    Verb("resume", "Go on, with a new runner where there is none; no finished run is repeated.", "actions:resume",
         (_ONE,)),
    Verb("stop", "End it now; findings so far stay.", "actions:stop", (_ONE,)),
    Verb(
        "steer",
        "Change its course; it answers whether that was done, or why not.",
        "steering:steer",
        (
            _NAMED,
            Argument("target", "a direction: its number, or words of its title", completes="direction"),
            Argument("--priority", "weight of the direction: 0 rests it, 1 is neutral", kind=float, metavar="NUMBER"),
            Argument("--close", "send no more work to the direction", flag=True),
            Argument("--add", "open a direction: TARGET says in words what to look at", flag=True),
            Argument("--approve", "let a hypothesis be tested next; once judged: you have read its code. The number of "
                     "a direction (D3): its hypotheses without a verdict, and priority 2 or more", metavar="H|D"),
            Argument("--veto", "leave a hypothesis out of the answer; or close a direction, and leave out its "
                     "hypotheses without a verdict", metavar="H|D"),
            Argument("--replicate", "repeat a run on fresh seeds", kind=count, metavar="N"),
            Argument("--hire", "one more agent of this role, with one of the swarm's minds: tuner, coder:local:qwen3",
                     kind=role_and_mind, metavar="ROLE[:MIND]", completes="newcomer"),
            Argument("--dismiss", "send no more work to this agent; what it has under way ends as usual",
                     metavar="AGENT", completes="agent"),
            Argument("--resize", "hire, or dismiss those with the worst records, until so many of a role work: tuner=6",
                     kind=role_and_count, metavar="ROLE=N", completes="size"),
            Argument("--budget", "a new budget, as in 5m or 500x", kind=parse_budget, metavar="BUDGET"),
        ),
        "One change at a time.",
        ('%swarm steer wine "scaling" --priority 3', "%swarm steer wine --veto H3",
         "%swarm steer wine --resize tuner=6", "%swarm steer wine --budget 10m"),
    ),
    Verb("plan", "What may vary in a swarm's cell, and what is locked. Before there is one: %%swarm --plan.",
         "actions:plan", (_ONE,), examples=("%swarm plan wine",)),
    Verb("list", "All swarms of this folder.", "actions:list_all"),
    Verb(
        "papers",
        "The library: add, list, search.",
        "library:papers",
        (
            Argument("what", "add, list or search", choices=("add", "list", "search"), required=True),
            Argument("words", "files, folders, patterns or module:NAME to add; words to search for", metavar="WORDS",
                     many=True, completes="path"),
        ),
        "module:NAME adds the documentation of an installed package.",
        ("%swarm papers add module:sklearn.preprocessing notes/*.md papers/*.pdf",
         '%swarm papers search "feature scaling"'),
    ),
    Verb(
        "ask",
        "Answer a question from the library, with citations; no swarm is needed.",
        "asking:ask",
        (
            Argument("question", "in quotation marks", metavar="QUESTION", many=True, required=True),
            Argument("--model", "the language model that answers, as in openai:gpt-5-mini, ollama:qwen3 or local:NAME "
                     "(JUPYTER_SWARM_MODEL where not given; without any, the best quotations are shown)",
                     metavar="MODEL"),
            Argument("--base-url", "where it is asked: a server that speaks the provider's protocol "
                     "(JUPYTER_SWARM_BASE_URL where not given)", metavar="URL"),
        ),
        "A model's sentences come as it writes them. A program checks each: its quotation stands word for word in the "
        "passage that it names, and its numbers stand there too; what fails is struck out. Whether a sentence says "
        "what its quotation says is yours to judge. One question takes 60,000 tokens at most.",
        ('%swarm ask "Does scaling help support vector machines?"',
         '%swarm ask "Does scaling help trees?" --model local:qwen3 --base-url http://127.0.0.1:8000/v1'),
    ),
    Verb("clean", "Free what no finding needs: notebooks of screening runs, data of swarms that are gone.",
         "actions:clean", (Argument("name", "which swarm (all that are not at work where not given)",
                                    completes="swarm"),)),
    Verb("doctor", "Which layers shut experiments in on this machine, each one tried.", "doctor:doctor", (),
         "In a terminal the exit status is 1 where seccomp or Landlock is missing; the others add to these.",
         ("%swarm doctor",)),
    Verb(
        "runner",
        "Where runners and the librarian live: in the environment of who starts them, or in one that is chosen.",
        "environments:runner",
        (
            Argument("--env", "live there from now on, in this folder: a virtual environment, a conda prefix or an "
                     "interpreter; own: in the environment of who starts them", metavar="PATH", completes="path"),
        ),
        "Without --env it says where that is, and which runners live. Experiments run in the notebook's own "
        "environment in any case.",
        ("%swarm runner", "%swarm runner --env ~/envs/swarm"),
    ),
    Verb(
        "models",
        "Which language models can be asked from here, and why others cannot; with MODEL, try one call.",
        "models:models",
        (
            Argument("model", "PROVIDER:NAME, as in openai:gpt-5-mini, ollama:qwen3 or local:NAME"),
            Argument("--base-url", "a server that speaks the provider's protocol, as in http://127.0.0.1:8000/v1",
                     metavar="URL"),
        ),
        "A key comes from the environment (OPENAI_API_KEY), from a keyring (service jupyter-swarm), or from "
        "~/.config/jupyter-swarm/keys.toml, which you alone may be able to read. local: and ollama: are asked on this "
        "machine only.",
        ("%swarm models", "%swarm models local:qwen3 --base-url http://127.0.0.1:8000/v1"),
    ),
    Verb(
        "diagnose",
        "Why a training does not make progress: tests over what it logged, its data, or the error that ended it.",
        "diagnosing:diagnose",
        (
            Argument("what", "a history (list, dictionary, frame, object with .history) by its name or an expression, "
                     "the path of a log file, or a swarm", metavar="EXPR", required=True, completes="swarm"),
            Argument("X", "its features, by name or an expression; after a swarm, the number of a run"),
            Argument("y", "its labels or targets", metavar="y"),
            Argument("--model", "let this language model say which cause would make these signs together; it is told "
                     "the signs and their numbers, and nothing else", metavar="MODEL"),
            Argument("--base-url", "where it is asked", metavar="URL"),
        ),
        "Each sign comes with its numbers and what to try; - in place of EXPR looks at X and y alone. A terminal takes "
        "log files (CSV, JSON lines, lines such as `epoch 3 loss=0.42`) and runs of swarms.",
        ("%swarm diagnose history", "%swarm diagnose history X_train y_train", "%swarm diagnose train.log",
         "%swarm diagnose wine 12"),
    ),
    Verb("spend", "What language models took: by agent, role and model.", "spending:spend",
         (Argument("name", "which swarm (all of them, and questions asked without one, where not given)",
                   completes="swarm"),),
         "Prices that nobody knows are said to be unknown. Yours: ~/.config/jupyter-swarm/prices.toml.",
         ("%swarm spend", "%swarm spend wine")),
    Verb("help", "What there is, or how a verb is used.", "help:help", (Argument("verb", "which", completes="verb"),)),
)  # fmt: skip

VERBS: Mapping[str, Verb] = {verb.name: verb for verb in _TABLE}

TERMINAL = (
    Argument("--workspace", "the folder that holds .swarm", metavar="FOLDER", completes="path"),
    Argument("--json", "print one JSON object and nothing else", flag=True),
)
"""Options that every verb has in a terminal."""


def find(name: str, face: Face) -> Verb:
    """The verb of this name.

    Raises:
        UsageError: there is none, or not here.

    >>> find("status", "terminal").name
    'status'
    """
    verb = VERBS.get(name)
    if verb is None:
        known = [each for each in VERBS if VERBS[each].face in (None, face)]
        cure = nearest(name, known)
        if face == "notebook" and cure.startswith("one of"):
            cure = f"%%swarm {name} …, with two %, for a cell; {cure}"
        raise UsageError(f"{COMMANDS[face]} has no verb {name!r}", cure=cure)
    if verb.face not in (None, face):
        raise UsageError(f"{name} is for a terminal", cure="begin the cell with %%swarm")
    return verb


def read(verb: Verb, words: Sequence[str], face: Face) -> SimpleNamespace:
    """The values of a verb's arguments (those that every verb has in a terminal included).

    Raises:
        UsageError: they do not fit.
    """
    if face == "notebook":
        return parse("%%swarm" if verb is CELL else f"%swarm {verb.name}", verb.arguments, words)
    return parse(f"jupyter swarm {verb.name}", (*verb.arguments, *TERMINAL), words)
