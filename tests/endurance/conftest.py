"""What the tests of endurance run beside: a place in which nothing was disturbed."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sample_data.model import Organisation
from sample_data.organisation.scale import build_large
from sample_data.servers.server import SampleServer
from tests.conftest import once
from tests.endurance.writers import WRITERS, Place, Undisturbed, place


@pytest.fixture(scope="session")
def undisturbed(shared_folder: Path) -> Iterator[Undisturbed]:
    """An organisation, its server, and a place in which every command ran to its end, made once for all workers."""
    organisation, *made = once(shared_folder, "undisturbed", _made)
    with SampleServer(organisation) as server:
        yield Undisturbed(organisation, server, *made)


def _made(folder: Path) -> tuple[Organisation, Place, Place, dict[str, float]]:
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
    return organisation, here, Place(folder / "built"), seconds
