import json
import logging

import pytest
import structlog

from crm.project import logs


@pytest.fixture
def lines():
    """A function that logs through a fresh handler and returns what it wrote."""
    written: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record):
            written.append(self.format(record))

    def use(*, as_json: bool) -> list[str]:
        chosen = logs.configure("INFO", as_json=as_json)["formatters"]["line"]
        handler.setFormatter(
            structlog.stdlib.ProcessorFormatter(
                foreign_pre_chain=chosen["foreign_pre_chain"], processors=chosen["processors"]
            )
        )
        return written

    handler = Keep()
    logger = logging.getLogger("keelson.test")
    logger.addHandler(handler)
    logger.setLevel("INFO")
    structlog.contextvars.bind_contextvars(request_id="r-1")
    yield use
    structlog.contextvars.clear_contextvars()
    logger.removeHandler(handler)


def test_each_line_carries_the_request_whoever_logged_it(lines):
    written = lines(as_json=True)
    logging.getLogger("keelson.test").warning("from a library, %s", "late")
    structlog.get_logger("keelson.test").info("from us", rows=3)
    library, ours = map(json.loads, written)
    assert library["event"] == "from a library, late"
    assert library["request_id"] == ours["request_id"] == "r-1"
    assert ours["rows"] == 3
    assert ours["level"] == "info"


def test_the_address_is_the_one_that_the_audit_trail_has(rf, settings):
    """A header that nobody counted proxies for is not believed."""
    request = rf.get("/", HTTP_X_FORWARDED_FOR="198.51.100.9, 203.0.113.7", REMOTE_ADDR="192.0.2.1")
    for proxies, address in ((0, "192.0.2.1"), (1, "203.0.113.7")):
        settings.TRUSTED_PROXIES = proxies
        logs.RequestLogMiddleware.bind_ip(request)
        assert structlog.contextvars.get_contextvars()["ip"] == address
    structlog.contextvars.clear_contextvars()


@pytest.mark.parametrize("as_json", [True, False])
def test_a_traceback_never_shows_local_variables(lines, as_json):
    written = lines(as_json=as_json)
    try:
        passport_number = "C01X00T47"
        raise ValueError(f"a number of {len(passport_number)} characters")
    except ValueError:
        logging.getLogger("keelson.test").exception("refused")
    assert "a number of 9 characters" in written[0]
    assert "C01X00T47" not in written[0]
