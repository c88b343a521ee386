"""What an administrator allows: read from JUPYTER_SWARM_POLICY, which kernels, terminals and runners inherit.

    JUPYTER_SWARM_POLICY='{"models": ["local:*"], "seconds": 28800, "agents": 64, "network": false}'

A limit that is left out is none. Whoever may change the environment of a process may change this too: it keeps people
from what is not wanted, and is no wall against them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Any

import msgspec

from jupyter_swarm.errors import PolicyError, UsageError
from jupyter_swarm.words import Budget

VARIABLE = "JUPYTER_SWARM_POLICY"
KEEPALIVE_HOURS = 24.0
_Whole = Annotated[int, msgspec.Meta(ge=1)]
_Some = Annotated[float, msgspec.Meta(gt=0)]
_BUDGET = ("seconds", "experiments", "dollars", "tokens")
_OF_MODELS = ("dollars", "tokens")


class House(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a swarm may be asked for in this house; each limit is one of a single swarm, None is no limit.

    >>> House(models=("local:*",)).check_models(["openai:gpt-5"])
    Traceback (most recent call last):
    jupyter_swarm.errors.PolicyError: the model openai:gpt-5 is not allowed: an administrator has set it \
(JUPYTER_SWARM_POLICY). Try: a model like local:*
    """

    models: tuple[str, ...] = ()
    """Patterns of language models that may be asked, as in `local:*`; empty: all. `none` fits no model."""
    agents: _Whole | None = None
    """At work at once."""
    seconds: _Some | None = None
    experiments: _Whole | None = None
    dollars: Annotated[float, msgspec.Meta(ge=0)] | None = None
    tokens: Annotated[int, msgspec.Meta(ge=0)] | None = None
    workers: _Whole | None = None
    """Experiments at once."""
    network: bool = True
    """Whether experiments may be let open connections."""
    unsafe: bool = True
    """Whether code that nobody has read may be let run where it cannot be shut in."""
    gpus: bool = True
    read_only: bool = False
    """Whether swarms may only be looked at."""
    keepalive_hours: Annotated[float, msgspec.Meta(ge=0)] = KEEPALIVE_HOURS
    """So long after its beginning at most does a swarm at work keep a Jupyter server from being culled as idle."""

    def text(self) -> str:
        """What JUPYTER_SWARM_POLICY has to be for this.

        >>> House(agents=8, network=False).text()
        '{"agents":8,"network":false}'
        """
        return msgspec.json.encode(self).decode()

    def stricter(self, other: House) -> House:
        """What both houses allow: the lower of each limit; of `models` this one's, unless it has none.

        >>> House(agents=8, network=False).stricter(House(agents=64, seconds=60.0)).text()
        '{"agents":8,"seconds":60.0,"network":false}'
        """
        limits: dict[str, Any] = {}
        for name in (*_BUDGET, "agents", "workers", "keepalive_hours"):
            known = [each for each in (getattr(self, name), getattr(other, name)) if each is not None]
            limits[name] = min(known, default=None)
        allowed = {name: getattr(self, name) and getattr(other, name) for name in ("network", "unsafe", "gpus")}
        return House(
            **limits, **allowed, models=self.models or other.models, read_only=self.read_only or other.read_only
        )

    def check_open(self, what: str) -> None:
        """Whether something may be asked for at all.

        Raises:
            PolicyError: swarms may only be looked at.
        """
        if self.read_only:
            raise _not_allowed(f"{what} is not allowed: swarms may only be looked at here", "ask your administrator")

    def check_models(self, models: Iterable[str]) -> None:
        """Whether these language models may be asked.

        Raises:
            PolicyError: one may not.
        """
        for model in models:
            if self.models and not any(fnmatchcase(model, pattern) for pattern in self.models):
                raise _not_allowed(f"the model {model} is not allowed", f"a model like {' or '.join(self.models)}")

    def check_agents(self, count: int) -> None:
        """Whether so many agents may be at work in a swarm.

        Raises:
            PolicyError: it is too many.
        """
        if self.agents is not None and count > self.agents:
            raise _not_allowed(f"{count} agents are more than the {self.agents} that are allowed", "fewer agents")

    def check_budget(self, budget: Budget) -> None:
        """Whether a swarm may spend so much; what a budget leaves open is not looked at (see `filled`).

        Raises:
            PolicyError: it may not.
        """
        for name in _BUDGET:
            most, asked = getattr(self, name), getattr(budget, name)
            if most is not None and asked is not None and asked > most:
                raise _not_allowed(
                    f"a budget of {asked:,g} {name} is more than the {most:,g} that are allowed",
                    f"--budget {_SHORT[name].format(most)}",
                )

    def check_options(self, options: Mapping[str, str | int | float | bool]) -> None:
        """Whether a swarm may have these options: workers, network, unsafe, gpus.

        Raises:
            PolicyError: it may not.
        """
        workers = int(options.get("workers", 0))
        if self.workers is not None and workers > self.workers:
            what = f"{workers} experiments at once are more than the {self.workers} that are allowed"
            raise _not_allowed(what, f"--workers {self.workers}")
        for name in ("network", "unsafe", "gpus"):
            if options.get(name) and not getattr(self, name):
                raise _not_allowed(f"--{name} is not allowed", f"leave --{name} out")

    def filled(self, budget: Budget, *, models: bool) -> Budget:
        """A budget that also has the house's limits where it leaves something open.

        Args:
            budget: as a person gave it.
            models: whether language models are asked, so that dollars and tokens mean something.

        >>> House(seconds=3600.0, dollars=2.0).filled(Budget(experiments=500), models=False)
        Budget(seconds=3600.0, experiments=500, dollars=None, tokens=None)
        """
        names = [name for name in _BUDGET if models or name not in _OF_MODELS]
        open_ones = {name: getattr(self, name) for name in names if getattr(budget, name) is None}
        return msgspec.structs.replace(budget, **open_ones)

    def most_workers(self, asked: int, cores: int) -> int:
        """How many experiments may run at once.

        Args:
            asked: by the person, or 0.
            cores: of this machine.

        >>> House(workers=4).most_workers(0, 16), House().most_workers(0, 16), House(workers=4).most_workers(2, 16)
        (4, 16, 2)
        """
        return min(asked or cores, self.workers or asked or cores)


