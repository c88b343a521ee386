"""What models answer: kept so that it reads the same ever after, and read as what was asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_swarm.minds.answers import AnswerError, Call, Raw, decode, encode, read, schema, tool
from jupyter_swarm.words import Word


class Idea(Word, frozen=True):
    """An idea and how sure one is."""

    statement: str
    promise: float = 0.5


class Ideas(Word, frozen=True):
    """Several."""

    ideas: tuple[Idea, ...]


ANYTHING = st.text(st.characters()) | st.text(st.characters(categories=("Cs", "Ll")))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANYTHING,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANYTHING, inner, max_size=3),
    max_leaves=8,
)
CALLS = st.builds(Call, id=ANYTHING, name=ANYTHING, arguments=st.dictionaries(ANYTHING, JSON, max_size=3))
RAWS = st.builds(
    Raw, text=ANYTHING, calls=st.lists(CALLS, max_size=3).map(tuple), finish=ANYTHING, broken=ANYTHING,
    tokens_in=st.none() | st.integers(0, 10**9), tokens_out=st.none() | st.integers(0, 10**9),
)  # fmt: skip


@given(raw=RAWS)
def test_whatever_comes_can_be_kept_and_reads_the_same_ever_after(raw: Raw) -> None:
    kept = decode(encode(raw))
    assert decode(encode(kept)) == kept
    assert [call.name.encode(errors="replace").decode() for call in raw.calls] == [call.name for call in kept.calls]
    assert (kept.tokens_in, kept.tokens_out) == (raw.tokens_in, raw.tokens_out)


@given(raw=RAWS)
def test_reading_gives_a_value_or_says_what_is_wrong(raw: Raw) -> None:
    try:
        assert isinstance(read(decode(encode(raw)), Ideas), Ideas)
    except AnswerError:
        return


@pytest.mark.parametrize("depth", [600, 990, 3000, 20_000])
def test_an_answer_without_a_bottom_is_one_that_cannot_be_read(depth: int) -> None:
    deep: Any = "\ud800"
    for _ in range(depth):
        deep = {"a": deep}
    kept = decode(encode(Raw(calls=(Call(id="1", name="answer", arguments=deep),))))
    with pytest.raises(AnswerError):
        read(kept, Ideas)


def given_by_tool(arguments: dict[str, Any], **more: Any) -> Raw:
    return Raw(calls=(Call(id="1", name="answer", arguments=arguments),), **more)


VALUE = {"ideas": [{"statement": "RobustScaler helps", "promise": 0.7}]}
EXPECTED = Ideas(ideas=(Idea(statement="RobustScaler helps", promise=0.7),))


@pytest.mark.parametrize(
    "raw",
    [
        given_by_tool(VALUE),
        given_by_tool({"ideas": [{"statement": "RobustScaler helps", "promise": "0.7"}]}),
        Raw(text=json.dumps(VALUE)),
        Raw(text=f"Here they are:\n```json\n{json.dumps(VALUE)}\n```\nGood luck!"),
        Raw(text=f"I think {json.dumps(VALUE)} is all."),
    ],
)
def test_ways_to_give_an_answer(raw: Raw) -> None:
    assert read(raw, Ideas) == EXPECTED


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (Raw(text="No."), "no JSON"),
        (Raw(), "no JSON"),
        (Raw(text='{"ideas": [{"statement"'), "no JSON"),
        (given_by_tool({}), "missing required field `ideas`"),
        (given_by_tool({"ideas": 5}), "Expected `array`"),
        (given_by_tool({"ideas": [{"statement": None}]}), "Expected `str`"),
        (given_by_tool(VALUE, finish="length"), "cut off"),
        (given_by_tool(VALUE, finish="max_tokens"), "cut off"),
        (Raw(text="I cannot help with that.", finish="content_filter"), "no answer was given"),
        (Raw(broken='{"ideas": ['), "cannot be read"),
        (Raw(calls=given_by_tool(VALUE).calls * 2), "several"),
    ],
)
def test_an_answer_of_no_use_says_what_to_mend(raw: Raw, says: str) -> None:
    with pytest.raises(AnswerError, match=says):
        read(raw, Ideas)


def test_a_schema_stands_for_itself() -> None:
    """Not every provider follows a reference."""
    whole = json.dumps(tool(Ideas))
    assert "$ref" not in whole
    assert "$defs" not in whole
    made = schema(Ideas)
    assert made["properties"]["ideas"]["items"]["properties"]["promise"]["type"] == "number"
    assert tool(Ideas)["function"]["name"] == "answer"
