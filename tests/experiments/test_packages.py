"""Installed packages that change while a swarm works, in a real environment of their own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_swarm.experiments.packages import Packages


def install(site: Path, version: str) -> None:
    """A package as pip leaves it."""
    for each in site.glob("mine-*.dist-info"):
        shutil.rmtree(each)
    home = site / f"mine-{version}.dist-info"
    home.mkdir()
    (site / "mine_package.py").write_text("")
    (home / "METADATA").write_text(f"Metadata-Version: 2.1\nName: mine\nVersion: {version}\n")
    (home / "top_level.txt").write_text("mine_package\n")
    (home / "RECORD").write_text(f"mine_package.py,,\nmine-{version}.dist-info/METADATA,,\n")


@pytest.fixture
def environment(tmp_path: Path) -> tuple[str, Path]:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "env")], check=True)
    (site,) = (tmp_path / "env" / "lib").glob("python*/site-packages")
    install(site, "1.0")
    return str(tmp_path / "env" / "bin" / "python"), site


def test_a_change_is_told_and_so_is_that_it_was_taken_back(environment: tuple[str, Path]) -> None:
    python, site = environment
    packages = Packages(python, ["mine_package", "json", "nowhere"])
    assert packages.versions == {"mine_package": "1.0"}
    assert packages.changed() == ""
    install(site, "2.0")
    assert packages.changed() == "mine_package was 1.0 and is 2.0"
    assert packages.changed() == "mine_package was 1.0 and is 2.0"
    install(site, "1.0")
    assert packages.changed() == ""
    shutil.rmtree(site / "mine-1.0.dist-info")
    assert packages.changed() == "mine_package 1.0 is gone"


def test_what_another_runner_found_counts(environment: tuple[str, Path]) -> None:
    python, site = environment
    install(site, "2.0")
    known = {"mine_package": "1.0", "jupyter-swarm": "0.1"}
    assert Packages(python, ["mine_package"], known).changed() == "mine_package was 1.0 and is 2.0"


def test_an_interpreter_that_does_not_start_says_nothing() -> None:
    assert Packages("/nowhere/python", ["numpy"]).changed() == ""


def test_what_a_path_leads_to_is_seen(environment: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    _, site = environment
    monkeypatch.setenv("PYTHONPATH", str(site))
    assert Packages(sys.executable, ["mine_package"]).versions == {"mine_package": "1.0"}
