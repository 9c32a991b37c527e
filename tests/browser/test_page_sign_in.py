"""A stage with sign-in: a real deployment, a real issuer, and the page in Chromium."""

import json
import shutil
import time

import pytest
from playwright.sync_api import expect
from support import live, ses
from support.cloudfront import CloudFront
from support.issuer import Issuer
from support.operator import HERE, LOCAL_CONNECTIONS, REGION, Operator
from support.tokens import CLIENT

from dashboard.paths import PROJECT
from dashboard.sqs.topic import Topic

STAGE = "signin"
BUILD = PROJECT / ".mailpulse" / "aws" / f"000000000000-us-east-1-{STAGE}"
GROUPS = {"staff": [""], "acme": ["acme-"]}


class Stage:
    """The deployed stage, and the viewer of its page."""

    def __init__(self, account, issuer, front):
        self.issuer, self.url = issuer, f"{front.origin}/"
        self.operator = Operator(account.info["endpoint_url"])
        status, stdout, stderr = self.operator.run(
            *("deploy", "--stage", STAGE, *REGION, *HERE, "--json"),
            *("--issuer", issuer.url, "--set", f"CLIENT_ID={CLIENT}"),
            *("--set", LOCAL_CONNECTIONS, "--set", f"CUSTOM_ORIGINS={front.origin}"),
            *("--set", f"GROUP_PREFIXES={json.dumps(GROUPS)}"),
        )
        assert status == 0, stderr
        self._topic = Topic(account.aws("sns"), json.loads(stdout)["topic_arn"])
        [stack] = account.aws("cloudformation").describe_stacks(StackName=f"mailpulse-{STAGE}")[
            "Stacks"
        ]
        outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
        front.bucket = outputs["SiteBucket"]

    def publish(self, *events):
        self._topic.publish_batch(list(map(json.dumps, events)))

    def share(self, campaign):
        """Create a share link; return its id and its local URL."""
        status, stdout, stderr = self.operator.run(
            "share", "add", campaign, "--stage", STAGE, *REGION, "--json"
        )
        assert status == 0, stderr
        link = json.loads(stdout)
        return link["id"], self.url + link["url"].partition("/#")[2].join(["#", ""])


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    state_dir = tmp_path_factory.mktemp("account") / "state"
    with Issuer() as issuer, CloudFront() as front:
        for account in live.running(state_dir, "--no-demo", "--allow-origin", front.origin):
            front.s3 = account.aws("s3")
            stage = Stage(account, issuer, front)
            stage.publish(*(ses.a_send(f"m-{one}", campaign=one) for one in ("acme-a", "globex-a")))
            yield stage
    shutil.rmtree(BUILD, ignore_errors=True)


@pytest.fixture
def page(browser, stage):
    stage.issuer.seconds, stage.issuer.groups, stage.issuer.refuses = 3600, ["staff"], False
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on(
        "console",
        lambda message: page.complaints.append(message.text) if message.type == "error" else None,
    )
    yield page
    context.close()


def sign_in(page, stage, place="#/"):
    page.goto(stage.url + place)
    page.get_by_role("link", name="Anna").click()
    live_now(page)


def live_now(page):
    expect(page.locator(".status")).to_have_attribute("data-state", "live")


def test_a_signed_in_user_sees_the_requested_page_live(page, stage):
    sign_in(page, stage, "#/campaign/acme-a")

    assert page.url == f"{stage.url}#/campaign/acme-a", (
        "the authorization code is removed from the URL"
    )
    expect(page.locator(".tiles [data-metric=sends]")).to_have_attribute("data-value", "1")
    stage.publish(ses.a_send("m-2", campaign="acme-a"))
    expect(page.locator(".tiles [data-metric=sends]")).to_have_attribute("data-value", "2")
    kept = page.evaluate(
        "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
    )
    assert kept == '[{},{},""]', "tokens are kept only in memory"
    assert page.complaints == []


def test_a_member_of_a_group_sees_only_its_campaigns(page, stage):
    stage.issuer.groups = ["acme"]

    sign_in(page, stage)
    expect(page.locator("[data-campaign=acme-a]")).to_be_visible()
    expect(page.locator("[data-campaign]")).to_have_count(1)

    page.goto(f"{stage.url}#/campaign/globex-a")
    expect(page.get_by_role("alert")).to_contain_text("You do not have access to these statistics")


