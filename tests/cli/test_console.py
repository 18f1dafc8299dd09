"""``swb console`` hands its settings on, and says where its pages are."""

from broker import app


def test_the_console_is_served_with_what_the_command_line_says(swb, monkeypatch):
    seen = {}

    def run_console(settings, *, rebuild, tell):
        seen.update(port=settings.console_port, bootstrap=settings.bootstrap, rebuild=rebuild)
        tell("http://127.0.0.1:8765/")

    monkeypatch.setattr(app, "run_console", run_console)
    code, out, _ = swb("console", "--port", "8765", "--rebuild", "--bootstrap", "127.0.0.1:1")
    assert (code, out) == (0, "http://127.0.0.1:8765/\n")
    assert seen == {"port": 8765, "bootstrap": "127.0.0.1:1", "rebuild": True}
    assert swb("console", "--port", "70000")[0] == 2
