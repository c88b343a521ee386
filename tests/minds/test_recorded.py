"""A recorded full run replays: the same findings from the same answers, without a network and without paying again."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
import recording

from jupyter_swarm.events import HypothesisProposed, ModelAsked, TaskFinished

pytestmark = pytest.mark.timeout(120)


def test_it_replays_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connected = []
    connect = socket.socket.connect

    def watched(self: socket.socket, address: object) -> None:
        if self.family != socket.AF_UNIX:
            connected.append(address)
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", watched)
    store, expected = recording.recorded()
    swarm = recording.play(tmp_path, store)
    events = [record.event for record in store.read(0)]
    failed = [event.why for event in events if isinstance(event, TaskFinished) and event.failed]
    again = "a prompt has changed? python tests/minds/recording.py records the run anew"
    assert not failed, again
    assert [list(each) for each in recording.told(swarm)["findings"]] == expected["findings"], again
    assert recording.told(swarm)["hypotheses"] == expected["hypotheses"]
    assert recording.told(swarm)["summary"] == expected["summary"] == ["The study had 160 runs."]
    assert not [event for event in events if isinstance(event, ModelAsked)], "nothing is paid for twice"
    assert connected == []
    minds = {each.id: each.mind for each in swarm.state.agents.values()}
    proposed = [event.hypothesis for event in events if isinstance(event, HypothesisProposed)]
    assert any(minds.get(each.agent) == recording.MODEL for each in proposed), "the model had its part in it"
    assert any(each.variation.free for each in proposed)
