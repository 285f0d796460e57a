"""What the platform team asks, held to what happened: steps of golden paths, guardrails, requests, the paved road."""
