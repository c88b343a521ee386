"""GPUs as a counted resource: each experiment is shown one, and no other."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def devices(count: int, environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """What `CUDA_VISIBLE_DEVICES` says for each of so many GPUs: those that this process was given, in their order.

    >>> devices(2, {}), devices(1, {"CUDA_VISIBLE_DEVICES": "3,5"}), devices(3, {"CUDA_VISIBLE_DEVICES": "3"})
    (('0', '1'), ('3',), ('3',))
    """
    given = environment.get("CUDA_VISIBLE_DEVICES")
    names = [str(number) for number in range(count)] if given is None else [each for each in given.split(",") if each]
    return tuple(names[:count])


def device_files(root: Path = Path("/dev")) -> tuple[str, ...]:
    """The files through which drivers are spoken to; () where there are none."""
    found = [*root.glob("nvidia*"), *root.glob("dri"), *root.glob("kfd")]
    return tuple(sorted(str(each) for each in found))
