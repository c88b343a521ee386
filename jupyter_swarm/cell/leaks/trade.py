"""Words of the trade by which leaks are told: of methods, parameters, columns and names, in any library."""

from __future__ import annotations

import re

STATISTICS = frozenset(
    {"mean", "nanmean", "median", "nanmedian", "std", "nanstd", "var", "nanvar", "quantile", "percentile", "min", "ptp",
     "nanmin", "amin", "mode", "average"}
)  # fmt: skip
"""Functions and methods that make a number, or one a column, of many rows; not the largest: pixels over 255."""

RELATIONS = frozenset(
    {"corr", "corrwith", "corrcoef", "pearsonr", "spearmanr", "f_classif", "f_regression", "chi2", "ttest_ind",
     "mutual_info_classif", "mutual_info_regression", "r_regression"}
)  # fmt: skip
"""Functions and methods that say how columns and target go together."""

REDUCTIONS = STATISTICS | {"sum", "item", "max", "nanmax", "amax", "mean_", "float", "count_nonzero"}
LARGEST = frozenset({"max", "min", "nanmax", "nanmin", "amax", "amin", "argmax", "argmin", "idxmax", "idxmin"})
ROWWISE = frozenset({"rolling", "expanding", "ewm", "resample", "shift", "diff", "pct_change"})
"""Methods that look along the rows, not at all of them."""
LAGS = frozenset({"shift", "rolling", "diff", "pct_change", "ewm", "expanding"})
SHUFFLES = frozenset(
    {"permutation", "shuffle", "permuted", "randperm", "random", "rand", "uniform", "choice", "sample"}
)

KEEPS_ROWS = frozenset(
    {"copy", "astype", "to_numpy", "values", "fillna", "asarray", "array", "ascontiguousarray", "log", "log1p", "exp",
     "sqrt", "abs", "tensor", "from_numpy", "as_tensor", "float", "float32", "rename", "assign", "select_dtypes",
     "replace", "get_dummies", "DataFrame", "Series", "nan_to_num", "clip", "to_frame", "toarray", "todense", "numpy",
     "where", "interpolate", "ffill", "bfill", "reset_index", "set_index", "drop", "infer_objects", "convert_dtypes",
     "round"}
)  # fmt: skip
"""Functions and methods that give the same rows in the same order."""

FEWER_ROWS = frozenset({"dropna", "query", "head", "tail", "drop_duplicates", "truncate", "filter", "between_time"})
"""Methods that leave rows out, and keep the order."""

KEEPS_COLUMNS = frozenset(
    {"copy", "fillna", "asarray", "array", "to_numpy", "values", "get_dummies", "dropna", "drop_duplicates", "astype",
     "reset_index", "sort_values", "sort_index", "sample", "head", "tail", "query", "infer_objects", "convert_dtypes",
     "float32", "nan_to_num", "ffill", "bfill", "interpolate", "replace", "DataFrame", "shuffle"}
)  # fmt: skip
"""Functions and methods after which every column still is there."""

KEEPS_TARGET = frozenset(
    {"copy", "astype", "to_numpy", "values", "ravel", "map", "factorize", "tolist", "to_list", "asarray", "array",
     "flatten", "squeeze", "codes", "cat", "replace", "fit_transform", "to_frame", "reshape", "Series", "reset_index",
     "sample", "fillna", "dropna", "get_dummies"}
)  # fmt: skip
"""Functions and methods by which a target still is the column that it was made of."""

GROUPS, ALONG = "(groups)", "(along)"
"""Labels of what is grouped, and of what looks along the rows."""
CHANGES_LISTS = frozenset({"append", "extend", "insert", "remove", "pop", "clear"})
NO_DATA = frozenset({"shape", "size", "dtype", "dtypes", "ndim", "columns", "name", "feature_names", "target_names"})
"""Attributes that say nothing of what rows contain."""
NO_CALLS = frozenset({"len", "range", "print", "type", "id", "isinstance", "display", "hasattr", "repr", "str", "open"})

RESAMPLERS = frozenset({"fit_resample", "fit_sample"})
LEARNS_AND_MAPS = frozenset({"fit_transform", "fit_predict"}) | RESAMPLERS

TARGET = re.compile(r"(.*_)?(y|ys|yy|target|targets|label|labels|response|outcome|classes)(_.*|\d*)", re.IGNORECASE)
SPLITS = re.compile(
    r".*(train|test|valid|random|hold|temporal|strat|data).*split.*|.*split.*(train|test|valid|data).*", re.IGNORECASE
)
CROSS = re.compile(r"cross_val.*|cv|.*_cv", re.IGNORECASE)
RANDOM = re.compile(r"shuffle|repeated|random", re.IGNORECASE)
GROUPED = re.compile(r"group", re.IGNORECASE)
IN_TIME = re.compile(r"time|temporal|chrono|walk|purged|rolling|expanding", re.IGNORECASE)
STANDARDISES = re.compile(r"z_?score|standardi[sz]e|(.*_)?scale|(power|quantile)_transform", re.IGNORECASE)
EVALUATED_BY = re.compile(r"eval_?sets?|evals|valid_?sets?|validation_data|val_data|valid_data|X_val|eval_dataset")
SELECTS = re.compile(r"column|mapper|subset|select", re.IGNORECASE)
"""In the name of what takes some of the columns that it is given."""
STOPS = re.compile(r"early_?stop|stopping_rounds?|save_best|use_best_model|load_best", re.IGNORECASE)
BEST_SCORE = frozenset({"best_score_", "cv_results_", "best_score"})
HELD_OUT = re.compile(r"(.*_|x|y)?(test|tst|holdout|hold_out|valid|validation|val|dev|eval)(_.*|\d*)", re.IGNORECASE)
TRAINED = re.compile(r"(.*_|x|y)?(train|trn|training|tr)(_.*|\d*)", re.IGNORECASE)

_ID = r"(_?(id|ids|no|nr|num|number|name|code|key|uuid|idx|index))?"
PERSON = re.compile(
    rf"(.*_)?(patient|subject|participant|user|customer|client|person|speaker|respondent|donor|volunteer|player|animal|mouse|"
    rf"student|household|family|pid|uid|sid){_ID}s?(_.*)?",
    re.IGNORECASE,
)
GROUP = re.compile(
    r"groups|group_?ids?|(session|site|hospital|school|device|machine|store|shop|batch|recording|slide|well|plot|farm|"
    r"family|cluster|trial|video|scene|document|doc|run|sensor|engine|unit)s?_?ids?",
    re.IGNORECASE,
)
ITEM = re.compile(
    r"(.*_)?(item|movie|product|book|song|track|article|film|ad|sku|business|restaurant)_?ids?", re.IGNORECASE
)
"""What a recommender recommends: where rows are pairs, neither side groups them."""
DATED = re.compile(r"(.*_)?(date|datetime|timestamp|time|day|month|week|ds|ts)s?(_.*|\d*)", re.IGNORECASE)
STAMPED = re.compile(r"(unix_?|event_?)?(timestamp|datetime|unix_?time)s?", re.IGNORECASE)

STRUCTURE = re.compile(
    r"n_.*|feature_names.*|.*categories_|classes_|vocabulary_|fixed_vocabulary_|powers_|drop_idx_|random_.*|"
    r"infrequent_categories_|y_type_|sparse_.*|target_type_|transformers_|transformer_list|named_.*|output_indices_|"
    r"features_|feature_name_.*|.*_fun_|sparse_output_"
)
"""Attributes of what was fitted that hold no statistics of its rows."""
