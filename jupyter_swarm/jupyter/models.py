"""`models`: which language models can be asked from here, why others cannot, and a call of one on request."""

from __future__ import annotations

from jupyter_swarm.jupyter.pages import Answer, Part, Table, Words
from jupyter_swarm.jupyter.verbs import Asked
from jupyter_swarm.minds import providers
from jupyter_swarm.report.phrases import number, plural

QUESTION = "Answer with one word: are you there?"
MOST = 200
"""Characters of an answer that are shown."""


def models(asked: Asked) -> Answer:
    """List the providers, or try a model.

    Raises:
        UsageError: the model or the address makes no sense, or something is missing for it.
        ModelError: it was asked, and did not answer.
    """
    options = asked.options
    return _tried(options.model, options.base_url or "") if options.model else _listed()


def _listed() -> Answer:
    found = [providers.ready(each) for each in providers.PROVIDERS.values()]
    rows = [(each.provider.name, "not yet" if each.wants else "ready", _has(each)) for each in found]
    count = sum(not each.wants for each in found)
    parts: list[Part] = [
        Table(("provider", "", "what it has, or wants"), rows),
        Words(
            f"{plural(count, 'provider')} of {len(found)} can be asked. Nobody was asked for this: "
            "%swarm models PROVIDER:NAME tries one call."
        ),
    ]
    data = [
        {"provider": each.provider.name, "ready": not each.wants, "key": each.key, "wants": each.wants}
        for each in found
    ]
    return Answer(parts, data={"providers": data})


def _has(found: providers.Ready) -> str:
    """What a provider wants, or where its key was found, or where it is asked."""
    if found.wants:
        return found.wants
    if found.provider.local:
        return f"asked at {found.provider.url}, if a server listens there"
    return f"key from the {found.key}" if found.key in ("environment", "keyring") else f"key from {found.key}"


def _tried(model: str, url: str) -> Answer:
    from jupyter_swarm.minds import chat

    with chat.connect(model, url) as connection:
        answer = connection.ask(QUESTION)
    tokens = [each for each in (answer.tokens_in, answer.tokens_out) if each is not None]
    said = " ".join(answer.text.split())[:MOST]
    cost = f"{tokens[0]} tokens in, {tokens[1]} out" if len(tokens) == 2 else "it does not say how many tokens"
    data = {"model": model, "answer": said, "seconds": round(answer.seconds, 3), "tokens": tokens}
    return Answer([Words(f"{model} answered in {number(answer.seconds, 2)} s ({cost}): {said}")], data=data)
