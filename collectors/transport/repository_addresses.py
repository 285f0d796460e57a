"""Addresses of git repositories, as configurations write them."""

import re

# https://host/owner/name.git, ssh://git@host:22/owner/name, git@host:owner/name, …/owner/name/tree/main/folder
_URL = re.compile(
    r"(?:(?:https?|ssh|git)://(?:[^/@]*@)?(?P<host>[^/@:]+)(?::\d+)?/|(?:[^/@:]+@)(?P<ssh>[^/@:]+):/?)"
    r"(?P<owner>[\w.-]+)/(?P<name>[\w.-]+?)(?:\.git)?(?:/(?:-/)?(?:tree|blob)/.*|/)?",
    re.ASCII,
)


def repository_name(url: str | None) -> str | None:
    """`owner/name` of a repository's https or ssh address on a GitHub-like host; None where it is none."""
    found = _URL.fullmatch(url.strip()) if url else None
    return f"{found['owner']}/{found['name']}" if found else None


def repository_host(url: str | None) -> str | None:
    """The host of such an address in lower case, without its port; None where it is none."""
    found = _URL.fullmatch(url.strip()) if url else None
    return (found["host"] or found["ssh"]).lower() if found else None


def without_credentials(url: str) -> str:
    """`url` without user name and password, which some configurations put in."""
    return re.sub(r"(?<=://)[^/@]*@", "", url)
