"""Reads the sample organisation as its raw objects and its git repositories have it, by none of the program's means."""

import subprocess
from datetime import datetime

from sample_data.model import Deployment, Organisation, Repository


def repository(acme: Organisation, name: str) -> Repository:
    return next(repository for repository in acme.repositories if repository.name == name)


def git(repository: Repository, *arguments: str) -> str:
    command = ["git", "--git-dir", str(repository.git_dir), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def success(deployment: Deployment) -> datetime | None:
    return next((s.created_at for s in deployment.statuses if s.state == "SUCCESS"), None)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
