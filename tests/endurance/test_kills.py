"""Every command that writes, killed at any time: the next one ends as if nothing had happened."""

import random
import subprocess
from pathlib import Path

import pytest

from tests.endurance.writers import WRITERS, Undisturbed, place
from tests.support.command_line import COMMAND
from tests.support.places import LONG

KILLS = 20


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10 if LONG else 1))
def test_whatever_is_killed_again_and_again_the_next_run_ends_as_an_undisturbed_one(
    undisturbed: Undisturbed, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    here = place(tmp_path, undisturbed.organisation, undisturbed.server)
    for _ in range(KILLS):
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
