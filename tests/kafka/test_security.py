"""The wire secured: SASL_SSL with SCRAM, mutual TLS, and rights by which a participant has its own two topics only."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from broker import catalogue as catalogues
from broker.embedded.jars import Unavailable, jars
from broker.embedded.node import EmbeddedKafka
from broker.kafka.admin import acls
from broker.kafka.admin import topics as admin
from broker.line.process import process
from broker.model.documents import Message
from broker.model.errors import Failed
from broker.model.ids import NO_MESSAGE_ID
from broker.relay import ids, topics
from broker.settings import Settings
from tests.support.relay_kit import QUICK, WORKER

FARM, WINDOW = "farm", "win"
CODES = {FARM: "agency", WINDOW: "window"}
PASSWORD = "not-a-secret"
AUTHORIZER = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS;User:operator",  # the listener between nodes, and who sets up
}


# --- certificates -----------------------------------------------------------------------------------------------------


class Authority:
    """A certificate authority of an afternoon."""

    def __init__(self, folder, name):
        self.folder, self.key = folder, ec.generate_private_key(ec.SECP256R1())
        self.subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._sign(self.subject, self.key.public_key(), is_authority=True)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, name):
        """Certificate and key of a name, as files, and both in one (for Kafka)."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._sign(subject, key.public_key()).public_bytes(serialization.Encoding.PEM)
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        files = [self.folder / f"{name}.{end}" for end in ("crt", "key", "both.pem")]
        for file, content in zip(files, (certificate, secret, secret + certificate), strict=True):
            file.write_bytes(content)
        return files

    def _sign(self, subject, public, *, is_authority=False):
        now = datetime.now(UTC)
        names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.subject)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(names, critical=False)
            .sign(self.key, hashes.SHA256())
        )


# --- nodes ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    try:
        jars()
    except Unavailable as error:
        if os.environ.get("SWB_REQUIRE_KAFKA"):
            pytest.fail(f"SWB_REQUIRE_KAFKA is set: {error}")
        pytest.skip(str(error))
    return Authority(tmp_path_factory.mktemp("ca"), "authority")


def stores(authority):
    """What a node needs to speak TLS."""
    _, _, both = authority.issue("node")
    given = {"keystore.type": "PEM", "keystore.location": both, "truststore.type": "PEM"}
    given["truststore.location"] = authority.file
    return {f"listener.name.client.ssl.{name}": str(value) for name, value in given.items()}


@pytest.fixture(scope="module")
def scram(authority, tmp_path_factory):
    """A node with SASL_SSL, SCRAM and rights; topics and rights are made as an operator makes them."""
    users = ("operator", acls.RELAY, FARM, WINDOW, "pe-vuce")
    properties = {
        **AUTHORIZER, **stores(authority), "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.client.scram-sha-512.sasl.jaas.config":
            "org.apache.kafka.common.security.scram.ScramLoginModule required;",
    }  # fmt: skip
    words = [w for u in users for w in ("--add-scram", f"SCRAM-SHA-512=[name={u},password={PASSWORD}]")]
    data = tmp_path_factory.mktemp("scram")
    with EmbeddedKafka(data=data, protocol="SASL_SSL", properties=properties, format_arguments=words) as kafka:
        given = as_user(kafka, authority, "operator")
        admin.create(given, CODES)
        acls.create(given, CODES)
        yield kafka


@pytest.fixture(scope="module")
def mutual(authority, tmp_path_factory):
    """A node that asks its clients for certificates; who they are is their CN."""
    properties = {
        **AUTHORIZER, **stores(authority), "listener.name.client.ssl.client.auth": "required",
        "super.users": "User:ANONYMOUS",
    }  # fmt: skip
    with EmbeddedKafka(data=tmp_path_factory.mktemp("mtls"), protocol="SSL", properties=properties) as kafka:
        inside = Settings(bootstrap=kafka.internal_bootstrap, partitions=4, principals="User:CN={name}")
        admin.create(inside, CODES)
        acls.create(inside, CODES)
        yield kafka


def as_user(kafka, authority, user, password=PASSWORD):
    return Settings(
        bootstrap=kafka.bootstrap, security="sasl_ssl", ca_file=authority.file, username=user, password=password,
        partitions=4,
    )  # fmt: skip


def as_certified(kafka, authority, name):
    certificate, key, _ = authority.issue(name)
    return Settings(
        bootstrap=kafka.bootstrap, security="ssl", ca_file=authority.file, certificate_file=certificate, key_file=key,
        partitions=4,
    )  # fmt: skip


def environment(settings):
    """The same settings as variables."""
    given = settings.model_dump(exclude_defaults=True)
    values = {f"SWB_{name.upper()}": str(value) for name, value in given.items() if name != "password"}
    return {**values, "SWB_PASSWORD": settings.password.get_secret_value()}


