"""The terms that pages use, each with its definition and its source; metrics have theirs in `metrics.toml`."""

TERMS = {
    "natural limits": (
        "Between them single weeks stay by themselves: the average of the twelve weeks before, plus and minus 2.66"
        " times their mean moving range, of times that of their logarithms. Whether a number changed, its rows"
        " tell. Source: Donald J. Wheeler, Understanding Variation, 1993."
    ),
    "signal": (
        "A change against the twelve weeks before that is more than chance: of all signals of the same days at most one"
        " in twenty is expected to be false, and what is too small to matter is none."
        " Source: Benjamini and Hochberg, 1995."
    ),
    "provisional": (
        "An incident may still raise it: the window in which incidents are blamed on deployments has not passed yet."
        " Source: Sixkeys."
    ),
    "too few": (
        "A median or a share of very few rows says little: below the metric's floor the value is shown and neither met"
        " nor missed. Source: Sixkeys."
    ),
    "stage": (
        "Coding until the pull request is opened or ready, pickup until the first review by another person, review"
        " until merged, deploy until in production. Source: Sixkeys."
    ),
}
