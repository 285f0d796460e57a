"""The coding agents that are known without being configured, by what they call themselves in git and on GitHub."""

from collections.abc import Mapping

# accounts as GitHub tells them (by REST with [bot]), and the addresses that trailers and authors have. First names such
# as Claude and Devin are persons' too, so they are no pattern
AGENTS: dict[str, list[str]] = {
    "Copilot": ["copilot", "copilot[bot]", "copilot-swe-agent", "copilot-swe-agent[bot]"],
    "Claude": ["claude[bot]", "noreply@anthropic.com"],
    "Cursor": ["cursor[bot]", "cursoragent", "cursoragent@cursor.com"],
    "Codex": ["chatgpt-codex-connector[bot]", "noreply@openai.com", "codex@openai.com"],
    "Devin": ["devin-ai-integration[bot]"],
    "Gemini": ["gemini-cli", "gemini-code-assist[bot]"],
    "Jules": ["google-labs-jules[bot]"],
    "OpenHands": ["openhands@all-hands.dev"],
    "aider": ["* (aider)", "*@aider.chat"],
    "Amp": ["amp@ampcode.com"],
    "opencode": ["noreply@opencode.ai"],
}


def with_known_agents(told: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The globs of each agent: the known ones, and those `told`, which stand in the place of known ones of their name.

    Letter case makes no difference; an agent without globs is left out.
    """
    replaced = {name.casefold() for name in told}
    known = {name: globs for name, globs in AGENTS.items() if name.casefold() not in replaced}
    return {name: globs for name, globs in (known | dict(told)).items() if globs}
