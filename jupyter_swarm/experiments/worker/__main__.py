"""`python worker/__main__.py FD`: become a zygote that answers on the Unix socket FD."""

import importlib.util
import os
import sys

if __name__ == "__main__":
    del sys.path[0]  # the folder of this file: no experiment finds our modules by accident
    here = os.path.dirname(os.path.abspath(__file__))
    spec = importlib.util.spec_from_file_location(
        "swarm_worker", os.path.join(here, "__init__.py"), submodule_search_locations=[here]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["swarm_worker"] = package
    spec.loader.exec_module(package)
    from swarm_worker.zygote import main  # type: ignore[import-not-found]

    main(int(sys.argv[1]))
