"""Records into source tables, source tables into fact tables, fact tables into metrics. The only place that knows DuckDB."""
