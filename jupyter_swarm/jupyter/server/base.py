"""What all handlers share: who may, how much and how often, and how an error is said.

Every verb of every handler carries `@web.authenticated` and `@authorized("read" | "write" | "execute")`, which a test
checks; XSRF and origins are checked by jupyter_server before.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from jupyter_core.utils import ensure_async
from jupyter_server.base.handlers import APIHandler
from tornado import web
from tornado.web import HTTPError

if TYPE_CHECKING:
    from jupyter_swarm.errors import SwarmError
    from jupyter_swarm.jupyter.server.extension import SwarmServer
    from jupyter_swarm.jupyter.server.watching import Watch

MOST_BYTES = 256 * 1024
"""Of a body, but for papers."""
LONG_BYTES = 4_096
"""From here on an answer is compressed."""
LONGEST_WAIT = 25.0
"""Seconds; proxies cut a request that takes a minute."""


class Bucket:
    """Requests by user: so many a second on average, and four seconds' worth at once.

    >>> bucket = Bucket(1.0)
    >>> [bucket.wait("me", now=0.0) for _ in range(5)][-2:]
    [0.0, 1.0]
    """

    MOST_USERS = 1_000
    """Of whom is known what they have left; who has rested is forgotten then."""

    def __init__(self, rate: float) -> None:
        self._rate, self._most = rate, max(1.0, 4.0 * rate)
        self._left: dict[str, tuple[float, float]] = {}

    def wait(self, user: str, now: float) -> float:
        """Take one; how many seconds to wait instead, 0 where it was to be had."""
        if len(self._left) > self.MOST_USERS:
            rested = now - self._most / self._rate
            self._left = {each: (left, at) for each, (left, at) in self._left.items() if at > rested}
        left, at = self._left.get(user, (self._most, now))
        left = min(self._most, left + (now - at) * self._rate)
        if left >= 1.0:
            self._left[user] = (left - 1.0, now)
            return 0.0
        self._left[user] = (left, now)
        return (1.0 - left) / self._rate


class Waiting:
    """How many requests of a user wait for news."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._now: dict[str, int] = {}

    @contextmanager
    def turn(self, user: str) -> Iterator[None]:
        """Be one of them.

        Raises:
            HTTPError: 429, too many wait already.
        """
        if self._now.get(user, 0) >= self._most:
            raise HTTPError(429, "too many requests of yours wait for news", reason="Too Many Requests")
        self._now[user] = self._now.get(user, 0) + 1
        try:
            yield
        finally:
            self._now[user] -= 1
            if not self._now[user]:
                del self._now[user]


