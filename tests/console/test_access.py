"""Who somebody is and what they may do: tokens, cookies, proxies, roles."""

from broker.console.access import Access, Person
from broker.settings import Settings

ANN = Person("ann", "operator", "s1")


def test_a_cookie_is_ours_or_nobody_s():
    access = Access(Settings())
    cookie = access.cookie(ANN)
    assert access.by_cookie(cookie) == ANN
    assert access.by_cookie(f"x{cookie}") is None
    assert Access(Settings()).by_cookie(cookie) is None
    assert access.by_cookie("") is None


def test_without_tokens_one_is_made_and_opens():
    access = Access(Settings())
    assert access.signed_in(access.made).role == "operator"
    assert access.signed_in("guess") is None


def test_a_role_may_what_it_may():
    rights = ("read", "act", "reveal", "audit")
    assert {role: [right for right in rights if Person("a", role, "s").may(right)] for role in (
        "reader", "operator", "auditor",
    )} == {"reader": ["read"], "operator": ["read", "act", "reveal"], "auditor": ["read", "reveal", "audit"],
    }  # fmt: skip


def test_a_proxy_is_believed_at_its_own_address_alone():
    access = Access(Settings(console_user_header="X-User", console_proxies="10.0.0.1"))
    assert access.by_proxy({"X-User": "ann"}, "10.0.0.1").name == "ann"
    assert access.by_proxy({"X-User": "ann"}, "10.0.0.2") is None


def test_a_form_is_that_of_its_session_and_a_host_is_known_by_name():
    access = Access(Settings())
    assert access.is_form_of(ANN, access.form_token(ANN))
    assert not access.is_form_of(Person("ann", "operator", "s2"), access.form_token(ANN))
    assert [access.is_known_host(host) for host in ("localhost:8080", "127.0.0.1", "evil.example")] == [
        True,
        True,
        False,
    ]
