"""A training that ended in an error: what its traceback says, and the line that it names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from jupyter_swarm.diagnosis.case import Case, Failure
from jupyter_swarm.diagnosis.signs import Fact, Sign

KIND = "failure"


class Known(NamedTuple):
    """An error that one meets, and what helps."""

    pattern: str
    what: str
    cure: str


KNOWN = (
    Known(
        r"CUDA out of memory|OutOfMemoryError|CUBLAS_STATUS_ALLOC_FAILED|ResourceExhausted|out of memory on device",
        "the accelerator's memory did not suffice",
        "a smaller batch with gradient accumulation, mixed precision, or activation checkpointing",
    ),
    Known(
        r"^MemoryError|Unable to allocate|Cannot allocate memory|DefaultCPUAllocator|DeadKernel|\bKilled\b",
        "the memory of the machine did not suffice, or its process was killed",
        "fewer rows at once, a smaller type (float32), or a loader that reads in pieces",
    ),
    Known(
        r"contains? (?:NaN|inf)|NaN,? infinity|must not contain (?:NaN|inf)|returned nan values"
        r"|(?:loss|gradient)\S* (?:is|was|became) (?:NaN|inf)",
        "NaN or infinity came in with the data or out of the model",
        "look for missing values (np.isnan(X).any(0)), impute or drop them, and check logarithms and divisions",
    ),
    Known(
        r"shapes? .*(?:cannot be multiplied|not aligned|mismatch|incompatible|invalid)|size mismatch|mat1 and mat2"
        r"|could not be broadcast|inconsistent numbers of samples|must match the size|size of tensor|Dimension \S+ must"
        r"|Expected input batch_size|Incompatible shapes|is expecting \d+ features|Found array with dim"
        r"|Expected 2D array|dimension mismatch|mismatch in its core dimension|Shapes \(",
        "two shapes do not fit together",
        "print the shapes before that line; the sizes in the message say which of them is the odd one",
    ),
    Known(
        r"FileNotFoundError|No such file or directory",
        "a file is missing",
        "a path from the notebook's folder, or --read PATH where a swarm's experiment has to see it",
    ),
    Known(
        r"PermissionError|Permission denied|Operation not permitted",
        "something was not permitted",
        "look at the file's rights; in a swarm's experiment --read PATH or --network",
    ),
    Known(
        r"ConnectionError|URLError|Network is unreachable|name resolution|ConnectTimeout|Max retries exceeded",
        "the network did not answer",
        "download before the training; in a swarm, --network lets experiments connect",
    ),
    Known(
        r"NCCL|ProcessGroup|Gloo|torch\.distributed|c10d|Watchdog caught collective",
        "the ranks lost one another",
        "read the log of the rank that failed first; the others only waited for it",
    ),
    Known(
        r"device-side assert|index out of range in self|Target \d+ is out of bounds|t < n_classes|CUDA error",
        "a label or an index lies outside of what the layer knows",
        "compare y.max() with the number of outputs and of embeddings; run once on the CPU for the exact line",
    ),
    Known(
        r"Expected all tensors to be on the same device|found at least two devices",
        "tensors lie on different devices",
        "move model and batch to one device before that line",
    ),
    Known(
        r"expected scalar type|Expected object of scalar type|must have the same dtype|dtype.*(?:mismatch|expected)"
        r"|could not convert string to float|unsupported operand type",
        "types do not fit together",
        "convert before that line: names to numbers, or to the type that the message names",
    ),
    Known(
        r"does not require grad|element 0 of tensors|through the graph a second time|modified by an inplace",
        "the gradient cannot be computed",
        "no .detach() or no_grad between parameters and loss; one backward a forward",
    ),
    Known(
        r"only one class|number of classes has to be greater than one|least populated class|contains only one label"
        r"|needs samples of at least 2 classes",
        "a class is missing from the data that were given",
        "a stratified split, or more rows of the rare class",
    ),
    Known(
        r"ConvergenceWarning|failed to converge|did not converge|Singular matrix|not positive definite|LinAlgError",
        "the solver did not converge",
        "scale the features, drop constant and duplicate ones, or allow more iterations",
    ),
    Known(
        r"ModuleNotFoundError|No module named|ImportError",
        "a package is missing",
        "install it in the environment of this kernel",
    ),
    Known(
        r"KeyError|not in index|has no attribute|NameError|is not defined",
        "a name is not there",
        "look at the spelling, and the cell that has to run before",
    ),
    Known(
        r"KeyboardInterrupt|SIGTERM|SIGKILL|SIGINT",
        "somebody ended it",
        "begin again from its last checkpoint",
    ),
)
"""In the order in which they are tried."""

REASONS = {
    "timeout": ("it ran out of time", "a larger --timeout, fewer steps, or a smaller part of the data"),
    "missing": ("it gave no metric", "see to it that the cell assigns the metric on every path"),
    "nonfinite": (
        "its metric is no finite number",
        "find the step at which values become NaN: log the loss at each one",
    ),
    "bounds": (
        "it did not keep what was asked by --keep",
        "look at the values that were recorded, or set another condition",
    ),
    "pruned": ("screening ended it early, since its curve was behind its peers", "nothing: others were better"),
    "locked": ("it touched what no agent may touch", "leave metric, split and evaluated rows as they are"),
    "refused": ("it was not run: code that nobody has read, where it cannot be shut in", "jupyter swarm doctor"),
    "stopped": ("it was stopped", "resume the swarm"),
    "lost": ("it was lost with its runner", "resume the swarm: it runs again"),
}
"""Reason of a run without a traceback → what it means, and the cure."""

_OURS = re.compile(r"site-packages|dist-packages|lib/python\d|<frozen|<__array_function__|importlib")
_FRAME = re.compile(
    r"^\s*(?:File \"(?P<file>[^\"]+)\", line (?P<line>\d+)|(?:Input In|Cell In|In)\s*(?P<cell>\[[^\]]*\]),? "
    r"line (?P<at>\d+)|File (?P<path>\S+?):(?P<number>\d+))"
)
_ERROR = re.compile(
    r"^(?:[\w.]*\.)?(?P<type>[A-Z]\w*(?:Error|Exception|Interrupt|Warning|Exit|Iteration|Exhausted\w*))\b:?"
)


@dataclass(frozen=True)
class Place:
    """A line of code that a traceback names."""

    where: str
    line: int
    code: str = ""


def failure(case: Case) -> list[Sign] | None:
    """What ended the training, as far as its error says."""
    if case.failure is None:
        return None
    found = case.failure
    said = error_of(found)
    known = next((each for each in KNOWN if re.search(each.pattern, said, re.IGNORECASE | re.MULTILINE)), None)
    facts = [Fact(says=said.splitlines()[0][:400])] if said else []
    place = place_of(found.traceback)
    if place is not None:
        facts.append(Fact(says=f"{place.where}, line {place.line}" + (f": {place.code}" if place.code else "")))
    if found.reason in REASONS and known is None:
        what, cure = REASONS[found.reason]
    elif known is not None:
        what, cure = known.what, known.cure
    else:
        what, cure = "it ended in an error", "look at the line that the traceback names"
    return [
        Sign(kind=KIND, what=what, evidence=tuple(facts), cure=cure, weight=1.0 if found.reason != "pruned" else 0.2)
    ]


def error_of(found: Failure) -> str:
    """The error's last line (type and message), from the traceback where there is one."""
    lines = found.traceback.strip().splitlines()
    for place in range(len(lines) - 1, -1, -1):
        if _ERROR.match(lines[place]):
            return "\n".join([lines[place], *lines[place + 1 : place + 4]]).strip()
    return found.message.strip() or (lines[-1].strip() if lines else "")


def place_of(traceback: str) -> Place | None:
    """The innermost line of the person's own code, else the innermost of all.

    >>> place_of('  File "train.py", line 7, in step\\n    loss.backward()\\nRuntimeError: x')
    Place(where='train.py', line=7, code='loss.backward()')
    """
    lines = traceback.splitlines()
    found: list[Place] = []
    for place, line in enumerate(lines):
        match = _FRAME.match(line)
        if match is None:
            continue
        where = match["file"] or match["path"] or f"cell {match['cell'].strip('[]')}"
        number = int(match["line"] or match["at"] or match["number"])
        found.append(Place(where, number, _code(lines[place + 1 : place + 12], number)))
    own = [each for each in found if not _OURS.search(each.where)]
    chosen = own or found
    return chosen[-1] if chosen else None


def _code(lines: list[str], number: int) -> str:
    """The code of a frame: after an arrow (IPython), else on the next line (Python)."""
    for line in lines:
        if arrow := re.match(rf"-+>\s*{number}\s(.*)", line):
            return arrow[1].strip()
        if _FRAME.match(line):
            break
    first = lines[0] if lines else ""
    return first.strip() if first.startswith("    ") and not first.strip()[:1].isdigit() else ""
