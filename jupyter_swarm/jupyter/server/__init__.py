"""The server behind the panel: REST under `/jupyter-swarm/api`, which reads events and appends requests, nothing else.

extension.py    what JupyterLab's server loads: settings of an administrator, routes; quick, everything else comes later
handlers.py     one class a path; base.py: who may, how much, how errors are said
words.py        what is said; typescript.py, openapi.py: the same for the panel, and for whoever reads a description
watching.py     waking those who wait when a ledger has changed
mirror.py       one swarm and which part of it changed when; briefs.py: the list; cards.py: how they look
                (../replaced.py notices that another ledger has been put in the place of the one that was read)
asking.py       requests: appended once, however often they arrive
papers.py       the library
places.py       which folders may be named
activity.py     so that a server with a swarm at work is not culled as idle
"""
