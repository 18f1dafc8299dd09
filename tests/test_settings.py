import pytest

from broker import settings
from broker.model.errors import Misconfigured


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    for name in ("SWB_CONFIG", "SWB_BOOTSTRAP", "SWB_PARTITIONS"):
        monkeypatch.delenv(name, raising=False)


def test_the_command_line_is_above_the_environment_above_the_file(monkeypatch, tmp_path):
    file = tmp_path / "swb.toml"
    file.write_text('bootstrap = "file:1"\npartitions = 3\nlog_level = "debug"\n')
    monkeypatch.setenv("SWB_CONFIG", str(file))
    monkeypatch.setenv("SWB_BOOTSTRAP", "environment:1")
    given = settings.load(bootstrap="line:1", partitions=None)
    assert (given.bootstrap, given.partitions, given.log_level) == ("line:1", 3, "debug")
    assert settings.load().bootstrap == "environment:1"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("partitions = 0", "partitions"),
        ("bootstap = 'x'", "there is no setting bootstap"),
        ("partitions = ", "cannot be read"),
        ('security = "sasl_ssl"', "needs username and password"),
        ("kept_state_days = 1", "state outlives outboxes"),
        ("max_record_bytes = 16777216", "room for headers"),
        ('certificate_file = "a.pem"', "go together"),
    ],
)
def test_a_fault_is_told_in_a_sentence(monkeypatch, tmp_path, text, says):
    file = tmp_path / "swb.toml"
    file.write_text(text)
    monkeypatch.setenv("SWB_CONFIG", str(file))
    with pytest.raises(Misconfigured, match=says):
        settings.load()


def test_a_file_that_is_not_there(monkeypatch):
    monkeypatch.setenv("SWB_CONFIG", "/nowhere/swb.toml")
    with pytest.raises(Misconfigured, match="no such file"):
        settings.load()


def test_a_variable_that_is_wrong_is_named(monkeypatch):
    monkeypatch.setenv("SWB_PARTITIONS", "many")
    with pytest.raises(Misconfigured, match="SWB_PARTITIONS"):
        settings.load()


def test_a_password_is_never_shown():
    given = settings.load(security="sasl_ssl", username="relay", password="hush-hush")
    assert "hush-hush" not in repr(given)
    assert given.librdkafka()["sasl.password"] == "hush-hush"


def test_each_client_is_told_in_its_own_words():
    given = settings.load(security="sasl_ssl", username="relay", password="p", bootstrap="a:1,b:2")
    kafka = given.aiokafka()
    assert kafka["ssl_context"].check_hostname
    assert kafka["security_protocol"] == "SASL_SSL"
    assert kafka["sasl_mechanism"] == "SCRAM-SHA-512"
    assert given.librdkafka()["security.protocol"] == "sasl_ssl"
    assert settings.load().aiokafka()["security_protocol"] == "PLAINTEXT"
    assert "ssl_context" not in settings.load().aiokafka()


@pytest.mark.parametrize(
    "address", ["kafka", "kafka:", ":9092", "kafka:port", "a:1,b", "a:1,", "http://a:1", "a b:1", "[::g]:1"]
)
def test_an_address_without_host_and_port(address):
    with pytest.raises(Misconfigured, match=r"SWB_BOOTSTRAP.*host:port"):
        settings.load(bootstrap=address)


@pytest.mark.parametrize("address", ["kafka:9092", "10.0.0.1:1,kafka-2.example:65535", "[::1]:9092"])
def test_addresses(address):
    assert settings.load(bootstrap=address).bootstrap == address


def test_files_of_tls_are_read_before_anything_is_tried(tmp_path):
    missing, empty = tmp_path / "ca.pem", tmp_path / "empty.pem"
    empty.touch()
    with pytest.raises(Misconfigured, match=r"ca\.pem cannot be used for TLS: No such file"):
        settings.load(security="ssl", ca_file=missing)
    with pytest.raises(Misconfigured, match=r"empty\.pem cannot be used for TLS"):
        settings.load(security="ssl", certificate_file=empty, key_file=empty)


def test_a_password_may_lie_in_a_file(monkeypatch, tmp_path):
    file = tmp_path / "password"
    file.write_text("hush-hush\n")
    monkeypatch.setenv("SWB_PASSWORD_FILE", str(file))
    given = settings.load(security="sasl_ssl", username="relay")
    assert given.aiokafka()["sasl_plain_password"] == "hush-hush"
    monkeypatch.setenv("SWB_PASSWORD", "another")
    with pytest.raises(Misconfigured, match="exclude each other"):
        settings.load(security="sasl_ssl", username="relay")


@pytest.mark.parametrize(("content", "says"), [(None, "cannot be read: No such file"), (b" \n", "is empty")])
def test_a_password_file_that_holds_none_is_told_without_what_it_holds(tmp_path, content, says):
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(Misconfigured, match=says):
        settings.load(security="sasl_ssl", username="relay", password_file=file)
