"""The archive page of scorecards, and a scorecard as HTML, Markdown, plain text and JSON."""
