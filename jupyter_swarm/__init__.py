"""A swarm of agents for a notebook cell: vary, tune, read, verify."""

__version__ = "0.1.0"
