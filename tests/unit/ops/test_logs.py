import json
import logging

import pytest
import structlog

from kiosque.ops.logs import configure_logging


@pytest.fixture(autouse=True)
def _restore_logging():
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_off_a_terminal_logs_are_json_on_stderr(capsys):
    configure_logging()
    structlog.get_logger("here").info("poll.finished", source="demo", articles=3)
    (line,) = lines(capsys)
    assert line["event"] == "poll.finished"
    assert (line["source"], line["articles"], line["level"], line["logger"]) == ("demo", 3, "info", "here")


def test_loggers_of_libraries_take_the_same_form(capsys):
    configure_logging()
    logging.getLogger("some.library").warning("disk %s", "full")
    (line,) = lines(capsys)
    assert (line["event"], line["level"]) == ("disk full", "warning")


def test_values_of_secrets_never_appear(capsys):
    configure_logging(secrets=["s3cr3t"])
    structlog.get_logger().warning("fetch.failed", url="https://example.org/?api-key=s3cr3t")
    logging.getLogger("lib").error("GET %s", "https://example.org/?api-key=s3cr3t")
    assert "s3cr3t" not in capsys.readouterr().err


def test_fields_with_secret_names_are_hidden(capsys):
    configure_logging()
    structlog.get_logger().info("login", password="hunter2", api_key="k")
    (line,) = lines(capsys)
    assert line["password"] == "***"
    assert line["api_key"] == "***"


def test_levels_are_respected(capsys):
    configure_logging("error")
    structlog.get_logger().info("quiet")
    assert capsys.readouterr().err == ""


def test_exceptions_are_told_in_json(capsys):
    configure_logging()
    try:
        raise ValueError("boom")
    except ValueError:
        structlog.get_logger().exception("crashed")
    (line,) = lines(capsys)
    assert "ValueError: boom" in line["exception"]
