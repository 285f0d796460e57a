"""Weekly scorecards and alerts: what they say, what was published, what came out otherwise, to whom it went."""
