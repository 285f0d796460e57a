"""What the tests of several collectors share."""

import pytest

from sample_data.model import Organisation
from tests.support.faulty_sources import organisation_with_history


@pytest.fixture(scope="session")
def behind_every_api(tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    """A small organisation with something behind every API; to be read only."""
    return organisation_with_history(tmp_path_factory.mktemp("origin"))
