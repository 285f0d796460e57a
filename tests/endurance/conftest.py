"""What the tests of endurance run beside: a place in which nothing was disturbed."""

import shutil
import time
from collections.abc import Iterator

import pytest

from sample_data.organisation.scale import build_large
from sample_data.servers.server import SampleServer
from tests.endurance.writers import WRITERS, Place, Undisturbed, place


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Undisturbed]:
    """An organisation, its server, and a place in which every command ran to its end."""
    folder = tmp_path_factory.mktemp("undisturbed")
    organisation = build_large(folder / "repositories", 4, 120, 40, 6)
    with SampleServer(organisation) as server:
        here = place(folder / "w", organisation, server)
        seconds = {}
        for writer in WRITERS:
            began = time.monotonic()
            done = here.run(writer)
            assert done.returncode == 0, (writer, done.stderr)
            seconds[writer] = time.monotonic() - began
            if writer == "build":
                shutil.copytree(here.folder, folder / "built")
        yield Undisturbed(organisation, server, here, Place(folder / "built"), seconds)
