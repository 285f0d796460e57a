"""Every command that writes, killed at any time: the next one ends as if nothing had happened."""

import random
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sample_data.model import Organisation
from sample_data.organisation.scale import build_large
from sample_data.servers.server import SampleServer
from tests.endurance.writers import LONG, WRITERS, Place, place
from tests.support.command_line import COMMAND


@dataclass(frozen=True)
class Undisturbed:
    """An organisation, its server, a place in which nothing was killed, and how many seconds each command takes."""

    organisation: Organisation
    server: SampleServer
    place: Place
    seconds: dict[str, float]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Undisturbed]:
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
        yield Undisturbed(organisation, server, here, seconds)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10 if LONG else 1))
def test_whatever_is_killed_twenty_times_the_next_run_ends_as_an_undisturbed_one(
    undisturbed: Undisturbed, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    here = place(tmp_path, undisturbed.organisation, undisturbed.server)
    for _ in range(20):
        writer = chance.choice(list(WRITERS))
        process = subprocess.Popen(
            [*COMMAND, *WRITERS[writer]],
            cwd=here.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            process.wait(chance.random() * undisturbed.seconds[writer])
        except subprocess.TimeoutExpired:
            process.kill()
        _, told = process.communicate()
        assert "Traceback" not in told
    here.all()
    assert here.stored() == undisturbed.place.stored()
    # what publishes and delivers tells of the week in which it runs, the same in both
    assert here.files() == undisturbed.place.files()