@web.stream_request_body
class Handler(APIHandler):
    """Base of all handlers: bodies are counted while they come, and are at most `MOST_BYTES` long."""

    auth_resource = "swarms"
    _track_activity = False  # a forgotten tab that asks for news must not keep a server alive
    _task: asyncio.Task[Any] | None = None
    _let_in = False
    """Whether `prepare` is over, so that a body is read to its end."""
    _retry = 5
    """Seconds after which to ask again, where it was too much."""

    @property
    def server(self) -> SwarmServer:
        """What this server was set up with."""
        found: SwarmServer = self.settings["jupyter_swarm"]
        return found

    @property
    def user(self) -> str:
        """Who asks."""
        return str(getattr(self.current_user, "username", self.current_user))

    @property
    def payer(self) -> str:
        """Whose requests these are, to count them: who brings a token and no cookie has a new name each time."""
        if self.token_authenticated:
            return f"token {hash(self.identity_provider.get_token(self))}"
        return self.user

    @property
    def most_bytes(self) -> int:
        """The longest body that is taken."""
        return MOST_BYTES

    async def prepare(self) -> None:  # type: ignore[override]
        """Check who asks, how often, and how much is coming."""
        self._body = bytearray()
        await super().prepare()
        if self.request.method != "OPTIONS":
            self._let_pass()
        self._let_in = True

    def _let_pass(self) -> None:
        if self.current_user is None:  # before anything of a body is kept
            raise HTTPError(403)
        wait = self.server.bucket.wait(self.payer, time.monotonic())
        if wait:
            self._retry = int(wait) + 1
            raise HTTPError(429, "too many requests: wait a little", reason="Too Many Requests")
        length = self.request.headers.get("Content-Length", "0")
        if length.isdigit() and int(length) > self.most_bytes:
            raise HTTPError(413, f"this is more than the {self.most_bytes:,} bytes that are taken")

    def data_received(self, chunk: bytes) -> None:
        """A part of the body; what is too much is not kept (an error here would cut the connection, unanswered)."""
        if len(self._body) <= self.most_bytes:
            self._body += chunk

    def on_connection_close(self) -> None:
        """Nobody waits for the answer any more."""
        if self._task is not None:
            self._task.cancel()
        super().on_connection_close()

    # ------------------------------------------------------------ what is asked

    def text(self, name: str, default: str = "") -> str:
        """A query parameter, as it was sent."""
        found = self.get_query_argument(name, default, strip=False)
        assert found is not None
        return found

    def number(self, name: str, default: float = 0.0, most: float = 2**53) -> float:
        """A number among the query parameters.

        Raises:
            HTTPError: 400, it is none, or out of its range.
        """
        text = self.text(name)
        if not text:
            return default
        try:
            found = float(text)
        except ValueError:
            found = -1.0
        if not 0 <= found <= most:
            raise HTTPError(400, f"{name}={text[:40]!r} is no number from 0 to {most:g}")
        return found

    @property
    def wait(self) -> float:
        """Seconds that who asks would wait for news."""
        return self.number("wait", 0.0, LONGEST_WAIT)

    @property
    def body(self) -> bytes:
        """All of the body.

        Raises:
            HTTPError: 413, it is too large.
        """
        if len(self._body) > self.most_bytes:
            raise HTTPError(413, f"this is more than the {self.most_bytes:,} bytes that are taken")
        return bytes(self._body)

    def read(self, kind: Any) -> Any:
        """The body, as a word.

        Raises:
            HTTPError: 400, it is not what is taken here.
        """
        import msgspec

        try:
            return msgspec.json.decode(self.body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise HTTPError(400, f"this is no {kind.__name__}: {error}") from None

    def watch(self) -> Watch:
        """The workspace that is meant.

        Raises:
            UsageError: there is no such folder below the root.
        """
        found: Watch = self.server.watches.of(self.server.root.workspace(self.text("folder")))
        return found

    async def may(self, action: str) -> bool:
        """Whether who asks may do something."""
        allowed = await ensure_async(self.authorizer.is_authorized(self, self.current_user, action, self.auth_resource))
        return bool(allowed)

    # ------------------------------------------------------------ what is said

    async def reply(self, work: Awaitable[Any], *, waits: bool = False) -> None:
        """Answer with what comes of something: a word, or JSON; a `SwarmError` as `words.Problem`."""
        import msgspec

        from jupyter_swarm.errors import SwarmError

        self._task = asyncio.ensure_future(work)
        try:
            if waits:
                with self.server.queue.turn(self.payer):
                    found = await self._task
            else:
                found = await self._task
        except SwarmError as error:
            self._sorry(error)
            return
        except asyncio.CancelledError:
            return
        finally:
            self._task.cancel()
        self.set_header("Cache-Control", "no-store")
        self.finish(await self._packed(found if isinstance(found, bytes) else msgspec.json.encode(found)))

    async def _packed(self, body: bytes) -> bytes:
        """A long answer, compressed where who asks can read that: 10,000 runs are megabytes on a slow link."""
        self.set_header("Vary", "Accept-Encoding")
        if len(body) < LONG_BYTES or "gzip" not in self.request.headers.get("Accept-Encoding", ""):
            return body
        self.set_header("Content-Encoding", "gzip")
        pack = partial(gzip.compress, body, compresslevel=1)
        return await asyncio.get_running_loop().run_in_executor(self.server.pool, pack)

    def _sorry(self, error: SwarmError) -> None:
        self.set_status(status(error))
        reason = type(error).__name__
        self.finish(json.dumps(problem(error.what, error.where, error.cure, reason)))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Say what went wrong as `words.Problem`; of a mistake of ours no more than that there was one."""
        error = kwargs.get("exc_info", (None, None))[1]
        said = (error.log_message or "").replace("%%", "%") if isinstance(error, HTTPError) else ""
        message = said or {404: "there is nothing here", 403: "this is not allowed"}.get(status_code, "")
        cure = "" if isinstance(error, HTTPError) else "look at the server's log"
        if not self._let_in:  # the rest of a body is not read, and the connection is closed for that
            self.set_header("Connection", "close")
        if status_code == 429:  # headers that were set before the error are gone
            self.set_header("Retry-After", str(self._retry))
        self.finish(json.dumps(problem(message or "the server failed to answer", "", cure, type(error).__name__)))


def problem(message: str, where: str, cure: str, reason: str) -> dict[str, str]:
    """`words.Problem`, as plain values; long words of strangers are cut."""
    return {"message": message[:4000], "where": where[:1000], "cure": cure[:2000], "reason": reason}


def status(error: SwarmError) -> int:
    """The HTTP status of an error."""
    from jupyter_swarm import errors
    from jupyter_swarm.jupyter.server.watching import NoSwarm

    if isinstance(error, NoSwarm):
        return 404
    if isinstance(error, errors.PolicyError):
        return 403
    if isinstance(error, errors.LedgerError):
        return 423 if "locked" in error.what else 503
    if isinstance(error, errors.WorkspaceError | errors.LaboratoryError):
        return 503
    return 400
