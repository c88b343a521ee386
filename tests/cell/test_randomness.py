"""Randomness that no seed decides, and credentials, are told with their place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jupyter_swarm import cell
from jupyter_swarm.errors import CaptureError, CellError


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without modules: those of the tests, loaded by whoever ran before, are not told of here."""
    monkeypatch.chdir(tmp_path)


def read(code: str, **namespace: Any) -> cell.Sites | Any:
    return cell.read(code, metric="score", namespace={"measure": lambda rate, seed=0: rate, **namespace})


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("import os\nx = os.urandom(4)", "line 2: urandom()"),
        ("import uuid\nx = uuid.uuid4()", "line 2: uuid4()"),
        ("import random\nx = random.SystemRandom()", "line 2: SystemRandom()"),
        ("import secrets\nx = secrets.randbelow(4)", "line 2: randbelow()"),
        ("import numpy as np\nrng = np.random.default_rng()", "line 2: default_rng()"),
        ("import numpy as np, time\nnp.random.seed(int(time.time()))", "line 2: the clock decides the seed of seed"),
        ("import random\nfrom time import time\nrandom.seed(time())", "line 3: the clock decides"),
        ("import time\nSEED = int(time.time())\nx = SEED", "line 2: the clock decides SEED"),
        ("words = ['b', 'a']\nfor w in set(words):\n    pass", "line 2: the order of a set"),
        ("words = ['b', 'a']\nx = list(set(words))", "line 2: the order of a set"),
        ("words = ['b', 'a']\nx = [w for w in {w.upper() for w in words}]", "line 2: the order of a set"),
        ("from concurrent.futures import as_completed\nx = list(as_completed([]))", "line 2: as_completed()"),
        (
            "from multiprocessing.pool import Pool\nx = Pool\ny = x().imap_unordered(len, [])",
            "line 3: imap_unordered()",
        ),
    ],
)
def test_it_is_told_with_the_line(line: str, said: str) -> None:
    assert [each for each in read(f"{line}\nscore = measure(rate=0.1, seed=seed)").warnings if each.startswith(said)]


@pytest.mark.parametrize(
    "line",
    [
        "import time\nbegan = time.time()\nprint(time.time() - began)",
        "x = sorted(set(['b', 'a']))",
        "x = 'a' in set(['b', 'a'])\nn = len(set(['a']))",
        "for kind in {'a', 'b'}:\n    pass",
        "import numpy as np\nrng = np.random.default_rng(seed)",
        "import random\nrandom.seed(3)",
        "from datetime import datetime\nstamp = datetime.now()",
    ],
)
def test_what_repeats_is_not_told(line: str) -> None:
    assert read(f"{line}\nscore = measure(rate=0.1, seed=seed)").warnings == ()


@pytest.mark.parametrize(
    "seeding",
    [
        "import random\nrandom.seed(7)",
        "import numpy as np\nnp.random.seed(7)",
        "import numpy as np\nrng = np.random.default_rng(7)",
        "import numpy as np\nrng = np.random.RandomState(seed=7)",
        "import torch\ntorch.manual_seed(7)",
        "import torch\ng = torch.Generator().manual_seed(7)",
        "from transformers import set_seed\nset_seed(7)",
        "SEED = 7\nx = SEED",
        "RANDOM_STATE = 7\nx = RANDOM_STATE",
        "from sklearn.model_selection import KFold\nk = KFold(5, shuffle=True, random_state=7)",
        "cfg = {'seed': 7, 'rate': 2}\nx = cfg",
        "x = measure(0.5, 7)",
    ],
)
def test_every_usual_seed_belongs_to_the_harness(seeding: str) -> None:
    analysis = read(f"{seeding}\nscore = measure(rate=0.1)")
    lifted = cell.lift(analysis.code, analysis)
    assert lifted.parameters["seed"] == 7
    assert "7" not in lifted.code
    assert not [knob for knob in analysis.knobs if knob.value == 7]


class TestCredentials:
    """By name and by looks, also deep inside; the value itself is never said."""

    @pytest.mark.parametrize(
        ("name", "value", "place"),
        [
            ("API_KEY", "abc", "API_KEY"),
            ("db_pwd", "abc", "db_pwd"),
            ("settings", {"login": {"password": "hush"}}, "settings['login']['password']"),
            ("headers", ["Bearer eyJhbGciOiJI.eyJzdWIiOiIxMjM0.SflKxwRJSMeK"], "headers[0]"),
            ("url", "postgresql://me:hush@host/db", "url"),
            ("client", "sk-" + "a1" * 20, "client"),
            ("text", "-----BEGIN RSA PRIVATE KEY-----\nMII", "text"),
            ("blob", b"AKIAABCDEFGHIJKLMNOP", "blob"),
        ],
    )
    def test_they_are_refused_by_name(self, name: str, value: Any, place: str) -> None:
        namespace = {name: value, "measure": lambda rate, x: rate}
        code = f"score = measure({name}, rate=0.5)"
        with pytest.raises(CaptureError) as caught:
            cell.survey(cell.read(code, metric="score", namespace=namespace), namespace)
        assert repr(place) in str(caught.value)
        assert "hush" not in str(caught.value)

    @pytest.mark.parametrize(
        ("name", "value"),
        [("tokens", [1, 2]), ("token", 3), ("author", "me"), ("url", "https://host/a"), ("key", "x"), ("password", "")],
    )
    def test_others_are_not(self, name: str, value: Any) -> None:
        namespace = {name: value, "measure": lambda rate, x: rate}
        analysis = cell.read(f"score = measure({name}, rate=0.5)", metric="score", namespace=namespace)
        assert cell.survey(analysis, namespace)

    def test_nor_do_they_stand_in_the_cell(self) -> None:
        with pytest.raises(CellError, match="line 2"):
            read("rate = 0.5\nkey = 'ghp_" + "a" * 36 + "'\nscore = measure(rate)")
