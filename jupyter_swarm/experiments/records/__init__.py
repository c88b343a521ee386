"""Records of runs: what an experiment told, kept durably, and the executed notebook that is made of it.

frames.py      what an experiment tells, line by line, none of it believed
transcript.py  frames folded into the outputs that each cell has in the end
record.py      one run: its notebook without outputs, and its frames
journal.py     the writer: durable before a run is acknowledged (recorded.py: the file, and its readers)
executed.py    executed notebooks, made when somebody wants one
"""
