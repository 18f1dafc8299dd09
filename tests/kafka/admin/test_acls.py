"""Who may do what: a participant its own two topics, and nobody else's."""

from confluent_kafka.admin import AclOperation, ResourceType

from broker.kafka.admin.acls import wanted
from broker.settings import Settings


def rights(name, **given):
    found = wanted(Settings(**given), ["aa-farm", "xx-win"])
    return {(r.restype, r.name, r.operation) for r in found if r.principal == name}


def test_a_participant_writes_its_outbox_and_reads_its_inbox():
    found = {(name, what) for kind, name, what in rights("User:aa-farm") if kind == ResourceType.TOPIC}
    assert found == {
        ("swb.aa-farm.outbox", AclOperation.WRITE), ("swb.aa-farm.outbox", AclOperation.DESCRIBE),
        ("swb.aa-farm.inbox", AclOperation.READ), ("swb.aa-farm.inbox", AclOperation.DESCRIBE),
    }  # fmt: skip


def test_principals_are_named_as_the_setting_says():
    assert rights("User:aa-farm", principals="User:CN={name}") == set()
    assert len(rights("User:CN=aa-farm", principals="User:CN={name}")) == 5
