"""A notification where the sender's own form fails: plain, and never without end."""

import json

from broker.answers.way_back import Notification
from broker.model.findings import Finding
from broker.relay import headers
from broker.relay.headers import Kind
from broker.relay.plain_notice import plain


def test_it_says_what_happened_with_the_first_findings():
    findings = tuple(Finding(f"A-{n}", "no", pointer="/a") for n in range(300))
    found = plain(Notification(Kind.REFUSAL, "m" * 32, "aa-farm", "toy/one", "refused", findings=findings))
    said = json.loads(found.content)
    assert (found.content_type, found.state) == (headers.JSON, "refused")
    assert (said["kind"], said["message_id"], said["state"]) == ("refusal", "m" * 32, "refused")
    assert [f["code"] for f in said["findings"]] == [f"A-{n}" for n in range(100)]
    assert len(found.findings) == 100