# --- what a client may ------------------------------------------------------------------------------------------------


def write(settings, topic, **options):
    """The name of Kafka's refusal to write there; None when it took the record."""
    refusals = []
    producer = Producer({**settings.librdkafka(), "log_level": 0, "delivery.timeout.ms": 8000, **options})
    if "transactional.id" in options:
        producer.init_transactions(8)
        producer.begin_transaction()
    producer.produce(topic, b"x", b"k", on_delivery=lambda error, _: refusals.append(error and error.name()))
    producer.flush(10)
    return refusals[0] if refusals else "nothing heard"


def read(settings, topic, group):
    """The name of Kafka's refusal to read there as that group; None when it does not refuse."""
    consumer = Consumer({**settings.librdkafka(), "group.id": group, "auto.offset.reset": "earliest", "log_level": 0})
    consumer.subscribe([topic])
    calm = 0  # what is assigned may still be refused when it is fetched
    try:
        while calm < 15:
            record = consumer.poll(0.2)
            if record is not None:
                return record.error() and record.error().name()
            calm += bool(consumer.assignment())
    except KafkaException as error:
        return error.args[0].name()
    finally:
        consumer.close()
    return None


@pytest.fixture(params=["scram", "mutual"])
def who(request, authority):
    """Settings by name, on either node."""
    kafka = request.getfixturevalue(request.param)
    return lambda name: (as_user if request.param == "scram" else as_certified)(kafka, authority, name)


def test_a_participant_has_its_own_two_topics_and_no_more(who):
    farm = who(FARM)
    assert write(farm, topics.outbox(FARM)) is None
    assert read(farm, topics.inbox(FARM), f"swb.{FARM}.reader") is None
    for other in (topics.outbox(WINDOW), topics.inbox(FARM), topics.FACTS, topics.DUPLICATES, topics.INTAKE):
        assert write(farm, other) == "TOPIC_AUTHORIZATION_FAILED", other
    for other in (topics.inbox(WINDOW), topics.outbox(FARM), topics.TRACKING, topics.DEADLETTER):
        assert read(farm, other, f"swb.{FARM}.reader") == "TOPIC_AUTHORIZATION_FAILED", other
    for group in (topics.RELAY_GROUP, f"swb.{WINDOW}.reader"):
        assert read(farm, topics.inbox(FARM), group) == "GROUP_AUTHORIZATION_FAILED", group


def test_a_participant_cannot_fence_the_relay(who):
    with pytest.raises(KafkaException) as refused:
        write(who(FARM), topics.outbox(FARM), **{"transactional.id": topics.transactional_id(0)})
    assert refused.value.args[0].code() == KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
    producer = Producer({**who(acls.RELAY).librdkafka(), "transactional.id": topics.transactional_id(0)})
    producer.init_transactions(10)


@pytest.fixture
def worker(tmp_path):
    """A worker under settings, with its log; it ends with the test."""
    started = []

    def start(settings):
        log = tmp_path / "worker.log"
        given = {
            **os.environ, **QUICK, **environment(settings), "SWB_TOY": ",".join(f"{c}:{k}" for c, k in CODES.items()),
        }  # fmt: skip
        with log.open("wb") as out:
            started.append(subprocess.Popen([sys.executable, str(WORKER)], env=given, stdout=out, stderr=out))
        return log

    yield start
    for one in started:
        one.kill()
        one.wait()


def test_the_relay_works_under_its_own_name_alone(who, worker):
    farm, log = who(FARM), worker(who(acls.RELAY))
    producer = Producer({**farm.librdkafka(), "log_level": 0})
    producer.produce(topics.outbox(FARM), f"ok {WINDOW}; #1".encode(), b"k", headers=[("ce_id", b"1")])
    assert producer.flush(10) == 0
    consumer = Consumer(
        {**who(WINDOW).librdkafka(), "group.id": f"swb.{WINDOW}.end", "auto.offset.reset": "earliest", "log_level": 0}
    )
    consumer.subscribe([topics.inbox(WINDOW)])
    found = next((r for _ in range(150) if (r := consumer.poll(0.2)) is not None and r.error() is None), None)
    consumer.close()
    assert found is not None, log.read_text()[-3000:]
    assert dict(found.headers())["swb_message_id"].decode() == ids.message_id(FARM, "1")