def test_the_page_renews_its_token_on_the_open_connection_before_expiry(page, stage):
    stage.issuer.seconds = 10
    granted = len(stage.issuer.granted)
    sockets = []
    page.on("websocket", lambda socket: sockets.append(socket))  # noqa: PLW0108 - Playwright sets an attribute on it
    sign_in(page, stage, "#/campaign/acme-a")

    until = time.monotonic() + 25
    while stage.issuer.granted[granted:].count("refresh_token") < 2:
        page.wait_for_timeout(200)
        assert time.monotonic() < until, stage.issuer.granted
    stage.publish(ses.a_delivery("m-acme-a", campaign="acme-a"))

    expect(page.locator(".tiles [data-metric=deliveries]")).to_have_attribute("data-value", "1")
    live_now(page)
    assert len(sockets) == 1, "the connection stays open"
    assert page.complaints == []


def test_a_failed_token_renewal_is_shown_and_keeps_the_numbers(page, stage):
    stage.issuer.seconds = 5
    stage.issuer.refuses = True
    sign_in(page, stage, "#/campaign/acme-a")

    expect(page.get_by_role("alert").first).to_contain_text("Your session has expired")
    expect(page.locator(".status [role=status]")).to_have_text("Disconnected")
    expect(page.locator(".tiles [data-metric=sends]")).to_be_visible()


def test_a_denied_sign_in_is_explained_and_can_be_retried(page, stage):
    page.goto(stage.url)
    page.get_by_role("link", name="Deny").click()

    expect(page.get_by_role("alert")).to_have_text("Sign-in failed. (access_denied)")
    assert page.url == stage.url
    page.get_by_role("link", name="Sign in").click()
    page.get_by_role("link", name="Anna").click()
    live_now(page)


def test_an_unsolicited_authorization_response_is_rejected(page, stage):
    page.goto(f"{stage.url}?code=stolen&state=made-up")

    expect(page.get_by_role("alert")).to_contain_text(
        "This sign-in link has expired or was opened in another tab"
    )
    assert page.url == stage.url


def test_signing_out_requires_a_new_sign_in(page, stage):
    sign_in(page, stage)

    page.get_by_role("button", name="Sign out").click()

    expect(page.get_by_role("heading")).to_have_text("Signed out")
    page.goto(stage.url)
    expect(page.get_by_role("heading")).to_have_text(f"Sign in to {CLIENT}")


def test_a_share_link_shows_one_campaign_live_without_a_sign_in(page, stage):
    _, url = stage.share("acme-a")

    page.goto(url)

    live_now(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("acme-a")
    stage.publish(ses.an_open("m-acme-a", campaign="acme-a"))
    expect(page.locator(".tiles [data-metric=unique_opens]")).to_have_attribute("data-value", "1")
    page.mouse.wheel(0, 3000)
    expect(page.get_by_role("heading", name="Links")).to_be_visible()
    expect(page.get_by_role("heading", name="Live activity")).to_have_count(0)
    expect(page.get_by_role("radio", name="Minutes")).to_be_attached()
    expect(page.get_by_role("radio", name="Age")).to_have_count(0)
    expect(page.locator(".tile.read .pace")).to_be_hidden()
    leading = page.evaluate("[...document.querySelectorAll('a[href]')].map((a) => a.className)")
    assert [one for one in leading if one not in {"skip", "back"}] == []
    expect(page.get_by_role("link", name="All campaigns")).to_be_hidden()
    expect(page.get_by_role("button", name="Sign out")).to_have_count(0)
    assert page.complaints == []
    page.reload()
    live_now(page)


def test_a_revoked_share_link_shows_no_more_numbers(page, stage):
    link, url = stage.share("acme-a")
    page.goto(url)
    live_now(page)

    status, _, stderr = stage.operator.run("share", "revoke", link, "--stage", STAGE, *REGION)
    assert status == 0, stderr

    while page.locator(".status[data-state=ended]").count() == 0:
        page.evaluate("dispatchEvent(new Event('online'))")  # ends the wait for the next attempt
        page.wait_for_timeout(500)
    expect(page.get_by_role("alert").first).to_contain_text("no longer valid")
    expect(page.get_by_text("Reconnecting")).to_have_count(0)


def test_an_incomplete_share_link_shows_an_error(page, stage):
    page.goto(f"{stage.url}#/share/abc")

    expect(page.get_by_role("alert")).to_contain_text("This share link is incomplete")
