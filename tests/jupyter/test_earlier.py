"""Earlier cells: joined to the swarm's, or executed again before it; and an expression instead of a cell."""

from __future__ import annotations

import threading

import pytest
from faces import Kernel, wait_for

from jupyter_swarm import cell
from jupyter_swarm.errors import CaptureError, CellError, SwarmError, UsageError
from jupyter_swarm.jupyter.earlier import joined
from jupyter_swarm.jupyter.options import cell_numbers
from jupyter_swarm.jupyter.swarming import expression

EARLIER = {
    1: "%load_ext jupyter_swarm\nimport numpy as np",
    2: "%%time\nrows = 10\n%time data = np.arange(rows)",
    3: "%%swarm wine --maximize score\nscore = 1",
    4: "%%bash\nls",
    5: "data = data * 2\n",
}


class TestJoined:
    """Which cells, and what becomes of them."""

    def test_cells_come_before_in_their_order(self) -> None:
        made = joined("score = measure(data)", EARLIER, [[5, 2], [1]], [])
        assert made.code.split("\n\n") == [
            "import numpy as np",
            "# %%time\nrows = 10\ndata = np.arange(rows)  # %time",
            "data = data * 2",
            "score = measure(data)",
        ]
        assert made.code.splitlines()[made.done] == "score = measure(data)"

    def test_without_options_the_cell_is_what_was_typed(self) -> None:
        assert joined("!ls\nscore = 1", {}, [], []).code == "!ls\nscore = 1"

    def test_setup_is_kept_apart(self) -> None:
        made = joined("score = 1", EARLIER, [], [[2]])
        assert made.code == "score = 1"
        assert made.setup == ("# %%time\nrows = 10\ndata = np.arange(rows)  # %time",)

    @pytest.mark.parametrize(
        ("cells", "setup", "said"),
        [
            ([[9]], [], "there is no cell 9 that was run"),
            ([[3]], [], "cell 3 is a swarm's own"),
            ([], [[4]], "--setup, cell 4"),
            ([[1, 2]], [[2]], "named by --cells and by --setup"),
        ],
    )
    def test_mistakes(self, cells: list[list[int]], setup: list[list[int]], said: str) -> None:
        with pytest.raises(SwarmError, match=said):
            joined("score = 1", EARLIER, cells, setup)

    @pytest.mark.parametrize("text", ["", "a", "3-", "-3", "5-3", "1-99999", "1.5"])
    def test_numbers_that_are_none(self, text: str) -> None:
        with pytest.raises(ValueError, match="cells"):
            cell_numbers(text)


def test_what_setup_makes_is_not_taken_and_what_it_needs_is() -> None:
    namespace = {"lock": threading.Lock(), "path": "x", "measure": len, "rate": 0.1}
    code = "with lock:\n    score = measure(rate=0.5)"
    with pytest.raises(CaptureError, match="lock"):
        cell.survey(cell.read(code, metric="score", namespace=namespace), namespace)
    setup = ["import threading\nlock = threading.Lock()\nopen(path)"]
    analysis = cell.read(code, metric="score", namespace=namespace, setup=setup)
    assert analysis.names == ("measure", "path")


def test_joined_cells_that_change_what_is_taken_are_told() -> None:
    code = "data['z'] = 1\ndata.append(2)\nscore = measure(data, rate=0.5)"
    namespace = {"data": {}, "measure": len}
    (said,) = [w for w in cell.read(code, metric="score", namespace=namespace, done=2).warnings if "taken" in w]
    assert said.startswith("line 1 changes data")
    assert not [w for w in cell.read(code, metric="score", namespace=namespace).warnings if "taken" in w]


def test_an_expression_ends_where_the_options_begin() -> None:
    assert expression("this f(a - -b, 'x --y') --minimize loss") == ("f(a - -b, 'x", "--y') --minimize loss")
    assert expression("this train(cfg)") == ("train(cfg)", "")


@pytest.mark.slow
class TestInAKernel:
    """With real swarms."""

    def test_cells_and_setup(self, kernel: Kernel) -> None:
        made = kernel.run("%cd -q .\nimport threading\nguard = threading.Lock()\nfloor = 0.0")
        assert made.status == "ok"
        number = int(kernel.run("len(In) - 1").plain)
        joined_cell = kernel.run("import random\n!echo again > marks.txt\nlevel = 0.25")
        assert joined_cell.status == "ok"
        begun = kernel.run(
            f"%%swarm joined --cells {number + 1} --setup {number - 1} --maximize score --budget 8x --agents 4\n"
            "with guard:\n    score = floor + measure(rate=0.3) + level * random.random()\n"
        )
        assert begun.status == "ok", begun.errors
        wait_for(lambda: kernel.swarm("joined").state.over, 120, "the end of joined")
        state = kernel.swarm("joined").state
        assert len(state.baseline_values()) == 3, state.why
        notebook = kernel.swarm("joined").notebook(1).read_text()
        assert "guard = threading.Lock()" in notebook
        assert "!echo again > marks.txt" in notebook

    def test_an_expression(self, kernel: Kernel) -> None:
        begun = kernel.run("%swarm this measure(rate=0.3, seconds=0.0) --maximize worth --budget 8x --agents 4")
        assert begun.status == "ok", begun.errors
        wait_for(lambda: kernel.swarm("swarm").state.over, 120, "the end of swarm")
        assert kernel.swarm("swarm").state.analysis.code == "worth = measure(rate=0.3, seconds=0.0)\n"
        assert kernel.swarm("swarm").state.baseline_values()

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("%swarm this", "needs EXPRESSION"),
            ("%swarm this measure(", "is no expression"),
            ("%swarm this measure(0.3)", "say what to call the value"),
            ("%swarm this nothing(0.3) --maximize x", "the name 'nothing' exists nowhere"),
        ],
    )
    def test_mistakes(self, kernel: Kernel, line: str, said: str) -> None:
        assert said in kernel.run(line).errors


def test_a_mistake_in_an_expression_is_ours_to_say() -> None:
    from types import SimpleNamespace

    from jupyter_swarm.jupyter.swarming import cell_of

    options = SimpleNamespace(maximize="x", minimize=None)
    with pytest.raises(CellError, match="no expression"):
        cell_of("a = 1", options)
    with pytest.raises(UsageError, match="which way"):
        cell_of("a", SimpleNamespace(maximize=None, minimize=None))
