"""The log as the deployment writes it."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tracking.server.logs import JsonFormatter, LineFormatter

ROOT = Path(__file__).resolve().parents[2]
#: What a vendor might answer: it clears the screen, sets the window's title, turns the text around,
#: and looks like another line.
HOSTILE = "\x1b[2J\x1b]0;title\x07 \x9b31m \u202eabc \r\x00\nERROR root: forged\u2028x"


def record(message: str) -> logging.LogRecord:
    return logging.LogRecord("hitstream", logging.WARNING, "", 0, "said: %s", (message,), None)


@pytest.mark.parametrize("formatter", [LineFormatter(), JsonFormatter()])
def test_no_text_of_others_controls_the_terminal(formatter: logging.Formatter) -> None:
    written = formatter.format(record(HOSTILE))
    assert not [each for each in written if each != "\n" and not each.isprintable()]
    assert not [line for line in written.splitlines() if line.startswith("ERROR")]
    assert "forged" in written


def test_a_line_of_json_says_what_happened() -> None:
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        made = logging.LogRecord("a", logging.ERROR, "", 0, "failed", (), sys.exc_info())
    written = JsonFormatter().format(made)
    assert "\n" not in written
    assert written.isascii()
    found = json.loads(written)
    assert (found["level"], found["logger"], found["message"]) == ("ERROR", "a", "failed")
    assert found["exception"].startswith("Traceback")


def test_the_web_server_s_own_records_are_like_all_others() -> None:
    script = (
        "from granian.log import LogLevels, configure_logging, logger\n"
        "from tracking.server.logs import config_of_granian\n"
        "configure_logging(LogLevels.info, config_of_granian('json'))\n"
        "logger.info('Replaced worker-1')"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == ""
    assert json.loads(done.stderr)["message"] == "Replaced worker-1"


SCRIPT = """
import django; django.setup()
from django.test import RequestFactory
from tracking.server.wsgi import django as application
requests = RequestFactory(SERVER_NAME="localhost")
environ = requests.get("/api/docs", headers={"host": "evil.example"}).environ
print(application(environ, lambda *head: None).status_code)
fields = {f"a{number}": "" for number in range(1001)}
cookie = {"cookie": "csrftoken=" + "x" * 32}
environ = requests.post("/admin/login/", fields, headers=cookie).environ
print(application(environ, lambda *head: None).status_code)
"""


@pytest.mark.parametrize("format", ["line", "json", "nonsense"])
def test_a_suspicious_request_is_one_line_of_the_log(format: str) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "DJANGO_SECRET_KEY": "x" * 50,
        "HITSTREAM_LOG_FORMAT": format,
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, cwd=ROOT, capture_output=True, text=True
    )
    if format == "nonsense":
        assert "HITSTREAM_LOG_FORMAT must be line or json, not 'nonsense'" in done.stderr
        return
    assert done.stdout == "400\n400\n"
    lines = done.stderr.splitlines()
    said = [json.loads(line)["message"] for line in lines] if format == "json" else lines
    assert len(said) == 2
    assert "Invalid HTTP_HOST header: 'evil.example'" in said[0]
    assert "DATA_UPLOAD_MAX_NUMBER_FIELDS" in said[1]
