"""The wheel has every file of the packages and no other; what is installed from it needs no checkout."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from config.settings import load_settings
from dashboards.frame.navigation import PAGES
from tests.conftest import once
from tests.support.places import PACKAGES, PROGRAM, ROOT
from tests.support.running_dashboard import Running, opened_in

# what the wheel is made of, and what stands beside that and is to stay out of it
FILES = ("pyproject.toml", "README.md", "LICENSE", PROGRAM.name)
FOLDERS = (*PACKAGES, "tests", "benchmarks", "docs")
# a page that is about one thing is opened from it
ABOUT = {"service": "?service=checkout", "team": "?team=payments"}


def run(folder: Path, *command: str | Path) -> str:
    """What a command prints that is run in `folder` and knows nothing of the checkout."""
    done = subprocess.run(command, cwd=folder, env=without_checkout(), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def without_checkout() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}


@pytest.fixture(scope="module")
def wheel(shared_folder: Path) -> Path:
    """The wheel as `python -m build` makes it by way of the source archive; in a copy, where no earlier build is."""
    return once(shared_folder, "wheel", _made)


def _made(within: Path) -> Path:
    source, built = within / "source", within / "built"
    source.mkdir()
    built.mkdir()
    for name in FILES:
        shutil.copy(ROOT / name, source)
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__"))
    run(built, sys.executable, "-m", "build", "--no-isolation", "--outdir", built, source)
    (found,) = built.glob("*.whl")
    return found


def test_the_wheel_has_every_file_of_the_packages_and_no_other(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        names = {name for name in opened.namelist() if ".dist-info/" not in name}
    inside = (path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file())
    assert names == {
        PROGRAM.name,
        *(path.relative_to(ROOT).as_posix() for path in inside if "__pycache__" not in path.parts),
    }


def test_the_wheel_says_its_license_and_brings_its_text(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        (metadata,) = (name for name in opened.namelist() if name.endswith(".dist-info/METADATA"))
        told = Parser().parsestr(opened.read(metadata).decode())
        text = opened.read(metadata.replace("METADATA", "licenses/LICENSE"))
    assert told["License-Expression"] == "Apache-2.0"
    assert text == (ROOT / "LICENSE").read_bytes()


@pytest.fixture(scope="module")
def environment(wheel: Path, shared_folder: Path) -> Path:
    """An environment with the wheel and the running one's dependencies; an editable install there has no say in it.

    The dependencies are on its path behind its own packages. Of a folder on the path no .pth file is read, and the
    finder of an editable install is in one.
    """
    return once(shared_folder, "environment", lambda folder: _installed(wheel, folder))


def _installed(wheel: Path, folder: Path) -> Path:
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    own = Path(run(folder, python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    running = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
    (own / "dependencies.pth").write_text("\n".join(running) + "\n", encoding="utf-8")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    run(folder, *pip, "install", "--quiet", "--no-deps", "--no-index", "--ignore-installed", wheel)
    return folder


@pytest.fixture(scope="module")
def demo(environment: Path, shared_folder: Path) -> Path:
    """The demo as the installed program makes it in an empty folder; its dashboard takes any free port."""
    return once(shared_folder, "elsewhere", lambda folder: _demonstrated(environment, folder))


def _demonstrated(environment: Path, folder: Path) -> Path:
    run(folder, environment / "bin" / "sixkeys", "demo", "--no-dashboard", "--today", "2026-11-16")
    config = folder / "demo" / "sixkeys.yaml"
    config.write_text(config.read_text(encoding="utf-8") + "\ndashboard: {port: 0}\n", encoding="utf-8")
    return folder / "demo"


@pytest.fixture(scope="module")
def dashboard(environment: Path, demo: Path, browser: Browser) -> Iterator[Running]:
    """The installed program's dashboard of that demo."""
    config = demo / "sixkeys.yaml"
    command = [environment / "bin" / "sixkeys", "dashboard", "--config", config]
    with subprocess.Popen(
        command, cwd=demo.parent, env=without_checkout(), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            told = process.stdout.readline()  # nothing where it ended instead
            found = re.search(r"The dashboard is at (http://\S+)", told)
            assert found, told
            with opened_in(browser, found[1], load_settings(config)) as running:
                yield running
        finally:
            process.terminate()


@pytest.mark.soak
def test_an_installed_program_runs_its_own_packages(environment: Path, tmp_path: Path) -> None:
    modules = (PROGRAM.stem, *PACKAGES)
    told = f"import {', '.join(modules)}; print(*({', '.join(f'{name}.__file__' for name in modules)}), sep='\\n')"
    files = run(tmp_path, environment / "bin" / "python", "-c", told).split()
    assert len(files) == len(modules)
    assert [file for file in files if not Path(file).is_relative_to(environment)] == []


@pytest.mark.soak
@pytest.mark.parametrize("page", PAGES)
def test_an_installed_program_draws_every_page(dashboard: Running, page: str) -> None:
    path = "" if page == next(iter(PAGES)) else page
    tab = dashboard.open(f"{path}{ABOUT.get(page, '')}")
    assert tab.locator(".six-notice.bad").count() == 0
    assert dashboard.foreign == []
