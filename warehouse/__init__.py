"""Records into source tables, those into fact tables, those into metrics. The only place that knows DuckDB."""
