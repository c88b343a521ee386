"""What came of an experiment: a run, from what its process told and how it ended."""

from __future__ import annotations

import msgspec

from jupyter_swarm import cell
from jupyter_swarm.cell.bounds import PEAK, SECONDS
from jupyter_swarm.experiments import function, notebook
from jupyter_swarm.experiments.curves import PRUNED, curves
from jupyter_swarm.experiments.line import OVER, Ended
from jupyter_swarm.experiments.records.record import Gist
from jupyter_swarm.words import Analysis, Experiment, Run


def judged(experiment: Experiment, told: Gist, ended: Ended, limit: float, analysis: Analysis) -> Run:
    """The run. Whether it changed what its metric rests on is not asked here (`sealed.py`).

    Args:
        experiment: that was run.
        told: what decides, from its frames.
        ended: how its process ended.
        limit: seconds that it was given.
        analysis: of the swarm's cell: what a variation has to keep.
    """
    seconds = ended.seconds if told.seconds is None else min(told.seconds, max(limit, ended.seconds))
    run = _result(experiment, told, ended, limit, seconds)
    run = msgspec.structs.replace(run, curves=curves(ended.frames), seconds=seconds)
    return run if experiment.code == analysis.code else _kept(run, analysis)


def _result(experiment: Experiment, told: Gist, ended: Ended, limit: float, seconds: float) -> Run:
    if ended.why.endswith(OVER):
        return function.timed_out(experiment, limit, seconds)
    if ended.why.startswith(PRUNED):
        return function.pruned(experiment, ended.why.removeprefix(PRUNED), seconds)
    if told.error is not None:
        return Run(experiment=experiment.id, reason="failure", message=told.error[0], traceback=told.error[1])
    if death := ended.death():
        line = f"DeadKernelError: {death}"
        return Run(experiment=experiment.id, reason="failure", message=line, traceback=line)
    value, missing, message, values = notebook.result(told.payloads, experiment.metric)
    return Run(experiment=experiment.id, value=value, reason=missing, message=message, values=values, peak=ended.peak)


def _kept(run: Run, analysis: Analysis) -> Run:
    """The run of a variation, without a value where it does not keep what was asked."""
    if not (analysis.keep and run.ok):
        return run
    values = {**run.values, SECONDS: run.seconds, PEAK: run.peak / 2**20}
    why = cell.broken(analysis.keep, values)
    return msgspec.structs.replace(run, value=None, reason="bounds", message=why) if why else run