def test_a_header_that_names_another_sender_is_a_finding(scram, authority, worker):
    log = worker(as_user(scram, authority, acls.RELAY))
    farm = as_user(scram, authority, FARM)
    producer = Producer({**farm.librdkafka(), "log_level": 0})
    headers = [("ce_id", b"2"), ("ce_source", WINDOW.encode())]
    producer.produce(topics.outbox(FARM), f"ok {WINDOW}; #2".encode(), b"k", headers=headers)
    assert producer.flush(10) == 0
    consumer = Consumer(
        {**farm.librdkafka(), "group.id": f"swb.{FARM}.end", "auto.offset.reset": "earliest", "log_level": 0}
    )
    consumer.subscribe([topics.inbox(FARM)])
    wanted, found = ids.message_id(FARM, "2").encode(), None
    for _ in range(150):
        record = consumer.poll(0.2)
        if record is not None and record.error() is None and ("swb_message_id", wanted) in record.headers():
            found = dict(record.headers())
            break
    consumer.close()
    assert found is not None, log.read_text()[-3000:]
    assert [f["code"] for f in json.loads(found["swb_findings"])] == ["message.source"]


# --- what is told when it does not fit --------------------------------------------------------------------------------


def said(settings, monkeypatch, swb, *arguments):
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    code, _, error = swb(*arguments)
    assert code == 2
    return error


def test_a_wrong_password_is_told(scram, authority, monkeypatch, swb):
    wrong = as_user(scram, authority, FARM, "wrong")
    with pytest.raises(Failed, match=r"(?i)authentication failed"):
        admin.greet(wrong)
    assert "authentication failed" in said(wrong, monkeypatch, swb, "topics", "check").lower()


def test_an_authority_nobody_trusts_is_told(scram, authority, tmp_path):
    stranger = Authority(tmp_path, "stranger")
    given = as_user(scram, authority, FARM).model_copy(update={"ca_file": stranger.file})
    with pytest.raises(Failed, match=r"(?i)certificate verify failed"):
        admin.greet(given)


def test_a_client_in_the_clear_is_told(scram):
    with pytest.raises(Failed, match="Kafka does not answer"):
        admin.greet(Settings(bootstrap=scram.bootstrap))


def test_a_client_without_a_certificate_is_told(mutual, authority):
    with pytest.raises(Failed, match="Kafka does not answer"):
        admin.greet(Settings(bootstrap=mutual.bootstrap, security="ssl", ca_file=authority.file))


# --- swb topics --acl -------------------------------------------------------------------------------------------------


def test_topics_create_writes_the_rights_and_check_misses_them(scram, authority, monkeypatch, swb):
    for name, value in environment(as_user(scram, authority, "operator")).items():
        monkeypatch.setenv(name, value)
    code, out, _ = swb("topics", "check", "--acl", "-o", "json")
    assert code == 1
    lacking = [f["message"] for f in json.loads(out) if f["kind"] == "right"]
    assert "User:pe-vuce may read topic swb.pe-vuce.inbox" in lacking
    assert not [one for one in lacking if one.startswith("User:swb-relay")]  # the relay has its own already
    code, out, _ = swb("topics", "create", "--acl", "-o", "json")
    assert code == 0
    assert sorted(json.loads(out)["granted"]) == sorted(lacking)
    assert swb("topics", "check", "--acl")[0] == 0
    assert swb("topics", "create", "--acl", "-o", "json")[1].strip() == '{"created": [], "granted": []}'


def test_a_window_works_under_its_own_name_alone(scram, authority, tmp_path):
    operator = as_user(scram, authority, "operator")
    admin.create(operator, ("pe-vuce",))
    acls.create(operator, ("pe-vuce",))
    sample = catalogues.data_root() / "mappings/documents/invoice/sunat-ubl-2.1/samples/export-signed-iso-8859-1.xml"
    outcome = process(Message(NO_MESSAGE_ID, sample.read_bytes()), catalogues.load())
    log = tmp_path / "window.log"
    given = {**os.environ, **QUICK, **environment(as_user(scram, authority, "pe-vuce"))}
    command = [sys.executable, "-c", "from broker.cli import main; main()", "windows", "pe-vuce"]
    with log.open("wb") as out:
        window = subprocess.Popen(command, env=given, stdout=out, stderr=out)
    try:
        producer = Producer({**as_user(scram, authority, acls.RELAY).librdkafka(), "log_level": 0})
        headers = [("ce_type", b"swb.payload"), ("swb_message_id", b"f" * 32)]
        producer.produce(topics.inbox("pe-vuce"), outcome.payload.content, b"k", headers=headers)
        assert producer.flush(10) == 0
        consumer = Consumer({**operator.librdkafka(), "group.id": "end", "auto.offset.reset": "earliest"})
        consumer.subscribe([topics.outbox("pe-vuce")])
        found = next((r for _ in range(200) if (r := consumer.poll(0.2)) is not None and r.error() is None), None)
        consumer.close()
    finally:
        window.kill()
        window.wait()
    assert found is not None, log.read_text()[-3000:]
    assert dict(found.headers())["ce_type"] == b"swb.answer"


def test_a_kafka_without_an_authorizer_is_told(kafka_bootstrap):
    with pytest.raises(Failed, match="authorizer"):
        acls.create(Settings(bootstrap=kafka_bootstrap), CODES)
