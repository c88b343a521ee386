"""The journal: what was acknowledged is there, whatever happens to the process, the disk or the folder."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from jupyter_swarm.errors import WorkspaceError
from jupyter_swarm.experiments.records import executed, recorded
from jupyter_swarm.experiments.records.journal import Journal

FRAMES = b'{"cell":0,"begin":1.0}\n{"cell":0,"msg":"stream","content":{"name":"stdout","text":"a"}}\n'
NOTEBOOK = (
    b'{"cells":[{"cell_type":"code","id":"a","metadata":{},"source":"x\\ny","outputs":[],"execution_count":null}],'
    b'"metadata":{},"nbformat":4,"nbformat_minor":5}'
)
WRITER = """
import asyncio, sys
from pathlib import Path
from jupyter_swarm.experiments.records.journal import Journal

async def main():
    journal = Journal(Path(sys.argv[1]))
    journal.open()
    async def write(worker):
        for number in range(10**6):
            identity = f"{sys.argv[2]}-{worker}-{number}"
            frames = identity.encode() * (200_000 if number % 7 == 3 else 3)
            await journal.append(identity, b"{}", frames)
            print(identity, flush=True)
    await asyncio.gather(*(write(worker) for worker in range(4)))

asyncio.run(main())
"""
FULL = """
import asyncio, os, resource, sys
from pathlib import Path
from jupyter_swarm.errors import WorkspaceError
from jupyter_swarm.experiments.records.journal import Journal

LARGE = os.urandom(5_000_000)

async def main():
    journal = Journal(Path(sys.argv[1]))
    journal.open()
    async def write(identity, frames):
        try:
            await journal.append(identity, b"{}", frames)
        except WorkspaceError as error:
            print(identity, error)
        else:
            print(identity, "is kept")
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, resource.RLIM_INFINITY))
    await asyncio.gather(write("before", b"x"), write("large", LARGE), write("beside", b"x"))
    await write("after", b"x")
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await asyncio.gather(write("large again", LARGE), write("at last", b"x"))
    journal.close()

asyncio.run(main())
"""
OPEN = """
import sys
from pathlib import Path
from jupyter_swarm.errors import WorkspaceError
from jupyter_swarm.experiments.records import recorded
from jupyter_swarm.experiments.records.journal import Journal

try:
    Journal(Path(sys.argv[1])).open()
except WorkspaceError as error:
    print(error)
print(recorded.identities(Path(sys.argv[1])))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "swarms" / "wine" / "runs").mkdir(parents=True)
    return executed.journal(tmp_path, "wine")


def append(path: Path, *entries: tuple[str, bytes | list[bytes]], died: str = "") -> None:
    """Record runs, all at once."""

    async def main() -> None:
        journal = Journal(path)
        journal.open()
        await asyncio.gather(*(journal.append(name, NOTEBOOK, frames, died=died, at=2.0) for name, frames in entries))
        journal.close()

    asyncio.run(main())


def elsewhere(code: str, *arguments: object, before: Callable[[], None] | None = None) -> str:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, preexec_fn=before, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def without_override() -> None:
    # Root may write anywhere by this capability (1); a process may give it up (24) before it begins.
    ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)


class TestRecords:
    def test_come_back_as_they_were(self, path: Path) -> None:
        kinds: dict[str, bytes | list[bytes]] = {
            "small": FRAMES,
            "empty": b"",
            "random": os.urandom(5_000_000),
            "text": b"line of text\n" * 1_000_000,
            "pieces": [os.urandom(70_000) for _ in range(40)],
        }
        append(path, *kinds.items())
        assert sorted(recorded.identities(path)) == sorted(kinds)
        for name, frames in kinds.items():
            whole = frames if isinstance(frames, bytes) else b"".join(frames)
            assert recorded.read(path, name) == (NOTEBOOK, whole, "", 2.0)
        assert recorded.read(path, "other") is None
        assert recorded.read(path.with_name("other"), "small") is None
        assert recorded.identities(path.with_name("other")) == []
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_of_one_swarm_take_little_room(self, path: Path) -> None:
        append(path, *((f"{number:016x}", FRAMES) for number in range(2_000)))
        assert path.stat().st_size < 400 * 2_000

    def test_of_the_same_run_are_replaced_and_so_is_the_file_made_of_one(self, path: Path, tmp_path: Path) -> None:
        append(path, ("a", os.urandom(3_000_000)), ("b", FRAMES))
        append(path, ("a", b""), died="it was killed")
        relative = "swarms/wine/runs/a.ipynb"
        made = executed.materialise(tmp_path, relative)
        assert made is not None
        assert "it was killed" in made.read_text()
        append(path, ("a", FRAMES))
        assert not made.exists()
        assert executed.materialise(tmp_path, relative) == made
        assert "it was killed" not in made.read_text()
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("SELECT count(*) FROM more").fetchone() == (0,)

    def test_that_nobody_needs_are_freed(self, path: Path, tmp_path: Path) -> None:
        append(path, ("old", os.urandom(3_000_000)), ("kept", FRAMES), ("made", FRAMES))
        for name in ("made", "kept"):
            executed.materialise(tmp_path, f"swarms/wine/runs/{name}.ipynb")
        count, size = executed.free(tmp_path, "wine", {"kept"})
        assert count == 2
        assert 2_900_000 < size < 3_100_000
        assert recorded.identities(path) == ["kept"]
        assert [each.name for each in (path.parent / "runs").iterdir()] == ["kept.ipynb"]
        assert executed.materialise(tmp_path, "swarms/wine/runs/made.ipynb") is None
        append(path, ("new", FRAMES))
        assert recorded.read(path, "new") is not None

    def test_are_kept_while_others_open_the_file_and_close_it(self, path: Path, tmp_path: Path) -> None:
        code = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT id FROM runs').fetchall()"

        async def main() -> None:
            journal = Journal(path)
            journal.open()
            await asyncio.gather(*(journal.append(name, NOTEBOOK, FRAMES) for name in "ab"))
            executed.free(tmp_path, "wine", {"a"})  # closes a second connection of this process
            elsewhere(code, path)  # must see that the journal is open: it would delete the write-ahead log
            await journal.append("c", NOTEBOOK, FRAMES)
            assert elsewhere(OPEN, path) == "['a', 'c']\n"
            journal.close()

        asyncio.run(main())


