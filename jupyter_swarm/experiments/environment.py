"""The environment variables of an experiment: named ones pass, and no key ever does."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

PASSED = frozenset(
    [
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "LD_LIBRARY_PATH", "PYTHONPATH"),
        *("VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "XDG_CACHE_HOME", "SCIKIT_LEARN_DATA"),
        *("CUDA_HOME", "CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES", "TORCH_HOME"),
        *("HF_HOME", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "SSL_CERT_FILE"),
        *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    ]
)
"""Variables that an experiment gets; all others stay with the runner."""
THREADS = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"),
    *("POLARS_MAX_THREADS", "RAYON_NUM_THREADS", "LOKY_MAX_CPU_COUNT"),
)
"""What libraries read before they decide how many threads (or, joblib, processes) to start."""
FIXED = {
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
"""Figures are drawn in the notebook; and pyarrow, which pandas imports where it is installed, starts no thread that
would keep a process from being forked."""
_SECRET = re.compile(r"key|token|secret|passw|credential|auth", re.IGNORECASE)


ISOLATION = "JUPYTER_SWARM_ISOLATION"
"""Set to "off", experiments are not shut in: a person's choice, for a machine or a moment."""


def isolated(source: Mapping[str, str] = os.environ) -> bool:
    """Whether experiments are to be shut in.

    >>> isolated({}), isolated({"JUPYTER_SWARM_ISOLATION": "off"})
    (True, False)
    """
    return source.get(ISOLATION, "on").lower() not in ("off", "0", "no", "false")


def environment(threads: int, source: Mapping[str, str] = os.environ) -> dict[str, str]:
    """A clean environment: names on an allow-list, without any that could hold a key, and `threads` for libraries.

    >>> found = environment(1, {"PATH": "/bin", "OPENAI_API_KEY": "sk-1", "HTTP_PROXY": "http://me:pw@host"})
    >>> sorted(set(found) - {*FIXED, *THREADS})
    ['PATH']
    """
    kept = {
        name: value
        for name, value in source.items()
        if (name in PASSED or name.startswith("LC_")) and not _SECRET.search(name) and not re.search(r"//[^/]*@", value)
    }
    counts = dict.fromkeys(THREADS, str(max(1, threads)))
    return {**FIXED, **counts, **kept}
