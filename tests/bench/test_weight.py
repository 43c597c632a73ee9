"""`bench weight`: bytes are the most of the rounds, times their medians, and a page is really loaded by a browser."""

from __future__ import annotations

from bench import weight
from bench.weight import Visit


def test_figures_judge_the_heaviest_visit_and_the_usual_time() -> None:
    bare = [Visit(300, 200, 200, 5)] * 3
    home = [Visit(100_000, 900, 1200, 80), Visit(151_000, 800, 1400, 90), Visit(100_000, 900, 9000, 85)]
    made = {
        figure.name: figure
        for figure in weight.figures(
            {"bare page": bare, "trader's home": home, "partner's home": home, "client page": home}
        )
    }
    assert (made["trader's home: sent cold"].value, made["trader's home: sent cold"].ok) == (151, False)
    assert (made["trader's home: interactive"].value, made["trader's home: interactive"].ok) == (1.4, True)
    assert (made["client page: sent cold"].ok, made["client page: interactive"].ok) == (True, None)
    assert made["trader's home: main thread at full speed"].ratio == 17


def test_a_page_is_loaded_over_the_slow_line(live_server, monkeypatch) -> None:
    monkeypatch.setattr(weight, "SETTLED_MS", 100)
    with weight.browser() as chromium:
        seen = weight.visit(chromium, live_server.url, "/healthz", "sessionid=none")
        assert 0 < seen.sent < 5_000 and seen.ready_ms >= weight.LINE["latency"]
        assert 0 < weight.work(chromium, live_server.url, "/healthz", "sessionid=none") < 2_000
