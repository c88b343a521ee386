"""The runner: one detached process a swarm. `python -m jupyter_swarm.engine.runner FOLDER NAME`.

It takes the swarm's lease, wires the rooms together, works, and leaves no process behind. Killed at any moment, it
loses nothing that the ledger has acknowledged; the next one goes on from there.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import signal
import socket
import sys
from pathlib import Path

from jupyter_swarm import cell, minds, policy, roles
from jupyter_swarm.engine.awake import AwakeClock
from jupyter_swarm.engine.swarm import Swarm
from jupyter_swarm.errors import LeaseLost, LedgerError, PolicyError, SwarmError, UsageError, WorkspaceError
from jupyter_swarm.events import Noted, RunnerEnded, RunnerStarted, SwarmEnded, SwarmRequested
from jupyter_swarm.experiments import NotebookLaboratory
from jupyter_swarm.experiments.checkpoints import Checkpoints
from jupyter_swarm.experiments.cores import usable_cores
from jupyter_swarm.experiments.holdout import WithHoldout
from jupyter_swarm.experiments.packages import Packages
from jupyter_swarm.library import Librarian, LocalLibrary
from jupyter_swarm.minds.account import Account
from jupyter_swarm.minds.calling import Caller
from jupyter_swarm.minds.chat import silence
from jupyter_swarm.minds.language import LanguageMind
from jupyter_swarm.minds.team import limits, models, urls
from jupyter_swarm.policy import House
from jupyter_swarm.protocols import Laboratory, Lease, Mind
from jupyter_swarm.report.phrases import duration
from jupyter_swarm.store import SqlStore
from jupyter_swarm.version import __version__
from jupyter_swarm.words import Analysis, Context
from jupyter_swarm.workspace import Workspace

LEASE_SECONDS = 20.0
RENEW_SECONDS = 4.0
NICENESS = 5
AFFORD_SECONDS = 1.0
WATCH_SECONDS = 5.0
"""How often installed packages are looked at."""
WAKE_SECONDS = 1.0
BATCH = 5_000
"""Records that are read at a time."""


def main(arguments: list[str]) -> int:
    """Run one swarm to its end.

    Exit status 0: over or handed on; 1: failed, or not allowed here; 3: another runner has it.
    """
    folder, name = arguments
    workspace = Workspace(folder)
    try:
        house = policy.from_environment()
    except UsageError as error:
        print(error, file=sys.stderr)
        return 1
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    owner = f"{socket.gethostname()}:{os.getpid()}"
    store = workspace.store
    lease = store.lease(name, owner, seconds=LEASE_SECONDS)
    if lease is None:
        print(f"{name}: another runner works on it ({store.holder(name)})", file=sys.stderr)
        return 3
    try:
        return _worked(workspace, lease, owner, house)
    finally:
        with contextlib.suppress(SwarmError):
            store.release(lease)


def _worked(workspace: Workspace, lease: Lease, owner: str, house: House) -> int:
    """Run the swarm of a lease; what ends the runner but not the swarm is told apart. The exit status."""
    store, name = workspace.store, lease.swarm
    try:
        asyncio.run(_run(workspace, name, lease, owner, house))
    except LeaseLost as error:
        print(error, file=sys.stderr)
        return 3
    except (LedgerError, WorkspaceError) as error:
        print(error, file=sys.stderr)  # no end of the swarm: with room on the disk it goes on
        with contextlib.suppress(SwarmError):
            store.append(name, [RunnerEnded(why=str(error))], lease=lease)
        return 1
    except PolicyError as error:
        print(error, file=sys.stderr)  # no end of the swarm either: where it is allowed again it goes on
        store.append(name, [Noted(text=str(error), level="error"), RunnerEnded(why=str(error))], lease=lease)
        return 1
    except SwarmError as error:
        store.append(name, [SwarmEnded(state="failed", why=str(error))], lease=lease)
        print(error, file=sys.stderr)
        return 1
    return 0


async def _run(workspace: Workspace, name: str, lease: Lease, owner: str, house: House) -> None:
    store = workspace.store
    request, first, seconds = _begun(store, name)
    if request is None:
        raise UsageError(f"the ledger knows no swarm {name!r}", cure="`jupyter swarm list`")
    house.check_models(models(request.options))
    house.check_options({**request.options, "workers": 0})  # of those, as many run as are allowed
    packages = await asyncio.to_thread(_packages, request, first)
    versions = {"jupyter-swarm": __version__, "python": platform.python_version(), **packages.versions}
    started = RunnerStarted(pid=os.getpid(), host=socket.gethostname(), epoch=lease.epoch, versions=versions)
    store.append(name, [started], lease=lease, active_seconds=seconds)
    library = LocalLibrary(workspace)
    if library.papers():
        Librarian(workspace).start_if_needed()
    laboratory = _laboratory(workspace, name, request, house)
    mind = str(request.options.get("mind", "classical"))
    team: dict[str, Mind] = {mind: minds.find(mind)}
    clock = AwakeClock()
    swarm = Swarm(
        store,
        lease,
        laboratory,
        library,
        roles=roles.find_all(),
        minds=team,
        context=cell.context_hash(request.context),
        house=house,
        clock=clock,
    )
    caller = _caller(store, swarm, request)
    for model in models(request.options):
        team[model] = LanguageMind(model, caller)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, swarm.quit, f"told to by signal {number.name}")
    beside = [
        asyncio.create_task(each)
        for each in (
            _keep(workspace, lease, owner, swarm),
            _watch(packages, swarm),
            _wake(clock, swarm),
            _afford(caller.account, swarm, request),
        )
    ]
    try:
        with clock.beating():
            await swarm.work()
    finally:
        for each in beside:
            each.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await caller.close()
    if swarm.state.over:
        await asyncio.to_thread(Checkpoints(workspace.swarm(name)).clear)
    else:
        swarm.append(RunnerEnded(why=swarm.quit_reason))


def _begun(store: SqlStore, name: str) -> tuple[SwarmRequested | None, RunnerStarted | None, float]:
    """A swarm's request, the start of its first runner, and the seconds that it has been at work so far."""
    request: SwarmRequested | None = None
    first: RunnerStarted | None = None
    last, seconds = 0, 0.0
    while records := store.read(last, swarm=name, limit=BATCH):
        for record in records:
            last, seconds = record.number, max(seconds, record.active_seconds)
            if request is None and isinstance(record.event, SwarmRequested):
                request = record.event
            elif first is None and isinstance(record.event, RunnerStarted):
                first = record.event
    return request, first, seconds


