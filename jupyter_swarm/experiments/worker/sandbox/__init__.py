"""What an experiment may not do: the layers that shut it in, after its fork and before its first line.

    policy.py      what is allowed, as plain data
    seccomp.py     which system calls (bpf.py: how a filter is written)
    landlock.py    which files (paths.py: what every experiment must be able to read)
    namespaces.py  a network without connections, /dev/shm and /proc of its own
    limits.py      how much, and no privilege
    adapt.py       what keeps libraries at work without what is forbidden
    probe.py       which layers this machine has, each tried
    kernel.py      system calls by name

    sandbox = Sandbox(policy, slots)      in the process that forks, single-threaded, after its imports
    sandbox.prepare()                     once, before any fork
    sandbox.enter(slot)                   in each fork

All layers bind whatever descends from an experiment. None of them keeps it from using up memory, from starting
processes, or from computing what it likes: that is watched from outside.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from . import kernel, landlock, limits, paths
from .adapt import adapt, own
from .namespaces import Namespaces, tried
from .policy import ALL, ISOLATING, Policy, SandboxError
from .seccomp import Filter, Rules

__all__ = ["ALL", "ISOLATING", "Policy", "Sandbox", "SandboxError", "adapt"]


class Sandbox:
    """Shuts forks in. slots: folders, one for each experiment that can run at once; they exist already."""

    def __init__(self, policy: Policy, slots: Sequence[str]) -> None:
        self.policy = policy
        self._slots = [os.path.realpath(each) for each in slots]
        self._writable = [os.path.realpath(each) for each in policy.write]
        self._abi = 0
        self._grants: dict[str, int] = {}
        self._rulesets: list[landlock.RuleSet] = []
        self._further: dict[int, landlock.RuleSet] = {}
        self._names = Namespaces(())
        self._filter: Filter | None = None
        self._leader: Filter | None = None
        self._limits = limits.chosen(policy)
        self._inside = False
        self._ancestor = False

    def prepare(self) -> dict[str, str]:
        """Make everything that can be made before the forks; layer → "" if it will be in force, else why not.

        This process itself enters namespaces, and nothing else: it keeps its rights to files.
        """
        wanted = [each for each in self.policy.layers if each != "network" or not self.policy.network]
        missing = dict.fromkeys(ALL, "it was not asked for")
        self._find_paths()
        self._names = Namespaces(
            self._slots,
            self.policy.shm_bytes,
            self.policy.shut,
            [
                *self._slots,
                *self.policy.read,
                *self.policy.write,
                *self.policy.shown,
                *paths.interpreter(),
                os.getcwd(),
            ],
        )
        missing.update(self._names.prepare([each for each in wanted if each not in ISOLATING]))
        if "landlock" in wanted:
            missing["landlock"] = self._prepare_landlock()
        if "seccomp" in wanted:
            missing["seccomp"] = self._prepare_seccomp()
        if not missing["seccomp"]:
            adapt(signals=self.signals)
        return missing

    def enter(
        self, slot: int, forks: Sequence[int] = (), *, everything: bool = False, also: Sequence[str] = ()
    ) -> None:
        """Shut this process in, with the folder of its slot to write to.

        A process that has been shut in may fork others, which enter again with slots of their own: these are named in
        `forks`, and it may write to them until then, and may begin a session, as its forks must. They share its
        /dev/shm. Whoever collects them must not trust it to have started nothing else.

        With `everything`, it may read what the person may, but for what is shut and what is hidden in their home. It
        may write to the folders `also`, too; a process that has been shut in before cannot be given any.

        Raises:
            SandboxError: a layer that was prepared is refused now; the process must end.
        """
        try:
            if self._inside:
                self._enter_further(slot)
            else:
                self._enter(slot, forks, everything, also)
        except OSError as error:
            raise SandboxError(f"the sandbox cannot be closed: {error}") from error
        own[:] = [self._slots[slot], paths.SHM, *self._writable, *also]

    def foresee(self, slots: Sequence[int]) -> None:
        """In a process that is shut in: make the rules with which its forks enter these slots."""
        if self._abi and self._inside:
            self._further = {slot: self._ruleset([slot]) for slot in slots}

    def grant(self, found: Sequence[str]) -> None:
        """Let everybody who enters from now on read these files, list these folders, and read whatever is below folders
        that end with a slash. What is shut stays shut."""
        asked = [(each, _rights(each)) for each in found]
        closed = [*self.policy.shut, *self._slots, *paths.hidden()]
        for path, rights in paths.grants(asked, closed, True).items():
            self._grants[path] = self._grants.get(path, 0) | rights
            for rules in self._rulesets:
                rules.grant(path, rights)

    def _everything(self, slot: int) -> landlock.RuleSet:
        """Rules for the person's own cell, which may read what the person may, but for what is shut and other slots."""
        others = [each for number, each in enumerate(self._slots) if number != slot]
        before, closed = self._grants, [*self.policy.shut, *others, *paths.hidden()]
        self._grants = {**before, **paths.grants([("/", landlock.READ)], closed, True)}
        try:
            return self._ruleset([slot])
        finally:
            self._grants = before

    @property
    def signals(self) -> bool:
        """Whether Landlock confines signals."""
        return self._abi >= 6

    def _find_paths(self) -> None:
        shut = [*self.policy.shut, *self._slots]
        read = [(path, landlock.READ) for path in (*paths.interpreter(), *self.policy.read)]
        homes = [*shut, *paths.homes()]
        self._grants = paths.grants(paths.system(), homes, self.policy.listing)
        for path, rights in paths.grants(read, shut, self.policy.listing).items():
            self._grants[path] = self._grants.get(path, 0) | rights
        for path in map(os.path.realpath, self.policy.read):  # a file that is named may lie in what is shut
            if os.path.isfile(path):
                self._grants[path] = self._grants.get(path, 0) | landlock.READ_FILE
        for path in self._writable:
            device = paths.within(path, "/dev")  # a GPU's, say
            self._grants[path] = landlock.WRITE | (landlock.DEVICE if device else 0)

    def _prepare_landlock(self) -> str:
        real = landlock.abi()
        self._abi = min(real, self.policy.abi if self.policy.abi is not None else real)
        if not self._abi:
            return "this kernel has no Landlock, or it is switched off"
        try:
            for slot in range(len(self._slots)):
                with self._names.view(slot):
                    self._rulesets.append(self._ruleset([slot]))
        except OSError as error:
            self._abi, self._rulesets = 0, []
            return str(error)
        return ""

    def _prepare_seccomp(self) -> str:
        if not kernel.SUPPORTED:
            return f"no filter is known for {kernel.MACHINE}"
        rules = Rules(self.policy.network, truncate=self._abi >= 3, signals=self.signals)
        usual, leader = Filter(rules), Filter(replace(rules, leader=True))

        def attempt() -> None:
            limits.renounce()
            usual.enter()

        why = tried(attempt)
        if not why:
            self._filter, self._leader = usual, leader
        return why

    def _ruleset(self, slots: Sequence[int]) -> landlock.RuleSet:
        """Rules for a process that may write to these slots."""
        rules = landlock.RuleSet(self._abi, self.policy.network)
        try:
            rules.grant_all(self._grants.items())
            rules.grant_all((self._slots[each], landlock.WRITE) for each in slots)
            rules.grant(paths.SHM, landlock.WRITE)
        except OSError:
            rules.close()
            raise
        return rules

    def _enter(self, slot: int, forks: Sequence[int], everything: bool, also: Sequence[str]) -> None:
        afresh = self._names.enter(slot)
        limits.apply(self._limits)
        limits.renounce()
        if self._abi:
            rules = self._ruleset([slot, *forks]) if forks or also else self._rulesets[slot]
            rules = self._everything(slot) if everything else rules
            rules.grant_all((each, landlock.WRITE) for each in also)
            if afresh:
                rules.grant(paths.SHM, landlock.WRITE)
            rules.restrict()
            for each in (*self._rulesets, rules):
                each.close()
        self._names.close()
        if self._filter is not None:
            (self._leader if forks and self._leader else self._filter).enter()
        self._inside, self._ancestor = True, bool(forks)

    def _enter_further(self, slot: int) -> None:
        if self._abi:
            rules = self._further.get(slot) or self._ruleset([slot])
            rules.restrict()
            for each in (*self._further.values(), rules):
                each.close()
            os.listdir(self._slots[slot])  # refused where the process before had no right to it
        if self._ancestor and self._filter is not None:
            self._filter.enter()
        self._ancestor = False


def _rights(path: str) -> int:
    """To a file, to the names in a folder, or to everything below one that ends with a slash."""
    if path.endswith("/"):
        return landlock.READ
    return landlock.READ_DIR if os.path.isdir(path) else landlock.READ_FILE
