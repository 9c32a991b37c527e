"""Check the page as a browser receives it."""

from collections.abc import Iterator

from dashboard.checks.finding import Finding, Subject, fail, ok, warn
from dashboard.checks.sign_in import check_days, unreachable

_OK = 200
# The headers that CloudFront adds: infrastructure/mailpulse.yaml, SiteHeaders.
_HEADERS = {
    "content-security-policy": "frame-ancestors 'none'",
    "strict-transport-security": "max-age=",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
}


def check_page(subject: Subject) -> Iterator[Finding]:
    """Check that CloudFront serves the page with its security headers."""
    url = f"https://{subject.output('SiteDomain')}/"
    remedy = "run `deploy`, which publishes it; a new distribution takes a few minutes"
    try:
        answer = subject.web.get(url)
    except (OSError, ValueError) as error:
        yield unreachable(url, error, remedy)
        return
    if answer.status != _OK:
        yield fail(f"{url} returns status {answer.status}", remedy)
        return
    if b'name="mailpulse-websocket"' not in answer.body:
        yield fail(f"{url} does not return the page", remedy)
    else:
        yield ok(f"{url} returns the page")
    missing = [
        name for name, value in _HEADERS.items() if value not in answer.headers.get(name, "")
    ]
    if missing:
        yield warn(f"{url} lacks the headers {', '.join(missing)}", "run `deploy`, which sets them")
    else:
        yield ok("all security headers are present")
    yield from check_days(url, answer)
