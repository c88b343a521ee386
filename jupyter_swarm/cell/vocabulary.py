"""Which names mean what, in any library: words of the trade, never lists of a library's classes."""

from __future__ import annotations

import builtins
import re

from jupyter_swarm.words import Value

FIT = frozenset({"fit", "partial_fit", "fit_transform", "fit_predict", "train"})
"""Methods that learn from their arguments."""

PREDICT = frozenset(
    {"predict", "predict_proba", "predict_log_proba", "decision_function", "score_samples", "forward", "generate"}
)
"""Methods by which a model answers."""

CLOCK = frozenset(
    {"time", "time_ns", "now", "utcnow", "today", "perf_counter", "perf_counter_ns", "monotonic", "monotonic_ns",
     "process_time", "process_time_ns", "thread_time", "thread_time_ns", "clock_gettime", "clock_gettime_ns",
     "default_timer", "timeit", "localtime", "gmtime", "ctime", "asctime", "getrusage", "cpu_times"}
)  # fmt: skip
"""What tells the time, or how much of it a process has taken."""

MODEL_METHODS = FIT | PREDICT | {"score", "transform", "evaluate", "test", "kneighbors"}
"""Methods whose receiver is a model."""

KEEPS_MODEL = frozenset(
    {"fit", "partial_fit", "to", "eval", "train", "cuda", "cpu", "float", "double", "half", "set_params", "set_output"}
)
"""Methods of a model that give the model back."""

MODEL_PARAMETERS = frozenset(
    {"estimator", "model", "clf", "classifier", "regressor", "net", "network", "learner", "pipeline", "pipe",
     "base_estimator", "module", "policy", "agent"}
)  # fmt: skip
"""Parameters that take a model."""

VERBS = ("fit", "predict", "transform", "forward", "step", "split")
"""Methods that make up the shape of a class."""

SETTINGS = "settings"
"""The shape of a class whose objects hold settings and do nothing (a dataclass)."""

_LEARNS = re.compile(
    r"(train|fit|learn|optimi[sz]e|pretrain|finetune|fine_tune)(_(?!.*(split|test|transform|predict)).*)?|"
    r".*_(train|fit|model|net|network|classifier|regressor|learner)",
    re.IGNORECASE,
)

_SKIP = re.compile(
    r"""_.*|.*(path|paths|file|files|filename|dir|directory|folder|url|uri)|n_jobs|num_workers|workers|threads|
    n_threads|nthread|num_threads|processes|device|devices|accelerator|gpus|verbose|verbosity|silent|quiet|debug|
    log|logger|logging|log_level|level|progress|progress_bar|disable|desc|cache|cache_.*|memory|copy|copy_.*|inplace|
    overwrite_.*|random_state|.*seed|rng|generator|dtype|axis|dim|keepdim|keepdims|encoding|sep|end|delimiter|header|
    name|names|title|label|xlabel|ylabel|color|figsize|fontsize|dpi|warm_start|backend|pin_memory|pre_dispatch|
    error_score|return_.*|sparse|sparse_output|order|out|where|casting|check_.*|ensure_.*|force_.*|precompute|
    callback|callbacks|host|port|key|token|version|timeout|requires_grad|foreach|fused|capturable|differentiable|
    (in|out)_(features|channels)|num_features|normalized_shape|num_embeddings|embedding_dim|input_(size|dim|shape)|
    output_(size|dim|shape)|num_classes|n_classes|maximize|indent|feature_name_combiner|transform_input|subok|like""",
    re.VERBOSE | re.IGNORECASE,
)
_EVALUATION = re.compile(
    r"""cv|.*folds?|n_splits|splits?|.*test.*|.*eval.*|.*valid.*|.*_val|val_.*|train_size|average|scoring|scorer|
    .*metrics?|shuffle|stratify|sample_weight.*|normalize|n_samples|n_rows|rows|noise.*|.*_noise|labels|pos_label|
    zero_division|multioutput|squared|.*repeats?|.*repetitions?|n_runs|trials|n_trials|targets?|y|data|dataset""",
    re.VERBOSE | re.IGNORECASE,
)
_SEED = re.compile(r"(.*_)?seeds?|random_state|(.*_)?rng_seed", re.IGNORECASE)
SEEDERS = frozenset(
    {"seed", "manual_seed", "manual_seed_all", "set_seed", "set_random_seed", "seed_everything", "default_rng",
     "RandomState", "SeedSequence", "PRNGKey", "Random", "PCG64", "MT19937"}
)  # fmt: skip
"""Callables whose first argument is a seed."""

