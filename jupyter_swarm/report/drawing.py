"""The drawings of the report. Their source, with the data as literals, becomes the code cells of the notebook.

So each function needs only what stands in it, `COLOURS` and the functions before it, and imports Matplotlib inside:
importing this module costs nothing, and what a cell draws when run is what it shows. Colours, sizes and fonts are
given with each artist, so that a reader's own style does not make a label vanish; text is never read as mathematics.
"""

from __future__ import annotations

from typing import Any

COLOURS = {
    "ink": "#1f2328",
    "soft": "#59636e",
    "line": "#d1d9e0",
    "brand": "#1976d2",
    "runs": "#7d8fa9",
    "confirming": "#2da44e",
    "supported": "#1a7f37",
    "refuted": "#cf222e",
    "open": "#6e7781",
}


def canvas(height: float) -> Any:
    """Axes on a white figure of 8.4 inches, whatever the theme around it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.4, height), dpi=144, facecolor="white", layout="constrained")
    axes = figure.add_subplot(facecolor="white")
    for side, spine in axes.spines.items():
        spine.set(visible=side in ("left", "bottom"), color=COLOURS["line"], linewidth=1)
    axes.tick_params(colors=COLOURS["soft"], labelsize=9, length=3)
    axes.grid(visible=False)
    return axes


def present(axes: Any, alt: str) -> None:
    """Show the figure of the axes as a picture, with words for those who cannot see it."""
    from base64 import b64encode
    from io import BytesIO

    picture = BytesIO()
    axes.figure.savefig(picture, format="png", facecolor="white")
    data = {"image/png": b64encode(picture.getvalue()).decode(), "text/plain": alt}
    display(data, raw=True, metadata={"image/png": {"alt": alt, "width": 760, "needs_background": "light"}})  # type: ignore[name-defined] # noqa: F821


def over_time(data: dict[str, Any]) -> Any:
    """Runs as dots, the leader of screening as a line, the baseline as a band, the best as a ring with its interval."""
    axes = canvas(3.6)
    end, (low, high) = data["end"], data["limits"]
    axes.set(xlim=(0, end * 1.02), ylim=(low, high))
    if data["baseline"]:
        mean, spread = data["baseline"]
        axes.axhspan(mean - spread, mean + spread, color=COLOURS["line"], alpha=0.6, linewidth=0)
        axes.axhline(mean, color=COLOURS["soft"], linewidth=1, label="the cell as given ± SD")
    dots = {"linestyle": "none", "marker": "o", "markersize": 3.6, "alpha": 0.55, "markeredgewidth": 0}
    for name, label in (("runs", "screening runs"), ("confirming", "runs of tests, both sides")):
        if data[name]:
            axes.plot(*zip(*data[name], strict=True), color=COLOURS[name], label=label, **dots)
    if data["leader"]:
        moments, values = zip(*data["leader"], strict=True)
        style = {"color": COLOURS["brand"], "linewidth": 1.8, "drawstyle": "steps-post"}
        axes.plot([*moments, end], [*values, values[-1]], label="leader of screening, unverified", **style)
    if data["best"]:
        mean, below, above = data["best"]
        error = [[mean - below], [above - mean]]
        style = {"color": COLOURS["supported"], "markerfacecolor": "white", "markersize": 8, "capsize": 3}
        axes.errorbar([end], [mean], error, fmt="o", label="best, measured again", clip_on=False, zorder=5, **style)
    labels = {"color": COLOURS["soft"], "fontsize": 9.5, "parse_math": False}
    axes.set_xlabel(data["unit"], **labels)
    axes.set_ylabel(data["metric"], **labels)
    where = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.17), "ncols": 3}
    axes.legend(frameon=False, fontsize=9, labelcolor=COLOURS["ink"], **where)
    return axes


def effects(data: dict[str, Any]) -> Any:
    """One row for each finding: its effect, its interval (thick), and the one for new data (thin)."""
    rows = data["rows"]
    axes = canvas(0.9 + 0.46 * len(rows))
    ends = [row[name] for row in rows for name in ("effect", "low", "high", "new_low", "new_high")]
    known = [0.0, *(end for end in ends if end is not None)]
    pad = 0.06 * (max(known) - min(known)) or 1.0
    left, right = min(known) - pad, max(known) + pad
    axes.set(xlim=(left, right), ylim=(-0.6, len(rows) - 0.4))
    axes.axvline(0, color=COLOURS["soft"], linewidth=1)
    for place, row in enumerate(reversed(rows)):
        colour = COLOURS[row["verdict"]]
        if data["bars"]:
            axes.barh([place], [row["effect"]], height=0.56, color=colour, alpha=0.18, linewidth=0)
        if row["new_low"] is not None:
            axes.plot([row["new_low"], row["new_high"]], [place, place], color=colour, linewidth=1, alpha=0.7)
        low, high = (edge if end is None else end for end, edge in ((row["low"], left), (row["high"], right)))
        axes.plot([low, high], [place, place], color=colour, linewidth=5, alpha=0.4, solid_capstyle="butt")
        for end, edge, arrow in ((row["low"], left, "<"), (row["high"], right, ">")):
            if end is None:
                axes.plot([edge], [place], arrow, color=colour, markersize=7, clip_on=False)
        filled = {"supported": colour, "refuted": colour, "open": "white"}[row["verdict"]]
        shape = {"supported": "o", "refuted": "X", "open": "o"}[row["verdict"]]
        axes.plot([row["effect"]], [place], shape, color=colour, markerfacecolor=filled, markersize=7, zorder=4)
        text = {"color": colour, "fontsize": 9.5, "va": "center", "parse_math": False}
        axes.text(1.01, place, row["shown"], transform=axes.get_yaxis_transform(), **text)
    labels = {"color": COLOURS["ink"], "fontsize": 9.5, "parse_math": False}
    axes.set_yticks(range(len(rows)), [row["label"] for row in reversed(rows)], **labels)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(data["axis"], **{**labels, "color": COLOURS["soft"]})
    return axes


def trade(data: dict[str, Any]) -> Any:
    """Two objectives against each other: screening as dots, what was measured again with both of its intervals."""
    axes = canvas(3.8)
    if data["seen"]:
        dots = {"linestyle": "none", "marker": "o", "markersize": 3.6, "alpha": 0.45, "markeredgewidth": 0}
        axes.plot(*zip(*data["seen"], strict=True), color=COLOURS["runs"], label="as screening saw them", **dots)
    if len(data["front"]) > 1:
        steps = [(each["second"][0], each["metric"][0]) for each in data["front"]]
        axes.plot(*zip(*steps, strict=True), color=COLOURS["brand"], linewidth=1.2, alpha=0.7)
    for group, colour, label in (("beaten", "open", "measured again, beaten"), ("front", "brand", "the front")):
        for place, each in enumerate(data[group]):
            (x, left, right), (y, low, high) = each["second"], each["metric"]
            error = {"xerr": [[x - left], [right - x]], "yerr": [[y - low], [high - y]], "elinewidth": 1}
            style = {"color": COLOURS[colour], "fmt": "o", "markersize": 6, "capsize": 2, "zorder": 4}
            axes.errorbar([x], [y], label=label if place == 0 else None, **error, **style)
            text = {"color": COLOURS[colour], "fontsize": 9, "parse_math": False, "textcoords": "offset points"}
            axes.annotate(each["name"], (x, y), xytext=(6, 5), **text)
    labels = {"color": COLOURS["soft"], "fontsize": 9.5, "parse_math": False}
    axes.set_xlabel(data["second"], **labels)
    axes.set_ylabel(data["metric"], **labels)
    where = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.16), "ncols": 3}
    axes.legend(frameon=False, fontsize=9, labelcolor=COLOURS["ink"], **where)
    return axes


def curves(data: dict[str, Any]) -> Any:
    """How runs did on their way: screening thin, what it ended in red, the cell as given and the best cell on top."""
    axes = canvas(3.4)
    styles = {
        "others": {"color": COLOURS["runs"], "linewidth": 0.7, "alpha": 0.4},
        "pruned": {"color": COLOURS["refuted"], "linewidth": 0.9, "alpha": 0.6},
        "baseline": {"color": COLOURS["soft"], "linewidth": 1.6},
        "best": {"color": COLOURS["supported"], "linewidth": 1.8},
    }
    labels = {"others": "screening", "pruned": "ended early", "baseline": "the cell as given", "best": "the best cell"}
    for name, style in styles.items():
        for place, points in enumerate(data[name]):
            marker = {"marker": "x", "markersize": 4, "markevery": [len(points) - 1]} if name == "pruned" else {}
            axes.plot(*zip(*points, strict=True), label=labels[name] if place == 0 else None, **style, **marker)
    words = {"color": COLOURS["soft"], "fontsize": 9.5, "parse_math": False}
    axes.set_xlabel("step", **words)
    axes.set_ylabel(data["name"], **words)
    where = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.18), "ncols": 4}
    axes.legend(frameon=False, fontsize=9, labelcolor=COLOURS["ink"], **where)
    return axes
