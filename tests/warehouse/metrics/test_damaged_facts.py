"""Facts that are damaged where nobody looks until they are read: those before stand in, and the next command knows."""

import random
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from config.settings import load_settings
from tests.support import small_organisation
from tests.support.command_line import run
from warehouse.building.build import build
from warehouse.metrics.published_facts import current_facts


@pytest.fixture(scope="module")
def built_twice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("twice")
    settings = small_organisation.write(folder)
    build(settings, small_organisation.NOW + timedelta(hours=1))
    return folder


@pytest.mark.parametrize("how", ["half", "third", "flipped", "empty"])
def test_a_command_goes_on_with_the_facts_before(built_twice: Path, tmp_path: Path, how: str) -> None:
    folder = tmp_path / "w"
    shutil.copytree(built_twice, folder)
    settings = load_settings(folder / "sixkeys.yaml")
    path = current_facts(settings.warehouse)
    content = bytearray(path.read_bytes())
    chance = random.Random(how)
    kept = {"half": len(content) // 2, "third": len(content) // 3, "empty": 0}.get(how, len(content))
    if how == "flipped":
        for _ in range(200):
            content[chance.randrange(3 * 4096, len(content))] ^= 0xFF
    path.write_bytes(content[:kept])
    undamaged = run(built_twice, "metrics", "--by", "service").stdout
    for _ in range(2):
        for command in (
            ["metrics", "--by", "service"],
            ["explain", "lead_time"],
            ["export", str(tmp_path / "out")],
        ):
            done = run(folder, *command)
            assert done.returncode == 0, done.stderr
            assert "Traceback" not in done.stderr
        shutil.rmtree(tmp_path / "out")
    # what reads everything has met the damage
    assert "cannot be read; showing" in done.stderr
    assert len(run(folder, "metrics", "--by", "service").stdout.splitlines()) == len(undamaged.splitlines())
