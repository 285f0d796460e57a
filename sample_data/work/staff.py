"""Who works at acme, and the bots beside them."""

from dataclasses import dataclass

from sample_data.model import Person


@dataclass(frozen=True)
class Staff:
    """A person or bot: name and e-mail as git has them, and the GitHub account."""

    name: str
    email: str
    account: Person

    @property
    def is_bot(self) -> bool:
        """Whether GitHub calls the account a bot."""
        return self.account.kind == "Bot"


def _person(name: str) -> Staff:
    first, last = name.lower().split()
    return Staff(name, f"{first}.{last}@acme.example", Person(f"{first[0]}{last}"))


def _bot(login: str, number: int) -> Staff:
    return Staff(f"{login}[bot]", f"{number}+{login}[bot]@users.noreply.github.com", Person(login, "Bot"))


TEAMS: dict[str, tuple[Staff, ...]] = {
    team: tuple(_person(name) for name in names)
    for team, names in {
        "storefront": (
            "Hanna Vogel",
            "Jonas Keller",
            "Mira Aydin",
            "Felix Brandt",
            "Sofia Lindner",
            "Emre Yilmaz",
            "Clara Winter",
        ),
        "fulfilment": ("Paul Richter", "Nadia Haddad", "Tom Becker", "Ines Moreau"),
        "payments": ("Lena Fischer", "David Novak", "Aisha Rahman", "Ruben Costa", "Katrin Sommer"),
        "platform": (
            "Oskar Nilsson",
            "Priya Nair",
            "Max Schulte",
            "Yuki Tanaka",
            "Elena Petrova",
            "Ben Hartmann",
        ),
    }.items()
}
DEPENDABOT = _bot("dependabot", 49699333)
RENOVATE = _bot("renovate", 29139614)
ACTIONS = _bot("github-actions", 41898282)
PROMOTER = _bot("acme-promoter", 90210007)
REVIEW_BOT = _bot("acme-review", 90210008)
# a machine account that GitHub takes for a person: only the configured pattern `renovate*` tells
RENOVATE_USER = Staff("renovate-acme", "renovate@acme.example", Person("renovate-acme"))
# coding agents: the first opens pull requests from an account that GitHub calls a bot, the others help with commits
COPILOT = Staff(
    "copilot-swe-agent[bot]",
    "198982749+Copilot@users.noreply.github.com",
    Person("copilot-swe-agent", "Bot"),
)
CLAUDE = Staff("Claude", "noreply@anthropic.com", Person("claude"))
CURSOR = Staff("Cursor", "cursoragent@cursor.com", Person("cursoragent"))
# what GitHub writes as the committer of merges made on its pages
GITHUB = Staff("GitHub", "noreply@github.com", Person("web-flow"))
