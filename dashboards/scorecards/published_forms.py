"""A scorecard's forms: those that were published with it, byte for byte, else made now."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dashboards.scorecards.rendering import FORMATS, render
from warehouse.scorecards.published import kept_forms


def published_forms(warehouse: Path, scorecard: Mapping[str, Any]) -> Mapping[str, str]:
    """The scorecard's text in each of `FORMATS`."""
    return kept_forms(warehouse, scorecard) or made(scorecard)


def made(scorecard: Mapping[str, Any]) -> dict[str, str]:
    """The scorecard's text in each of `FORMATS`, made of its content."""
    return {format: render(scorecard, format) for format in FORMATS}