NO_LIMITS = House()
_SHORT = {"seconds": "{:g}s", "experiments": "{}x", "dollars": "{:g}usd", "tokens": "{}t"}


def from_environment(environment: Mapping[str, str] | None = None) -> House:
    """The policy of JUPYTER_SWARM_POLICY; without it all is allowed.

    Raises:
        UsageError: it is no JSON, names something unknown, or a limit makes no sense. It is never ignored.

    >>> from_environment({"JUPYTER_SWARM_POLICY": '{"agents": 8}'}).agents
    8
    """
    text = (os.environ if environment is None else environment).get(VARIABLE, "").strip()
    if not text:
        return House()
    try:
        return msgspec.json.decode(text, type=House)
    except msgspec.DecodeError as error:
        names = ", ".join(House.__struct_fields__)
        raise UsageError(
            f"the administrator's policy cannot be read: {error}",
            where=VARIABLE,
            cure=f"""a JSON object as in {{"agents": 64, "network": false}}, with any of {names}""",
        ) from None


def of(**limits: Any) -> House:
    """A policy from plain values, as traitlets have them; checked like one of the environment.

    Raises:
        UsageError: as there.

    >>> of(agents=8, models=["local:*"]).text()
    '{"models":["local:*"],"agents":8}'
    """
    return from_environment({VARIABLE: msgspec.json.encode(limits).decode()})


def _not_allowed(what: str, cure: str) -> PolicyError:
    return PolicyError(f"{what}: an administrator has set it", where=VARIABLE, cure=cure)
