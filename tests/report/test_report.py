"""What stands in the report: the answer first, each number linked, and nothing that acts."""

from __future__ import annotations

import ast
import html.parser
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import unquote

import logs
import msgspec
import nbformat
import pytest
from played import HOSTILE, Played, text_of

from jupyter_swarm import events as e
from jupyter_swarm.library import LocalLibrary
from jupyter_swarm.report import writing
from jupyter_swarm.report.answer import answer
from jupyter_swarm.report.markdown import Links, inline
from jupyter_swarm.words import Citation, Run

Report = tuple[Played, nbformat.NotebookNode]
Play = Callable[[Sequence[logs.Move]], Played]
LINK = re.compile(r'\[([^\]]*)\]\(([^)#]+) "run (\d+)"\)')


def section(notebook: nbformat.NotebookNode, name: str) -> str:
    """The Markdown of the cell with this id."""
    return next(cell.source for cell in notebook.cells if cell.id == name)


class TestWhole:
    def test_valid(self, wine: Report) -> None:
        nbformat.validate(wine[1])
        assert wine[1].nbformat_minor >= 5

    def test_answer_first(self, wine: Report) -> None:
        played, notebook = wine
        first = notebook.cells[0].source
        assert first.startswith("# wine")
        assert inline(answer(played.state), 4000) in first
        order = [cell.id for cell in notebook.cells]
        parts = ["answer", "best", "findings", "plot-effects", "ablation", "plot-ablation", "plot-course", "tried"]
        assert sorted(parts, key=order.index) == parts
        assert {"sources", "predictions", "evidence", "agents", "setting", "timeline"} <= set(order)

    def test_each_run_is_linked(self, wine: Report) -> None:
        played, notebook = wine
        linked = {}
        for words, target, number in LINK.findall(text_of(notebook)):
            row = played.state.rows[int(number)]
            path = (played.workspace.folder / unquote(target)).resolve()
            assert path.is_file()
            assert row.run is not None
            assert path == played.workspace.root / row.run.notebook
            if not words.startswith("&#35;"):
                assert float(words.replace("−", "-")) == pytest.approx(row.run.value, rel=1e-4)
            linked[int(number)] = words
        assert set(linked) == {n for n, row in played.state.rows.items() if row.run is not None and row.run.notebook}

    def test_each_anchor_exists(self, wine: Report) -> None:
        text = text_of(wine[1])
        heads = {head.strip().replace(" ", "-") for head in re.findall(r"^#+ (.*)$", text, re.M)}
        anchors = set(re.findall(r"\]\(#([^)]+)\)", text))
        assert {"Pairs-of-H1", "Pairs-of-H12", "The-best-cell"} <= anchors
        assert anchors <= heads

    def test_numbers_agree_with_the_fold(self, wine: Report) -> None:
        played, notebook = wine
        found = section(notebook, "findings")
        for case in played.state.findings():
            name = f"| {case.hypothesis.id} |"
            inside = found if case.hypothesis.direction != "ablation" else section(notebook, "ablation")
            row = next(line for line in inside.splitlines() if line.startswith(name))
            assert case.evidence is not None
            assert case.evidence.verdict in row
            assert f"[{case.evidence.pairs}](#Pairs-of-{case.hypothesis.id})" in row
            assert f"{abs(case.evidence.effect):.3g}" in row

    def test_gains_average_to_the_effect(self, wine: Report) -> None:
        played, notebook = wine
        evidence = section(notebook, "evidence").split("### Pairs of ")
        parts = {part.split("\n", 1)[0]: part for part in evidence[1:]}
        assert set(parts) == {case.hypothesis.id for case in played.state.findings()}
        for case in played.state.findings():
            lines = [line.split("|") for line in parts[case.hypothesis.id].splitlines() if line.count('"run ') == 2]
            gains = [float(line[4].strip().replace("−", "-")) for line in lines]
            assert case.evidence is not None
            assert len(gains) == case.evidence.pairs
            assert sum(gains) / len(gains) == pytest.approx(case.evidence.effect, abs=2e-3)

    def test_counts(self, wine: Report) -> None:
        tried = section(wine[1], "tried")
        assert "11 hypotheses were proposed in 5 directions; 6 came to a verdict" in tried
        assert "| part swapped | **4** | 2 | · | · | 2 | · |" in tried
        assert "| step inserted | **2** | · | · | · | · | 2 |" in tried
        assert "3 of 260 runs gave no value: 2 raised an error, 1 ran out of time." in tried
        assert "n&#95;components&#61;50" in tried

    def test_environment_and_seeds(self, wine: Report) -> None:
        played, notebook = wine
        setting = section(notebook, "setting")
        assert "scikit-learn 1.7.2" in setting
        assert "| screening | 1–3 | 3 |" in setting
        assert "100000000–100000004" in setting
        assert "No seed of a test or of the best cell's runs was used in screening." in setting
        for trial in played.state.trials.values():
            assert f"| {trial.plan.id} |" in setting

    def test_few_predictions_are_said_to_be_few(self, wine: Report) -> None:
        assert "**8 verdicts cannot tell whether the records predict anything**" in section(wine[1], "predictions")

    def test_documentation_counted_apart(self, wine: Report) -> None:
        text = section(wine[1], "sources")
        assert "1 quotation from 1 paper and 2 quotations from 2 texts of documentation" in text
        assert "0 of 3 quotations stand word for word" in text, "the library of this workspace holds none of them"

    def test_bounded(self, wine: Report) -> None:
        assert wine[0].write().stat().st_size < 600_000


