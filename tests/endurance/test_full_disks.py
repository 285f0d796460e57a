"""Every command that writes, on a disk that is full: told in a line, and whole again once there is room.

A full disk is stood for by the largest file that a process may write, which needs no rights: a write that would go
beyond it fails as it does on a full disk.
"""

import random
import resource
import shutil
import signal
from pathlib import Path

import pytest

from sample_data.organisation.scale import large_settings
from tests.endurance.writers import WRITERS, Place, Undisturbed, place
from tests.support.places import LONG


@pytest.mark.soak
@pytest.mark.parametrize("writer", list(WRITERS) if LONG else ["collect"])
def test_a_full_disk_is_told_in_a_line_and_costs_nothing(
    undisturbed: Undisturbed, tmp_path: Path, writer: str
) -> None:
    chance = random.Random(writer)
    if writer == "collect":
        here = place(tmp_path / "w", undisturbed.organisation, undisturbed.server)
    else:
        here = Place(tmp_path / "w")
        shutil.copytree(undisturbed.built.folder, here.folder)
        server = undisturbed.server  # perhaps not the one that this place was made with
        large_settings(undisturbed.organisation, server.url, here.folder, server.token)
    largest = max(path.stat().st_size for path in undisturbed.place.folder.glob("*.duckdb"))
    failed = 0
    for _ in range(12 if LONG else 3):
        room = int(largest / 2 ** (14 * chance.random()))

        def limited(room: int = room) -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

        done = here.run(writer, limited)
        failed += done.returncode != 0
        assert "Traceback" not in done.stderr, done.stderr
        if done.returncode:
            assert done.stderr.strip(), "it says why"
            assert max(map(len, done.stderr.splitlines())) < 1000
    assert failed, "the disk was full at least once"
    here.all()
    assert here.stored() == undisturbed.place.stored()
    assert here.files() == undisturbed.place.files()
