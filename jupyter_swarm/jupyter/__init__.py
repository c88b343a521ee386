"""The faces: magics, terminal, live view. They parse, delegate and show; one table of verbs (`verbs.py`) drives all.

magics.py      what `%load_ext jupyter_swarm` registers: quick to import, everything else comes with the first verb
options.py     arguments: declared once, parsed, explained, completed
verbs.py       the table of verbs; actions.py, swarming.py, steering.py, library.py carry them out, help.py explains
pages.py       an answer, as HTML, as text, as JSON
completion.py  Tab
source.py      a cell from a file, and its context
plan.py        `--plan`
waiting.py     how far it is, on one line of a terminal or a page
cli.py         `jupyter swarm …`
view/          the live widgets
"""
