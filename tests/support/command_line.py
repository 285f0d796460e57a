"""The command line as tests run it: within their own process, and as a process of its own."""

import io
import os
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path

import sixkeys
from tests.support.loopback import PATIENCE
from tests.support.places import PROGRAM

COMMAND = [sys.executable, str(PROGRAM)]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What `sixkeys` with these arguments comes to in `folder`, within this process."""
    out, err = io.StringIO(), io.StringIO()
    with chdir(folder), redirect_stdout(out), redirect_stderr(err):
        status = sixkeys.run(arguments)
    return subprocess.CompletedProcess(arguments, status, out.getvalue(), err.getvalue())


def run_alone(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The same in a process of its own, with these environment variables as well."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