SILENT_PACKAGES = frozenset(
    {"matplotlib", "seaborn", "plotly", "bokeh", "altair", "logging", "warnings", "os", "sys", "pathlib", "shutil",
     "IPython", "tqdm", "rich", "json", "pickle", "joblib", "time", "datetime", "re", "builtins", "jupyter_swarm"}
)  # fmt: skip
"""Packages whose arguments change no result: drawing, logging, files."""

WRITERS = frozenset(
    {"save", "savez", "savez_compressed", "savetxt", "savefig", "save_model", "save_pretrained", "dump", "dumps",
     "to_csv", "to_parquet", "to_pickle", "to_json", "to_excel", "to_hdf", "write_text", "write_bytes"}
)  # fmt: skip
"""Functions that write files: how they do so changes no result."""

ARITHMETIC = frozenset({"numpy", "math", "statistics", "builtins", "operator", "fractions", "decimal", "cmath"})
"""Packages whose functions compute with what they are given: a number handed to them is part of the metric."""

POOR_CHOICES = frozenset({"precomputed", "deprecated", "warn", "auto_deprecated"})
"""Options that need another kind of input, or stand for no option."""

DANGEROUS = frozenset(
    {"exec", "eval", "compile", "globals", "locals", "vars", "setattr", "delattr", "__import__", "__builtins__",
     "builtins", "importlib", "inspect", "gc", "ctypes"}
)  # fmt: skip
"""Names by which free code could reach around the lock."""

DANGEROUS_ATTRIBUTES = frozenset(
    {"__dict__", "__class__", "__bases__", "__code__", "__defaults__", "__kwdefaults__", "__closure__", "__globals__",
     "__wrapped__", "__builtins__", "__getattribute__", "__setattr__", "f_globals", "f_locals", "f_back"}
)  # fmt: skip
"""Attributes by which free code could change a function or an object unseen."""

OF_THE_SHELL = frozenset({"get_ipython", "exit", "quit"})
"""Names that each shell has for itself."""

BUILTINS = frozenset(dir(builtins)) | OF_THE_SHELL | {"__file__", "__doc__", "display"}

Literal = bool | int | float | str


def skipped(name: str) -> bool:
    """Whether a parameter is never a knob: paths, device, logging, parallelism, seeds, shapes that must fit together.

    >>> skipped("n_jobs"), skipped("data_path"), skipped("random_state"), skipped("C")
    (True, True, True, False)
    """
    return _SKIP.fullmatch(name) is not None


def evaluates(name: str) -> bool:
    """Whether a parameter of an opaque function says how it measures, rather than what.

    >>> evaluates("test_size"), evaluates("n_splits"), evaluates("depth")
    (True, True, False)
    """
    return _EVALUATION.fullmatch(name) is not None


def learns(name: str) -> bool:
    """Whether a function makes a model from data, as far as its name tells.

    >>> learns("train"), learns("fit_forest"), learns("build_model"), learns("train_test_split"), learns("load_data")
    (True, True, True, False, False)
    """
    return _LEARNS.fullmatch(name) is not None


def is_seed(name: str) -> bool:
    """Whether a name is that of a seed.

    >>> is_seed("SEED"), is_seed("random_state"), is_seed("speed")
    (True, True, False)
    """
    return _SEED.fullmatch(name) is not None


def short(path: str) -> str:
    """The last part of a path.

    >>> short("sklearn.svm:SVC")
    'SVC'
    """
    return path.rpartition(":")[2].rpartition(".")[2]


def same(first: Value, second: Value) -> bool:
    """Whether two literals are the same value of the same kind: True is not 1.

    >>> same(1, 1.0), same(True, 1)
    (True, False)
    """
    return isinstance(first, bool) == isinstance(second, bool) and first == second