class TestSeedsThatWereSeen:
    def test_told(self, play: Play) -> None:
        p = logs.Player()
        p.begin()
        p.baseline()
        again = p.propose("H1", "MaxAbsScaler helps", "D1", logs.swapped("MaxAbsScaler"))
        p.screen(again, (0.97, 0.01), seeds=(1, 10_003))
        p.confirm(again, (0.97, 0.01), (0.63, 0.01), 8)
        assert "**Seeds 10003 were used both in screening and in a test.**" in text_of(play(p.moves).notebook())


class TestPairsThatFailed:
    def test_counted_as_judged(self, play: Play) -> None:
        p = logs.Player()
        p.begin()
        p.baseline()
        shaky = p.propose("H1", "MaxAbsScaler helps", "D1", logs.swapped("MaxAbsScaler"))
        p.confirm(shaky, (0.97, 0.01), (0.63, 0.01), 8)
        plan = p.state.trials["P1"].plan
        p.run(shaky.variation, logs.FAILURE, plan.first_seed + 20, "confirmation", shaky)
        p.run(shaky.reference, (0.63, 0.01), plan.first_seed + 20, "confirmation", shaky)
        lost = Run(experiment="", reason="lost", message="its runner was killed")
        p.run(shaky.variation, lost, plan.first_seed + 21, "confirmation", shaky)
        p.run(shaky.reference, (0.63, 0.01), plan.first_seed + 21, "confirmation", shaky)
        lines = section(play(p.moves).notebook(), "evidence").splitlines()
        failed = next(line for line in lines if line.startswith(f"| {plan.first_seed + 20} |"))
        worst = max(abs(gain) for gain in p.state.trials["P1"].gains(p.state.objective))
        assert f"| −{worst:.3g} (a run failed) |" in failed
        assert "not counted" in next(line for line in lines if line.startswith(f"| {plan.first_seed + 21} |"))


class TestOtherEnds:
    def test_failed_baseline(self, play: Play) -> None:
        notebook = play(logs.failed()).notebook()
        assert "There is no answer" in notebook.cells[0].source
        assert notebook.cells[1].id == "baseline", "why it failed comes next"
        assert "NameError" in section(notebook, "baseline")
        assert "Traceback" in section(notebook, "baseline")
        assert not [cell for cell in notebook.cells if cell.cell_type == "code"]

    def test_unfinished(self, play: Play) -> None:
        notebook = play(logs.wine()[:330]).notebook()
        assert "The swarm is not over" in notebook.cells[0].source
        assert "So far" in notebook.cells[0].source

    @pytest.mark.parametrize(
        "moves", [logs.wine(), logs.failed(), logs.hostile(HOSTILE)], ids=["wine", "failed", "bad"]
    )
    def test_any_prefix_has_a_report(self, moves: list[logs.Move], tmp_path: Path) -> None:
        links = Links(tmp_path / ".swarm", tmp_path)
        seen = set()
        for end in [1, 2, 3, *range(4, len(moves), 20), len(moves)]:
            records = logs.records(moves[:end])
            parts = writing.compose(logs.fold(moves[:end]), records, links, {})
            assert parts[0][0] == "answer"
            assert len({name for name, _ in parts}) == len(parts)
            for _, part in parts:
                if not isinstance(part, str):
                    ast.parse(part.source)
            seen |= {name for name, _ in parts}
        assert "timeline" in seen

    def test_freed_notebooks_are_not_linked(self, play: Play) -> None:
        played = play(logs.wine())
        shutil.rmtree(played.workspace.runs("wine"))
        text = text_of(played.notebook())
        assert not LINK.findall(text)
        assert "of the runs have no notebook any more" in text

    def test_requests_and_repeated_runs(self, play: Play) -> None:
        p = logs.Player()
        p.begin()
        p.baseline()
        case = p.propose("H1", "MaxAbsScaler helps", "D1", logs.swapped("MaxAbsScaler"))
        p.say(e.SteeringRequested(verb="veto", target="H1"), e.SteeringRequested(verb="close", target="nowhere"))
        first = len(p.moves) - 1
        p.say(e.HypothesisMarked(hypothesis="H1", mark="vetoed"))
        p.say(e.SteeringAnswered(request=first, done=True, answer="H1 is vetoed"))
        p.say(e.SteeringAnswered(request=first + 1, done=False, answer="there is no such direction"))
        p.run(case.variation, (0.97, 0.01), 200_000_000, "replication", case)
        text = section(play(p.moves).notebook(), "asked")
        assert "| veto H1 | done | H1 is vetoed |" in text
        assert "| close nowhere | refused | there is no such direction |" in text
        assert "- vetoed: H1" in text
        assert "seed 200000000: [" in text


