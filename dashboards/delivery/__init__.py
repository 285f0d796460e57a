"""Scorecards and alerts on their way to people: directory, mail, Slack, webhooks."""
