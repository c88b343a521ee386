"""The cell: read it, capture what it needs, vary it, lock what nobody may touch. Pure code that other rooms share.

    analysis = read(code, metric="accuracy", namespace=globals())      in the kernel, once
    context = capture(analysis, globals(), folder=…, captures=…)
    variation = apply(analysis, [Edit(kind="swap", target="Normalizer", value="sklearn.preprocessing:RobustScaler")])
    check_lock(variation.code, analysis)
    lifted = lift(variation.code, analysis)                            its knobs and seeds as parameters

    syntax.py                what IPython understands besides Python, as Python and back
    text.py, scan.py         source beside its tree; definitions, calls, and what they mean
    scopes.py, functions.py  what each name is in which function; who calls a function of the cell, with what
    names.py                 what a cell needs that it does not make
    leaks/, insample.py, randomness.py, credentials.py        what a person should know before anything runs
    slicing.py, marks.py     what the metric rests on
    opening.py, loops.py     the same inside of functions and methods of the cell, and in loops
    models.py, opaque.py     what is a model; calls that train and measure by themselves
    lock.py                  the refusal to touch what the metric rests on
    sealing.py               what of it has to be watched while a cell runs
    configs.py, written.py   configurations: settings handed on as one value; the notebook's written out in the cell
    bounds.py                what a variation has to keep
    finding.py, steps.py     knobs, swaps, inserts, blocks
    ranges.py, docstrings.py, inspection.py      what values a parameter may take, what may stand for what
    catalogue.py             recipes of the cell's callables and of what may stand for them
    reading.py               `read`: all of it, once
    standing.py              what it has set outside of its variables
    capturing.py             `capture`: what the notebook lends the cell (modules.py: also its own modules)
    pickling.py, buffers.py, storing.py, room.py    its pickle; large memory beside it; the file; how much may be taken
    nameable.py              what a pickle in a file may name
    editing.py, lifting.py   `apply` and `lift`
    merging.py, reaching.py  code that a language model wrote, and what it may not do
    answers.py, placing.py, indenting.py, weaving.py         what its answer holds, where and how that belongs
    canonical.py             codes that are the same idea, as one text
    holdout.py               the cell on data that no run has seen
    wording.py               edits in words, differences of code

Only `read` and `capture` look at live objects; all else works on source and an `Analysis` alone, in any process.
"""

from jupyter_swarm.cell.bounds import broken, recorded
from jupyter_swarm.cell.canonical import canonical
from jupyter_swarm.cell.capturing import capture, context_hash, survey
from jupyter_swarm.cell.editing import apply
from jupyter_swarm.cell.finding import Sites, sites
from jupyter_swarm.cell.holdout import extended, held_out
from jupyter_swarm.cell.lifting import Lifted, lift
from jupyter_swarm.cell.lock import check_lock
from jupyter_swarm.cell.merging import difference, merged
from jupyter_swarm.cell.reaching import check_reach
from jupyter_swarm.cell.reading import read
from jupyter_swarm.cell.sealing import Rests, rests_on
from jupyter_swarm.cell.syntax import python, typed
from jupyter_swarm.cell.wording import describe, describe_all, diff

__all__ = [
    "Lifted",
    "Rests",
    "Sites",
    "apply",
    "broken",
    "canonical",
    "capture",
    "check_lock",
    "check_reach",
    "context_hash",
    "describe",
    "describe_all",
    "diff",
    "difference",
    "extended",
    "held_out",
    "lift",
    "merged",
    "python",
    "read",
    "recorded",
    "rests_on",
    "sites",
    "survey",
    "typed",
]
