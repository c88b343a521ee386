from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_swarm.library.papers import Paper, Place, clean, join
from jupyter_swarm.library.passages import LONGEST, cut, sentences, spans
from jupyter_swarm.library.quotes import choose
from jupyter_swarm.library.terms import terms

PIECES = st.lists(
    st.sampled_from(
        [
            "word ",
            "Longer words here. ",
            "e.g. ",
            "\n\n",
            "\n- item ",
            "x" * 50,
            "Fig. 2 ",
            "?! ",
            "\t",
            "É. ",
            "漢字。",
        ]
    )
    | st.text(max_size=8)
).map("".join)


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(max_size=5), PIECES | PIECES.map(lambda text: text * 40)), max_size=4))
def test_passages_are_the_text_at_their_offsets(parts: list[tuple[str, str]]) -> None:
    text, places = join((name, clean(part)) for name, part in parts)
    paper = Paper(title="t", form="paper", text=text, places=places, paper="p", source="s", spans=())
    paper = Paper(**{**{name: getattr(paper, name) for name in paper.__struct_fields__}, "spans": spans(paper)})
    last = 0
    for span, passage in zip(paper.spans, paper.passages(), strict=True):
        place = places[span.place]
        assert text[passage.start : passage.end] == passage.text == passage.text.strip() != ""
        assert place.start <= passage.start < passage.end <= place.end
        assert passage.start >= last
        assert len(passage.text.split()) <= LONGEST
        last = passage.end
        start, end = choose(passage.text, ["word", "Fig"])
        assert 0 <= start < end <= len(passage.text)
        assert end - start <= 300
    kept = "".join(passage.text for passage in paper.passages())
    assert "".join(kept.split()) == "".join(text.split())


def test_long_places_are_filled_evenly() -> None:
    text = "This sentence has exactly seven words here. " * 100
    counts = [len(text[start:end].split()) for start, end in cut(text, 0, len(text))]
    assert all(100 <= count <= LONGEST for count in counts)


def test_a_script_without_spaces_is_cut_too() -> None:
    assert len(cut("漢" * 50_000, 0, 50_000)) > 5


def test_sentences_know_abbreviations_lists_and_code() -> None:
    text = "See e.g. Fig. 2 by J. Smith et al. (2003). It works.\n- first item\n- second item\n>>> f(1.5)\n2.0"
    assert [text[a:b] for a, b in sentences(text)] == [
        "See e.g. Fig. 2 by J. Smith et al. (2003).",
        "It works.",
        "- first item",
        "- second item",
        ">>> f(1.5)\n2.0",
    ]


def test_identifiers_match_whole_and_by_parts() -> None:
    assert {"standardscaler", "standard", "scaler"} <= set(terms("StandardScaler"))
    assert {"random_state", "random", "state"} <= set(terms("random_state"))
    assert {"make_pipeline", "make", "pipelin"} <= set(terms("make_pipeline"))
    assert terms("C") == ["c"]
    assert terms("hyper-\nparameters") == terms("hyperparameters")
    assert terms("the ﬁt of it") == ["fit"]


def test_places_of_a_text_without_any() -> None:
    text = "One.\nTwo.\n\nThree."
    place = Place(name="", start=0, end=len(text))
    paper = Paper(title="", form="paper", text=text, places=(place,), paper="p", source="", spans=())
    (span,) = spans(paper)
    paper = Paper(title="", form="paper", text=text, places=(place,), paper="p", source="", spans=(span,))
    assert next(paper.passages()).place == "lines 1–4"
