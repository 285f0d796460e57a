"""The terms that pages use, each with its definition and its source; metrics have theirs in `metrics.toml`."""

TERMS = {
    "natural limits": (
        "The average of the twelve weeks before, plus and minus 2.66 times their mean moving range: weeks stay in"
        " between by themselves. A week beyond them, eight on one side, or three of four far out are a signal."
        " Source: Donald J. Wheeler, Understanding Variation, 1993."
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
        " until merged, unreviewed until merged where nobody reviewed it, deploy until in production. Source: Sixkeys."
    ),
}
