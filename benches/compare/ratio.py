"""The lines that `benches/compare/all` collects: a measured ratio or size, its limit
and what it is measured against."""

import statistics

MARK = "ratio"


def print_ratio(target, limit, rival, values, unit="×"):
    """The median of the ratios of all rounds, with the least and the most."""
    values = sorted(values)
    middle, least, most = statistics.median(values), values[0], values[-1]
    measured = number(middle)
    if len(values) > 1:
        measured += f" ({number(least)} to {number(most)})"
    if middle > limit:
        measured = f"**{measured}**"
    print("\t".join([MARK, target, f"{number(limit)} {unit}", rival, measured]), flush=True)


def number(value):
    """Three digits where they mean something: 1,230, 12.3, 1.23, 0.0123."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
