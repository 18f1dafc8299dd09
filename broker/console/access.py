"""Who somebody is, and what they may do: a token or a proxy's header, a signed cookie, three roles."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from broker.model.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from broker.settings import Settings

Role = Literal["reader", "operator", "auditor"]
Right = Literal["read", "act", "reveal", "audit"]
RIGHTS: dict[str, frozenset[str]] = {
    "reader": frozenset({"read"}),
    "operator": frozenset({"read", "act", "reveal"}),
    "auditor": frozenset({"read", "reveal", "audit"}),
}
"""An operator acts and may look, an auditor looks at everything and acts on nothing; all of it is told as events."""
COOKIE = "swb_session"
SESSION_SECONDS = 12 * 3600
REVEAL_SECONDS = 900
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks."""

    name: str
    role: str
    session: str

    def may(self, right: Right) -> bool:
        return right in RIGHTS[self.role]


class Access:
    """Knows the tokens, signs sessions, remembers for a quarter of an hour who reveals what."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._secret = secrets.token_bytes(32)
        self._revealed: dict[tuple[str, str], float] = {}
        self.made = ""
        """The token that was made because none was given."""
        self._tokens = _tokens(settings.console_tokens_file) if settings.console_tokens_file else {}
        if not self._tokens and not settings.console_user_header:
            self.made = secrets.token_urlsafe(24)
            self._tokens = {_digest(self.made): ("operator", "operator")}
        names = [name.strip() for name in settings.console_names.split(",") if name.strip()]
        self._hosts = {*_LOOPBACK, settings.console_host, *names}
        self._proxies = {address.strip() for address in settings.console_proxies.split(",")}

    def is_known_host(self, host: str) -> bool:
        """Whether a browser asked for us by a name of ours: a page elsewhere cannot make it ask by another."""
        name, _, port = host.rpartition(":")
        return (name if name and port.isdigit() else host) in self._hosts

    def signed_in(self, token: str) -> Person | None:
        """Who has that token."""
        found = self._tokens.get(_digest(token))
        return Person(*found, session=secrets.token_urlsafe(12)) if found else None

    def by_proxy(self, headers: Mapping[str, str], address: str) -> Person | None:
        """Who a proxy of ours says it is."""
        named = self._settings.console_user_header
        name = headers.get(named, "").strip() if named and address in self._proxies else ""
        if not name:
            return None
        role = headers.get(self._settings.console_role_header, "") if self._settings.console_role_header else ""
        known = role if role in RIGHTS else "reader"
        return Person(name[:100], known, session=_digest(f"{name} {known}")[:16])

    def cookie(self, person: Person) -> str:
        """A person as the cookie carries it."""
        until = int(time.time()) + SESSION_SECONDS
        body = base64.urlsafe_b64encode(json.dumps([person.name, person.role, person.session, until]).encode()).decode()
        return f"{body}.{self._sign(body)}"

    def by_cookie(self, value: str) -> Person | None:
        """The person of a cookie that is ours and not too old."""
        body, _, signature = value.rpartition(".")
        if not body or not hmac.compare_digest(signature, self._sign(body)):
            return None
        name, role, session, until = json.loads(base64.urlsafe_b64decode(body))
        return Person(name, role, session) if until > time.time() else None

    def form_token(self, person: Person) -> str:
        """What a form must send back: a page elsewhere cannot know it."""
        return self._sign(f"form {person.session}")

    def is_form_of(self, person: Person, token: str) -> bool:
        return hmac.compare_digest(token, self.form_token(person))

    def reveal(self, person: Person, message_id: str) -> None:
        """For a while this person sees the content of that document."""
        now = time.monotonic()
        self._revealed = {key: until for key, until in self._revealed.items() if until > now}
        self._revealed[person.session, message_id] = now + REVEAL_SECONDS

    def is_revealed(self, person: Person, message_id: str) -> bool:
        return self._revealed.get((person.session, message_id), 0.0) > time.monotonic()

    def _sign(self, text: str) -> str:
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()


def _tokens(file: Path) -> dict[str, tuple[str, str]]:
    """Digest of a token to name and role; Misconfigured without telling any token."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{file} cannot be read: {getattr(error, 'strerror', None) or 'no text'}") from None
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = line.split()
        if len(parts) != 3 or parts[1] not in RIGHTS:
            raise Misconfigured(f"{file}, line {number}: it has to be NAME, one of {', '.join(RIGHTS)}, and TOKEN.")
        name, role, token = parts
        digest = token.removeprefix("sha256:").lower() if token.startswith("sha256:") else _digest(token)
        found[digest] = (name, role)
    if not found:
        raise Misconfigured(f"{file} names nobody.")
    return found


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
