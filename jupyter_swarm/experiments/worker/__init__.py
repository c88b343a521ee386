"""What runs under the notebook's own interpreter: the zygote, and the experiments that it forks.

    __main__.py    started by the runner: `python worker/__main__.py FD`
    zygote.py      imports and loads once, forks experiments, watches them, leaves nothing of them behind
    child.py       what a fork does: shut itself in, execute the cells, tell
    captured.py    loads what the cell took from its notebook
    shell.py       IPython's shell as a kernel has it, whose messages go to a channel
    channel.py     the frames that are told, and the cap on what is printed
    threads.py     how many threads its libraries may use
    purity.py      whether what it executed may be shared with others (a snapshot)
    copies.py      what lies beside the notebook becomes the run's own where it is written
    reads.py       what the person's own cell reads
    integrity.py   whether what the metric rests on was changed: data (marks.py, parts.py) and functions (reach.py)
    processes.py   the tree below a process, its memory, and its end
    storage.py     what it holds on the disk
    sandbox/       what an experiment may not do

Nothing here needs anything of ours, or anything besides the standard library, IPython and ipykernel, which every
kernel has. In an experiment's process it is the package `swarm_worker`, found by its path and by nothing else.
"""
