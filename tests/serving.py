"""A real Jupyter server as a process of its own: on loopback, on a free port, with settings of its own."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Served:
    """Where it serves, from which folder, how one gets in, and what it has logged."""

    url: str
    token: str
    folder: Path
    process: subprocess.Popen[bytes]
    log: Path


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(
    module: str,
    folder: Path,
    home: Path,
    *options: str,
    environment: Mapping[str, str] | None = None,
    port: int = 0,
    base: str = "/",
    token: str = "",
) -> Iterator[Served]:
    """A server, until the block ends.

    Args:
        module: "jupyterlab", "notebook" or "jupyter_server".
        folder: its root.
        home: for its settings and its log; `home/config_dir/jupyter_server_config.py` is read where it is there.
        options: more of its command line.
        environment: variables besides those of this process.
        port: where; a free one where not given.
        base: the prefix of every address, as a hub gives one: "/user/me/".
        token: how one gets in; a new one where not given.
    """
    port, token = port or free_port(), token or secrets.token_hex(16)
    command = [sys.executable, "-m", module, "--no-browser", "--ip=127.0.0.1", f"--port={port}"]
    command += [f"--ServerApp.root_dir={folder}", f"--IdentityProvider.token={token}", "--ServerApp.port_retries=0"]
    command.append(f"--ServerApp.base_url={base}")
    if os.geteuid() == 0:
        command.append("--allow-root")
    private = {f"JUPYTER_{kind}": str(home / kind.lower()) for kind in ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")}
    variables = {**os.environ, **private, "IPYTHONDIR": str(home / "ipython"), **(environment or {})}
    with (home / "log").open("wb") as log:
        process = subprocess.Popen([*command, *options], env=variables, cwd=folder, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}{base.rstrip('/')}"
            _wait_for(f"{url}/api/status?token={token}", process, home / "log")
            yield Served(url, token, folder, process, home / "log")
        finally:
            ended(process)


def ended(process: subprocess.Popen[bytes]) -> None:
    """End a server, in order where it obeys."""
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"the server did not start:\n{log.read_text()[-3000:]}")
