"""What runs in a kernel before it is used: the output cap, and the imports that the experiment will need.

The source of this file is sent to the kernel as it is, so it needs nothing of ours there. Code that means to escape
the cap can; the engine's own cap in the runner is the second line.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from typing import Any

COUNTED = ("stream", "display_data", "update_display_data", "execute_result", "comm_open", "comm_msg")


def size_of(content: Any) -> int:
    """About how many bytes a message's content takes, without writing it.

    >>> size_of({"name": "stdout", "text": "four"})
    10
    """
    if isinstance(content, str | bytes):
        return len(content)
    if isinstance(content, dict):
        return sum(size_of(value) for value in content.values())
    if isinstance(content, list | tuple):
        return sum(size_of(value) for value in content)
    return 8


def prepare(shell: Any, imports: Sequence[str], limit: int) -> None:
    """Cap each cell's output at `limit` bytes, and import ahead; what fails to import says so in the notebook."""
    session = shell.kernel.session
    send, lock, sent = session.send, threading.Lock(), [0]

    def capped(stream: Any, msg_or_type: Any, content: Any = None, *rest: Any, **more: Any) -> Any:
        message = isinstance(msg_or_type, dict)
        kind = msg_or_type.get("msg_type", "") if message else msg_or_type
        with lock:
            if kind == "execute_input":
                sent[0] = 0
            elif kind in COUNTED:
                if sent[0] > limit:
                    return None
                sent[0] += size_of(msg_or_type["content"] if message else content)
                if sent[0] > limit:
                    msg_or_type, content, rest = cut(session, kind, msg_or_type, content, rest, more)
        return send(stream, msg_or_type, content, *rest, **more)

    def cut(session: Any, kind: str, message: Any, content: Any, rest: Any, more: Any) -> tuple[Any, Any, Any]:
        """The message that takes the place of the first one over the limit."""
        note = f"\n[output cut: more than {limit:,} bytes in this cell]\n"
        kept = (message["content"] if isinstance(message, dict) else content) if kind == "stream" else {}
        text = {"name": "stderr", "text": str(kept.get("text", ""))[: limit // 2] + note}
        if isinstance(message, dict):
            return session.msg("stream", text, parent=message.get("parent_header")), None, rest
        return "stream", text, rest

    session.send = capped
    for statement in imports:
        with contextlib.suppress(Exception):
            exec(statement, {})
