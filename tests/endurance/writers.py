"""What the tests of endurance share: an organisation that is served, and every command that writes."""

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from collectors.contract.records import RECORDS
from sample_data.model import Organisation
from sample_data.organisation.scale import large_settings
from sample_data.servers.server import SampleServer
from tests.support.command_line import COMMAND
from tests.support.small_organisation import built_before

IMPORTED = "".join(
    f'{{"source": "jenkins", "id": "{n}", "service": "shop", "status": "success",'
    f' "finished_at": "2026-11-{1 + n % 14:02}T10:00:00Z"}}\n'
    for n in range(400)
)
WRITERS = {
    "collect": ("collect",),
    "build": ("build",),
    "import": ("import", "deployments", "deployments.jsonl"),
    "publish": ("scorecard", "--week", "2026-W45", "--publish"),
    "deliver": ("deliver",),
}
SERVER = re.compile(r"http://127\.0\.0\.1:\d+")
# how lines begin that Sixkeys itself tells; a library's own have no business there
TOLD = re.compile(r"[\w:]+: |built |[\d,]+ deployments taken |(organisation|system|team|service)\b")


@dataclass(frozen=True)
class Place:
    """A folder with a configuration of its own."""

    folder: Path

    def run(
        self, writer: str, before_it: Callable[[], None] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """What a command comes to that runs to its end."""
        return subprocess.run(
            [*COMMAND, *WRITERS[writer]],
            cwd=self.folder,
            capture_output=True,
            text=True,
            preexec_fn=before_it,
            timeout=120,
        )

    def all(self) -> None:
        """Every command once, undisturbed."""
        for writer in WRITERS:
            done = self.run(writer)
            assert done.returncode == 0, (writer, done.stderr)
            assert [line for line in done.stderr.splitlines() if not TOLD.match(line)] == []

    def stored(self) -> dict[str, list[str]]:
        """The rows of the source tables that do not say when they were read, without where the server was."""
        with duckdb.connect(str(self.folder / "warehouse.duckdb"), read_only=True) as connection:
            return {
                table: sorted(
                    SERVER.sub("http://served", repr(row))
                    for row in connection.execute(f"from {table}").fetchall()
                )
                for table in RECORDS
                if table not in ("owners", "memberships", "coverage")
            }

    def files(self) -> set[str]:
        """The names of all files but git's, without what makes those of facts different each time."""
        found = (path.relative_to(self.folder) for path in self.folder.rglob("*") if not path.is_dir())
        return {
            re.sub("[0-9TZ]{16}-[0-9a-f]{12}", "*", str(path)) for path in found if path.parts[0] != "git"
        }


def place(folder: Path, organisation: Organisation, server: SampleServer) -> Place:
    """A place in which `organisation`, as `server` tells it, can be collected, a file imported, what is due sent."""
    large_settings(organisation, server.url, folder, server.token)
    (folder / "deployments.jsonl").write_text(IMPORTED, encoding="utf-8")
    built_before(folder / "warehouse.duckdb")
    return Place(folder)


@dataclass(frozen=True)
class Undisturbed:
    """An organisation, its server, and a place in which nothing was disturbed.

    `built` is that place as it was when it was built, `seconds` how long each command took there.
    """

    organisation: Organisation
    server: SampleServer
    place: Place
    built: Place
    seconds: dict[str, float]
