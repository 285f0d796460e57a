"""Where the dashboard listens, and who is let in and sees what."""

import ipaddress
import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from config.fields import Address, CookieKey, Duration, LaterAddress, LaterText, Secret, Section
from config.text.quoting import quoted

EVERYBODY = "*"


def _sight(value: Any) -> Any:
    if value in ("everything", "rollups"):
        return value
    if value and isinstance(value, list) and all(isinstance(team, str) for team in value):
        return value
    raise ValueError(
        f'{quoted(value)} is nothing that a group can see; write "everything", "rollups" or teams like [payments]'
    )


# "rollups": the numbers of the organisation, its systems and teams, without the rows and the services behind them
Sight = Annotated[Literal["everything", "rollups"] | list[str], BeforeValidator(_sight)]


def _host_name(name: str) -> str:
    if not re.fullmatch(r"\*|(\*\.)?[\w-]+(\.[\w-]+)*\.?", name, re.ASCII):
        raise ValueError(f'"{name}" is no name of a host; write it like "sixkeys.acme.example", without port')
    return name.lower().removesuffix(".")


def _origin(address: str) -> str:
    if not re.fullmatch(r"https?://(\*\.)?[\w-]+(\.[\w-]+)*(:\d{1,5})?", address, re.ASCII):
        raise ValueError(
            f'"{address}" is no origin; write it like "https://portal.acme.example", without a path'
        )
    return address.lower()


# with *. before it: all names that end so; * alone: whatever name
HostName = Annotated[str, AfterValidator(_host_name)]
Origin = Annotated[str, AfterValidator(_origin)]


class Auth(Section):
    """Login with OpenID Connect: the provider, who is let in, and what each group sees."""

    metadata_url: LaterAddress
    client_id: LaterText
    client_secret: Secret
    cookie_secret: CookieKey
    scopes: list[str] = ["openid", "email", "profile"]
    domains: list[str] = []
    groups_claim: str = "groups"
    groups: dict[str, Sight] = {}
    session: Duration = timedelta(hours=12)

    @model_validator(mode="after")
    def _somebody(self) -> "Auth":
        if not self.domains and (not self.groups or EVERYBODY in self.groups):
            raise ValueError(
                'lets in whoever has an account at the provider; name domains: ["acme.example"] '
                'or groups: {"engineering": everything}, or write domains: ["*"] if that is meant'
            )
        return self


class Dashboard(Section):
    """Where the dashboard listens and people reach it, who may open it, and whether it tells DORA's levels.

    Loopback unless said otherwise. `hosts` are names that it answers to besides that of `url`, `framed_by` the origins
    whose pages may show it in a frame.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=8501, ge=0, le=65535)
    url: Address | None = None
    hosts: list[HostName] = []
    framed_by: list[Origin] = []
    public: bool = False
    dora_levels: bool = True
    auth: Auth | None = None

    @model_validator(mode="after")
    def _guarded(self) -> "Dashboard":
        if told := unguarded(self, self.host):
            raise ValueError(told)
        return self


def unguarded(dashboard: Dashboard, host: str | None) -> str:
    """What is wrong with listening at `host` (None: every interface), or nothing where it is guarded or meant."""
    if dashboard.auth or dashboard.public or (host is not None and is_loopback(host)):
        return ""
    return (
        f"listens at {quoted(host or 'every address')}, where others reach it, and asks nobody to log in; "
        "set host: 127.0.0.1, or auth for a login, or public: true if a proxy in front asks or everybody may see it"
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens at `host`."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
