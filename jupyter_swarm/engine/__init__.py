"""Who does what next: the swarm's engine, its runner process, and how a face makes sure that one lives."""

from jupyter_swarm.engine.environments import check
from jupyter_swarm.engine.launch import alive, start

__all__ = ["alive", "check", "start"]
