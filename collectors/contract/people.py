"""What is kept of a person: a keyed hash of the login, unless the configuration asks for logins."""

import hashlib
import hmac
import re
from collections.abc import Iterable
from fnmatch import translate


class People:
    """Turns logins (or e-mail addresses of git authors) into what may be stored, and tells bots from persons."""

    def __init__(self, key: bytes, bots: Iterable[str] = (), keep_logins: bool = False) -> None:
        self._key = key
        self._keep_logins = keep_logins
        # fnmatch reads [bot] as a set of letters; in a login the brackets are meant literally
        patterns = [translate(bot.lower().replace("[", "[[]")) for bot in bots]
        self._bots = re.compile("|".join(patterns)) if patterns else None

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
        """Whether any of a person's names matches the configured bot patterns, or the API calls it a bot."""
        if api_type == "Bot":
            return True
        return any(bool(self._bots and self._bots.fullmatch(name.lower())) for name in names if name)

    def _hashed(self, name: str) -> str:
        return hmac.new(self._key, name.lower().encode(), hashlib.sha256).hexdigest()[:16]
