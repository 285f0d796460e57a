"""How anything looks, whichever page or message shows it: figures, charts, verdicts, cells of rows."""