def _laboratory(workspace: Workspace, name: str, request: SwarmRequested, house: House) -> Laboratory:
    """Where experiments run; those on new data apart from all others."""
    options, held = request.options, request.holdout
    workers = house.most_workers(int(options.get("workers", 0)), usable_cores())

    def made(analysis: Analysis, context: Context, *, apart: bool = False) -> NotebookLaboratory:
        return NotebookLaboratory(
            workspace,
            name,
            analysis,
            context,
            workers=workers,
            read=[each for each in str(options.get("read", "")).split(os.pathsep) if each],
            unsafe=bool(options.get("unsafe", False)),
            network=bool(options.get("network", False)),
            gpus=int(options.get("gpus", 0)),
            apart=apart,
        )

    usual = made(request.analysis, request.context)
    if held is None:
        return usual
    return WithHoldout(usual, lambda: made(held.analysis, held.context, apart=True), held.context_hash)


def _caller(store: SqlStore, swarm: Swarm, request: SwarmRequested) -> Caller:
    """Asks language models in this process's stead; nothing is imported for it before the first is asked."""
    silence()
    account = Account.of(swarm.state, *limits(request.options, swarm.state.budget))
    return Caller(store, swarm.write, account, urls(request.options))


async def _afford(account: Account, swarm: Swarm, request: SwarmRequested) -> None:
    """Let the account know of a budget that was changed."""
    while True:
        account.tokens, account.dollars = limits(request.options, swarm.state.budget)
        await asyncio.sleep(AFFORD_SECONDS)


def _packages(request: SwarmRequested, first: RunnerStarted | None) -> Packages:
    """The packages that the cell imports, to be compared with those of the swarm's first runner."""
    versions = first.versions if first is not None else {}
    return Packages(request.context.python or sys.executable, request.context.versions, versions)


async def _watch(packages: Packages, swarm: Swarm) -> None:
    """Pause where an installed package has changed: runs of two versions say nothing about each other."""
    while True:
        if why := await asyncio.to_thread(packages.changed):
            swarm.hold(
                f"Paused: {why}. Install what was there and resume, or give the cell to another swarm (%%swarm --new)"
            )
        await asyncio.sleep(WATCH_SECONDS)


async def _wake(clock: AwakeClock, swarm: Swarm) -> None:
    """Say once of each sleep that it does not count."""
    while True:
        for seconds in clock.slept():
            try:
                await swarm.write([Noted(text=f"slept {duration(seconds)}: not counted")])
            except SwarmError as error:  # who else writes hears of it too, and decides
                print(error, file=sys.stderr)
        await asyncio.sleep(WAKE_SECONDS)


async def _keep(workspace: Workspace, lease: Lease, owner: str, swarm: Swarm) -> None:
    """Renew the lease; leave at once where another runner has taken over or the workspace is gone."""
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        try:
            await asyncio.to_thread(workspace.store.lease, lease.swarm, owner, seconds=LEASE_SECONDS, renew=lease)
        except LeaseLost:
            swarm.quit("another runner has taken over")
            return
        except SwarmError as error:
            if not Path(workspace.root).is_dir():
                swarm.quit("the workspace is gone")
                return
            print(Noted(text=str(error)), file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
