"""Papers, cut into passages that can be searched and quoted word for word.

    from jupyter_swarm.library import LocalLibrary

    library = LocalLibrary(workspace)
    library.add(["module:sklearn.preprocessing", "papers/*.pdf"])
    for hit in library.search("feature scaling"):
        print(hit.passage.place, library.cite(hit.passage, ["scaling"]).quote)

Words are matched at once; meaning (vectors) follows when the *librarian*, one background process for each workspace,
has read the papers too. Nothing heavy is imported by this package itself, and nothing of it ever in a kernel.
"""

from __future__ import annotations

from jupyter_swarm.library.client import Librarian
from jupyter_swarm.library.shelf import Added, LocalLibrary

__all__ = ["Added", "Librarian", "LocalLibrary"]