class TestFaults:
    @pytest.mark.slow
    def test_a_kill_loses_nothing_that_was_acknowledged(self, path: Path) -> None:
        acknowledged: set[str] = set()
        for attempt, many in enumerate((1, 40, 400)):
            command = [sys.executable, "-c", WRITER, str(path), str(attempt)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                assert process.stdout is not None
                for _ in range(many):
                    acknowledged.add(process.stdout.readline().strip())
                    if len(acknowledged) % 100 == 5:  # while it is written
                        assert set(recorded.identities(path)) >= acknowledged
                process.send_signal(signal.SIGKILL)
                acknowledged |= {line.strip() for line in process.stdout if line.endswith("\n")}
            found = recorded.identities(path)
            assert acknowledged <= set(found)
            for identity in found:  # and what was not acknowledged is whole all the same
                record = recorded.read(path, identity)
                assert record is not None
                assert record.frames in (identity.encode() * 3, identity.encode() * 200_000)

    def test_a_full_disk_refuses_what_does_not_fit_and_nothing_else(self, path: Path) -> None:
        said = dict(line.rsplit(" is kept", 1) if line.endswith(" is kept") else line.split(" ", 1)
                    for line in elsewhere(FULL, path).splitlines())  # fmt: skip
        refused = [name for name, why in said.items() if why]
        assert refused == ["large"]
        assert "make room on the disk" in said["large"]
        assert sorted(recorded.identities(path)) == ["after", "at last", "before", "beside", "large again"]
        again = recorded.read(path, "large again")
        assert again is not None
        assert len(again.frames) == 5_000_000

    def test_a_folder_that_cannot_be_written_can_be_read(self, path: Path) -> None:
        append(path, ("a", FRAMES))
        path.chmod(0o444)
        path.parent.chmod(0o555)
        try:
            said = elsewhere(OPEN, path, before=without_override)
        finally:
            path.parent.chmod(0o755)
        assert "make the folder writable" in said
        assert said.endswith("['a']\n")

    def test_a_damaged_file_and_one_of_a_newer_version(self, path: Path) -> None:
        append(path, ("a", FRAMES))
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA user_version = 9")
        for use in (Journal(path).open, lambda: recorded.read(path, "a")):
            with pytest.raises(WorkspaceError, match=r"format 9.*pip install"):
                use()
        path.write_bytes(b"no database at all" * 1_000)
        for use in (Journal(path).open, lambda: recorded.read(path, "a")):
            with pytest.raises(WorkspaceError, match="restore the file from a backup"):
                use()

    def test_a_notebook_that_cannot_be_written_leaves_nothing(self, path: Path, tmp_path: Path) -> None:
        append(path, ("a", FRAMES.replace(b'"a"', b'"%s"' % (b"a" * 100_000))))
        code = f"""
import resource
from pathlib import Path
from jupyter_swarm.errors import WorkspaceError
from jupyter_swarm.experiments.records import executed
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))
try:
    executed.materialise(Path({str(tmp_path)!r}), "swarms/wine/runs/a.ipynb")
except WorkspaceError as error:
    print(error)
"""
        assert "make room on the disk" in elsewhere(code)
        assert list((path.parent / "runs").iterdir()) == []

    def test_a_journal_that_is_closed(self, path: Path) -> None:
        async def main() -> None:
            journal = Journal(path)
            with pytest.raises(WorkspaceError, match="not open"):
                await journal.append("a", NOTEBOOK, FRAMES)
            journal.open()
            waiting = [asyncio.create_task(journal.append(str(n), NOTEBOOK, FRAMES)) for n in range(50)]
            await asyncio.sleep(0)
            journal.close()  # writes what is queued
            await asyncio.gather(*waiting)
            journal.close()

        asyncio.run(main())
        assert len(recorded.identities(path)) == 50


def test_files_of_earlier_versions_keep_working(path: Path, tmp_path: Path) -> None:
    old = path.parent / "runs" / "a.ipynb"
    old.write_bytes(NOTEBOOK)
    assert executed.materialise(tmp_path, "swarms/wine/runs/a.ipynb") == old
    assert executed.body(tmp_path, "swarms/wine/runs/a.ipynb") == NOTEBOOK
    for nothing in (
        "swarms/wine/runs/b.ipynb",
        "swarms/other/runs/a.ipynb",
        "",
        "../a.ipynb",
        "swarms/../runs/a.ipynb",
    ):
        assert executed.materialise(tmp_path, nothing) is None
