"""The one error tree. A message says what is wrong, where, and the cure.

Everything that a person can cause derives from :class:`SwarmError`; the faces show its text without a traceback.

    SwarmError
    ├── CellError          the cell cannot be used as it is
    │   ├── LockError      a variation touches what no agent may touch
    │   ├── EditError      a variation does not fit the code it is applied to
    │   └── CaptureError   a variable cannot be taken along
    ├── MergeError         code that a language model wrote cannot be merged into a cell
    ├── UsageError         an unknown option, verb, swarm, role; a budget that is nonsense
    │   └── PolicyError    an administrator does not allow it
    ├── LibraryError       a paper that cannot be read, a module that is not installed
    ├── LedgerError        the ledger cannot be read or written
    │   ├── LeaseLost      another runner has taken over
    │   └── LedgerVersionError   the ledger was written by a newer version
    ├── WorkspaceError     the folder cannot be used (read-only, full, missing)
    └── LaboratoryError    no experiment can be run at all (a failed experiment is a result, not an error)
"""

from __future__ import annotations


class SwarmError(Exception):
    """What is wrong, where, and the cure.

    >>> str(SwarmError("no budget", where="--budget 0s", cure="give it at least one second, as in --budget 2m"))
    'no budget (--budget 0s). Try: give it at least one second, as in --budget 2m'
    """

    def __init__(self, what: str, *, where: str = "", cure: str = "") -> None:
        self.what, self.where, self.cure = what, where, cure
        text = what
        if where:
            text += f" ({where})"
        if cure:
            text += f". Try: {cure}"
        super().__init__(text)


class CellError(SwarmError):
    """The cell cannot be used as it is."""


class LockError(CellError):
    """A variation touches the metric, the split, the seeds or the data that they evaluate."""


class EditError(CellError):
    """A variation does not fit the code it is applied to."""


class CaptureError(CellError):
    """A variable of the notebook cannot be taken along; the message names it."""


class MergeError(SwarmError):
    """What a language model wrote cannot be merged into a cell; the text is written for the model, too."""


class UsageError(SwarmError):
    """An unknown option, verb, swarm or role, or a value that makes no sense."""


class PolicyError(UsageError):
    """An administrator does not allow it; the message says what is allowed."""


class LibraryError(SwarmError):
    """A paper cannot be read, or a module is not installed."""


class LedgerError(SwarmError):
    """The ledger cannot be read or written."""


class LeaseLost(LedgerError):
    """Another runner holds this swarm now; nothing was appended."""


class LedgerVersionError(LedgerError):
    """The ledger was written by a newer version of jupyter-swarm."""


class WorkspaceError(SwarmError):
    """The workspace folder cannot be used."""


class LaboratoryError(SwarmError):
    """No experiment can be run at all: a kernel does not start, an interpreter differs from the captured one."""
