"""What is kept of a person: a keyed hash of the login, unless the configuration asks for logins."""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from fnmatch import translate


class People:
    """Turns logins (or addresses of git authors) into what may be stored, and tells bots and agents from persons.

    `bots` are globs of names; `agents` the globs of each coding agent, by the name that it is shown by.
    """

    def __init__(
        self,
        key: bytes,
        bots: Iterable[str] = (),
        keep_logins: bool = False,
        agents: Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        self._key = key
        self._keep_logins = keep_logins
        self._bots = _any_of(bots)
        self._agents = {name: _any_of(globs) for name, globs in (agents or {}).items()}

    def pseudonym(self, login: str | None) -> str | None:
        """16 hex digits that stand for `login` in this warehouse only, or the login itself where logins are kept."""
        if not login:
            return None
        if self._keep_logins:
            return login
        return self._hashed(login)

    def respondent(self, told: str) -> str:
        """What stands for who answered a survey: always hashed, also where logins are kept."""
        return self._hashed(told)

    def is_bot(self, *names: str | None, api_type: str | None = None) -> bool:
        """Whether any of the names matches the configured bot patterns, or the API calls it a bot; an agent is none."""
        if self.agent(*names):
            return False
        return api_type == "Bot" or _matches(self._bots, names)

    def agent(self, *names: str | None) -> str | None:
        """The coding agent that any of the names (a login, a name, an address) is of; None for others."""
        return next((agent for agent, globs in self._agents.items() if _matches(globs, names)), None)

    def _hashed(self, name: str) -> str:
        return hmac.new(self._key, name.lower().encode(errors="replace"), hashlib.sha256).hexdigest()[:16]


def _any_of(globs: Iterable[str]) -> re.Pattern[str] | None:
    # fnmatch reads [bot] as a set of letters; in a login the brackets are meant literally
    patterns = [translate(glob.lower().replace("[", "[[]")) for glob in globs]
    return re.compile("|".join(patterns)) if patterns else None


def _matches(globs: re.Pattern[str] | None, names: Iterable[str | None]) -> bool:
    return globs is not None and any(globs.fullmatch(name.lower()) for name in names if name)
