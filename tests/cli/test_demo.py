"""``swb demo``: where it cannot begin it says so and leaves nothing behind. (The whole of it: ``tests/kafka``.)"""

from broker.cli import _stage


def test_without_a_kafka_of_its_own_it_is_told_and_nothing_stays(swb, monkeypatch):
    ended = []

    class Nothing(_stage.Stage):
        def kafka(self):
            raise _stage.click.ClickException("no Kafka here")

        def __exit__(self, *given):
            ended.append(not self._processes)
            super().__exit__(*given)

    monkeypatch.delenv("SWB_BOOTSTRAP", raising=False)
    monkeypatch.setattr(_stage, "Stage", Nothing)
    code, _, err = swb("demo")
    assert code != 0
    assert "no Kafka here" in err
    assert ended == [True]
