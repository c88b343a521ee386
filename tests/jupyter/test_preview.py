"""What a panel asks a real kernel about a cell, before anything is started."""

from __future__ import annotations

import json
from typing import Any

import pytest
from faces import CELL, Kernel

from jupyter_swarm.workspace import Workspace

pytestmark = pytest.mark.slow

ASKED = "__import__('jupyter_swarm.jupyter.preview', fromlist=['preview']).preview({line}, {cell})"


def asked(kernel: Kernel, line: str, cell: str) -> tuple[dict[str, Any], list[str]]:
    """The preview as a front end asks for it, and the kinds of messages that everybody saw."""
    expression = ASKED.format(line=json.dumps(line), cell=json.dumps(cell))
    request = kernel.client.execute(
        "", silent=True, store_history=False, user_expressions={"found": expression}, allow_stdin=False
    )
    while (reply := kernel.client.get_shell_msg(timeout=60))["parent_header"].get("msg_id") != request:
        pass
    kinds = []
    while (message := kernel.client.get_iopub_msg(timeout=60))["content"].get("execution_state") != "idle" or (
        message["parent_header"].get("msg_id") != request
    ):
        kinds.append(message["msg_type"])
    found = reply["content"]["user_expressions"]["found"]
    assert found["status"] == "ok", found
    return found["data"]["application/json"], kinds


def names(kernel: Kernel) -> str:
    return kernel.run("print(sorted(name for name in globals() if not name.startswith('_')))").printed


def test_it_says_what_was_found_and_leaves_no_trace(kernel: Kernel) -> None:
    count = "print(get_ipython().execution_count)"
    before, number = names(kernel), int(kernel.run(count).printed)
    found, kinds = asked(kernel, "%%swarm study --maximize score --budget 50x", CELL)
    assert found["question"] == "Which rate is best?"
    assert {"name": "measure.rate", "value": 0.3}.items() <= found["knobs"][0].items()
    assert [each["name"] for each in found["captures"]] == ["measure"]
    assert found["metric"] == "score"
    assert found["budget"].startswith("At most 50 experiments.")
    assert found["folder"] == str(kernel.folder)
    assert any("score" in each["code"] for each in found["locked"])
    assert set(kinds) <= {"status"}, "nothing is shown in the notebook"
    assert names(kernel) == before
    assert int(kernel.run(count).printed) == number + 2, "only the two cells of this test were counted"
    assert not Workspace(kernel.folder).exists


@pytest.mark.parametrize(
    ("line", "cell", "reason", "message", "cure"),
    [
        ("%%swarm --maximise score", CELL, "UsageError", "has no option --maximise", "--maximize"),
        ("--maximize accuracy", CELL, "CellError", "the cell never assigns 'accuracy'", "score"),
        ("--maximize score", "score = unheard_of()\n", "", "unheard_of", ""),
        ("--maximize score", "score = (", "CellError", "", ""),
        ("--maximize score --budget {{nobody}}", CELL, "UsageError", "nobody", "assign it"),
        ('--maximize score --vary "', CELL, "UsageError", "cannot be read", "close the quotation mark"),
    ],
)
def test_what_cannot_be_used_is_a_problem(
    kernel: Kernel, line: str, cell: str, reason: str, message: str, cure: str
) -> None:
    found, kinds = asked(kernel, line, cell)
    problem = found["problem"]
    assert message in problem["message"]
    assert cure in problem["cure"]
    assert problem["reason"] == reason or not reason
    assert set(kinds) <= {"status"}


def test_the_cell_is_not_executed(kernel: Kernel) -> None:
    cell = "open('made.txt', 'w').close()\nprint('told')\nscore = measure(rate=0.3)\n"
    found, kinds = asked(kernel, "%%swarm --maximize score", cell)
    assert "problem" not in found
    assert set(kinds) <= {"status"}
    assert not (kernel.folder / "made.txt").exists()
