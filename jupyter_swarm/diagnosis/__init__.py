"""Why a training does not make progress: classical tests over what was logged, the data, and an error.

    series      what was logged → curves; `objects` and `logfile` read it, `data` reads X and y, `case` joins them
    divergence … failure    one test, or one kind of tests, each
    examining   all tests → signs, the heaviest first

Plain Python: frames, arrays and tensors are read by duck typing, so that a diagnosis imports nothing.
"""
