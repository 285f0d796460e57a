"""What a row keeps of the one with its key that it replaces."""

# runs are also read without their parts, when only deployments are looked for among them
_HAS_STEPS = "coalesce(list_bool_or(list_transform({}.jobs, lambda j: len(j.steps) > 0)), false)"
# by table and column, over `incoming` and `stored`
_KEPT: dict[str, dict[str, str]] = {
    # what was read once stays read: a stretch only grows
    "coverage": {"until_at": "greatest(incoming.until_at, stored.until_at)"},
    "workflow_runs": {
        "jobs": f"case when len(incoming.jobs) = 0 or ({_HAS_STEPS.format('stored')} and not"
        f" {_HAS_STEPS.format('incoming')}) then coalesce(stored.jobs, incoming.jobs) else incoming.jobs end",
        "approved": "case when len(incoming.approved) = 0 then coalesce(stored.approved, incoming.approved)"
        " else incoming.approved end",
    },
}


def keeping(table: str, same: str, rows: str) -> str | None:
    """A select of `rows`, which is another table, with what they keep; None where those of `table` keep nothing."""
    if (kept := _KEPT.get(table)) is None:
        return None
    columns = ", ".join(f"{told} as {name}" for name, told in kept.items())
    return (
        f"select incoming.* replace ({columns}) from {rows} as incoming left join {table} as stored on {same}"
    )
