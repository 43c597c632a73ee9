"""`python -m tests.smoke`: the whole journey, from a click on a landing page to a decided alert, in a headless browser.

A fresh temporary instance is started by the supervisor: real servers, real sockets, real files. One line per step with its
time; the first step that doesn't hold ends the run with exit code 1 and a screenshot.
"""