class TestQuotations:
    def test_checked_at_their_places(self, play: Play, tmp_path: Path) -> None:
        notes = tmp_path / "notes.md"
        notes.write_text("# Notes\n\nFeature scaling brings all columns to one range. Kettles boil.\n")
        p = logs.Player()
        p.begin()
        played = play(p.moves)
        library = LocalLibrary(played.workspace, vectors=False)
        library.add([notes])
        right = library.cite(library.search("feature scaling")[0].passage, ["scaling"])
        wrong = msgspec.structs.replace(right, quote=right.quote.replace("one", "two"))
        opened = e.DirectionOpened(direction="D9", title="Scaling", agent="a", citations=(right, wrong))
        played.workspace.store.append("wine", [opened])
        text = section(played.notebook(), "sources")
        assert "**1 of 2 quotations stand word for word at their place**" in text
        assert f"> {inline(right.quote)}\n>\n> ✔" in text
        assert f"> {inline(wrong.quote)}\n>\n> ✘" in text


# ---------------------------------------------------------------- as a page


class Page(html.parser.HTMLParser):
    """Tags that act, and text outside of code, of an exported report."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.active: list[str] = []
        self.text = ""
        self._skip = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._skip += tag in ("pre", "code", "script", "style")
        for name, value in attrs:
            if name.startswith("on") or (value or "").strip().lower().startswith("javascript:"):
                self.active.append(f"{tag} {name}={value}")
            if tag == "a" and name == "href" and not (value or "").startswith("#") and "evil" in (value or ""):
                self.active.append(f"a {value}")

    def handle_endtag(self, tag: str) -> None:
        self._skip -= tag in ("pre", "code", "script", "style")

    def handle_data(self, data: str) -> None:
        if self.lasttag == "script" and "owned" in data:
            self.active.append(data)
        if not self._skip:
            self.text += data


def export(notebook: nbformat.NotebookNode) -> str:
    """The report as nbconvert's HTML."""
    from nbconvert.exporters import HTMLExporter

    return str(HTMLExporter().from_notebook_node(notebook)[0])


class TestPage:
    def test_plots_in_and_code_out(self, wine: Report) -> None:
        page = export(wine[1])
        assert len(re.findall(r'<img[^>]* src="data:image/png;base64,', page)) == 3
        assert "COLOURS" not in page

    def test_hostile_text_stays_text(self, hostile: Report) -> None:
        nbformat.validate(hostile[1])
        page = Page(export(hostile[1]))
        assert page.active == []
        assert "<script>document.title='owned'</script>" in page.text
        assert "[x](javascript:document.title" in page.text
        assert "$$" not in page.text, "MathJax would read it"
        assert "\u202e" not in page.text
        rows = [line for line in section(hostile[1], "findings").splitlines() if line.startswith("|")]
        assert len({line.count("|") for line in rows}) == 1, "no word of others makes a column"

    @pytest.mark.browser
    def test_hostile_text_does_nothing_in_a_browser(self, hostile: Report, tmp_path: Path) -> None:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        if chromium is None:
            pytest.skip("no Chromium here: `make test` installs it (apt-get install chromium)")
        page, profile = tmp_path / "report.html", tmp_path / "profile"
        page.write_text(export(hostile[1]), encoding="utf-8")
        flags = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={profile}",
            "--virtual-time-budget=4000",
        ]
        command = [chromium, *flags, "--dump-dom", page.as_uri()]
        shown = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
        assert re.search(r"<title>wine", shown)
        assert "<title>owned" not in shown


class TestPlots:
    def test_pictures_and_words(self, wine: Report) -> None:
        cells = [cell for cell in wine[1].cells if cell.cell_type == "code"]
        assert len(cells) == 3
        for cell in cells:
            assert cell.metadata.jupyter.source_hidden
            (output,) = cell.outputs
            assert output.data["image/png"].startswith("iVBOR")
            assert output.metadata["image/png"]["alt"] == output.data["text/plain"]
        assert "MinMaxScaler in place of Normalizer raises accuracy: +0.358" in cells[0].outputs[0].data["text/plain"]

    @pytest.mark.slow
    def test_run_again_they_draw_the_same(self, wine: Report) -> None:
        import nbclient

        again = nbformat.from_dict(msgspec.json.decode(msgspec.json.encode(wine[1])))
        for cell in again.cells:
            if cell.cell_type == "code":
                cell.outputs = []
        nbclient.NotebookClient(again, timeout=120, kernel_name="python3").execute()
        for before, after in zip(wine[1].cells, again.cells, strict=True):
            if before.cell_type == "code":
                assert [output.data for output in after.outputs] == [output.data for output in before.outputs]


def test_hostile_citation_has_one_place(hostile: Report) -> None:
    """The fixture's citation is everywhere where words of others may stand."""
    case = hostile[0].state.cases["HX"]
    assert isinstance(case.hypothesis.citations[0], Citation)
    assert case.hypothesis.citations[0].quote == HOSTILE
