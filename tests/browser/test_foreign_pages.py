"""Attacks by foreign pages on a running `up` in Chromium: none changes or reads anything."""

import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlencode, urlsplit

import pytest
from support import ses
from support.client import campaign_topic

# Sends every kind of request that a page can send without user interaction; returns those that
# succeeded, as far as a page can see. It waits for every response; sendBeacon has none.
ATTACK = """
async ({endpoint, page, websocket, object, forms, actions}) => {
  const succeeded = [];
  const within = (promise) => Promise.race([promise, new Promise((_, no) => setTimeout(no, 15000))]);
  const attempt = async (name, work) => {
    try {
      const found = await within(work());
      if (found) succeeded.push(`${name}: ${String(found).slice(0, 200)}`);
    } catch { /* refused */ }
  };
  const element = (tag, attributes) => new Promise((loaded, failed) => {
    const one = document.createElement(tag);
    one.onload = () => loaded(tag);
    one.onerror = failed;
    Object.assign(one, attributes);
    document.body.append(one);
  });
  const frame = (load) => new Promise((done) => {
    const one = document.createElement("iframe");
    one.name = `f${Math.random()}`;
    one.onload = () => done(null);  // of another origin: it cannot be seen what was loaded
    load(one);
  });
  const submit = (method, enctype, url, fields) => frame((one) => {
    document.body.append(one);
    const form = document.createElement("form");
    Object.assign(form, {method, enctype, action: url, target: one.name});
    for (const [name, value] of fields) {
      const input = document.createElement("input");
      Object.assign(input, {type: "hidden", name, value});
      form.append(input);
    }
    document.body.append(form);
    form.submit();
  });
  const read = async (url, options) => {
    const answer = await fetch(url, options);
    return answer.type === "opaque" ? null : `${answer.status} ${await answer.text()}`;
  };

  const tries = [];
  const one = (name, work) => tries.push(attempt(name, work));
  for (const query of actions) {
    const url = `${endpoint}/x?${query}`;
    one("image", () => element("img", {src: url}));
    one("script", () => element("script", {src: url}));
    one("style sheet", () => element("link", {rel: "stylesheet", href: url}));
    one("frame", () => frame((it) => { it.src = url; document.body.append(it); }));
    one("form, GET", () => submit("get", "", `${endpoint}/x`, [...new URLSearchParams(query)]));
    for (const mode of ["no-cors", "cors"]) {
      one(`fetch ${mode}`, () => read(url, {mode}));
      one(`fetch ${mode} with POST`, () => read(url, {mode, method: "POST"}));
    }
    one("event source", () => new Promise((yes, no) => {
      const source = new EventSource(url);
      source.onopen = () => yes("open");
      source.onerror = () => { source.close(); no(); };
    }));
  }
  for (const body of forms) {
    const fields = [...new URLSearchParams(body)];
    for (const kind of ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"]) {
      one(`form, ${kind}`, () => submit("post", kind, `${endpoint}/`, fields));
      const headers = {"content-type": kind};
      one(`fetch no-cors, ${kind}`, () => read(endpoint, {mode: "no-cors", method: "POST", headers, body}));
      one(`fetch cors, ${kind}`, () => read(endpoint, {method: "POST", headers, body}));
      navigator.sendBeacon(`${endpoint}/`, new Blob([body], {type: kind}));
    }
    one("signed", () => read(endpoint, {method: "POST", body, headers: {
      "content-type": "application/x-www-form-urlencoded",
      "authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/cloudformation/aws4_request, SignedHeaders=host, Signature=0",
    }}));
  }
  for (const target of ["ListTables", "DeleteTable"]) {
    one(target, () => read(endpoint, {method: "POST", body: "{}", headers: {
      "content-type": "application/x-amz-json-1.0", "x-amz-target": `DynamoDB_20120810.${target}`,
    }}));
  }
  for (const method of ["PUT", "DELETE"]) one(method, () => read(object, {method, body: "x"}));
  for (const path of ["reset", "config"]) {
    for (const mode of ["no-cors", "cors"]) {
      one(path, () => read(`${endpoint}/_ministack/${path}`, {mode, method: "POST", body: "{}"}));
    }
  }
  for (const url of [page, object, `${endpoint}/_ministack/sqs/messages`, `${endpoint}/_ministack/health`]) {
    one(`read ${url}`, () => read(url));
    one(`image of ${url}`, () => element("img", {src: url}));
    one(`script of ${url}`, () => element("script", {src: url}));
  }
  one("WebSocket", () => new Promise((yes, no) => {
    const socket = new WebSocket(websocket, "mailpulse.v1");
    socket.onopen = () => yes("open");
    socket.onerror = no;
  }));
  await Promise.all(tries);
  return succeeded;
}
"""
# The minimum number of requests sent, so that a test cannot pass because the browser blocks them.
REQUESTS = 60

SANDBOXED = '<iframe sandbox="allow-scripts allow-forms" srcdoc="<body></body>"></iframe>'


@pytest.fixture(scope="module")
def port():
    """Return the port of a foreign web server on this host."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(f"<body>{SANDBOXED}</body>".encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


class Target:
    """The target of an attack, and checks of whether it was harmed."""

    def __init__(self, dashboard) -> None:
        self.dashboard = dashboard
        self.campaign = f"attacked-{uuid.uuid4().hex[:8]}"
        self.forged = f"forged-{uuid.uuid4().hex[:8]}"
        self.endpoint = dashboard.info["endpoint_url"]
        self._s3 = dashboard.aws("s3")
        resource = dashboard.aws("cloudformation").describe_stack_resource(
            StackName="mailpulse-local", LogicalResourceId="SiteBucket"
        )
        self._bucket = resource["StackResourceDetail"]["PhysicalResourceId"]
        self._page = self._s3.get_object(Bucket=self._bucket, Key="index.html")["Body"].read()
        dashboard.publish(ses.a_send(f"{self.campaign}-1", campaign=self.campaign))
        self._before = self._state()

    def arguments(self) -> dict:
        """Return the arguments of ATTACK."""
        template = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
        message = json.dumps(ses.a_send(f"{self.forged}-1", campaign=self.forged))
        create = {"Action": "CreateStack", "StackName": self.forged, "TemplateBody": template}
        publish = {
            "Action": "Publish",
            "TopicArn": self.dashboard.info["topic_arn"],
            "Message": message,
        }
        delete = {"Action": "DeleteStack", "StackName": "mailpulse-local"}
        actions = [urlencode(one) for one in (create, publish, delete)]
        return {
            "endpoint": self.endpoint,
            "page": self.dashboard.info["dashboard"],
            "websocket": self.dashboard.info["websocket"],
            "object": f"{self.endpoint}/{self._bucket}/index.html",
            "actions": actions,
            "forms": actions,
        }

    def is_unharmed(self) -> bool:
        """Return whether nothing has changed, after all events published so far are counted."""
        self.dashboard.publish(ses.a_send(f"{self.campaign}-2", campaign=self.campaign))
        with self.dashboard.client() as client:
            own, forged = campaign_topic(self.campaign), campaign_topic(self.forged)
            client.subscribe(own)
            client.wait_for(own, lambda known: known.counts["sends"] == 2, 60)
            return not client.snapshot(forged).counts["sends"] and self._state() == self._before

    def _state(self):
        stacks = self.dashboard.aws("cloudformation").list_stacks()["StackSummaries"]
        return (
            sorted((one["StackName"], one["StackStatus"]) for one in stacks),
            sorted(self.dashboard.aws("sns").list_topics()["Topics"], key=str),
            sorted(self.dashboard.aws("dynamodb").list_tables()["TableNames"]),
            self._s3.get_object(Bucket=self._bucket, Key="index.html")["Body"].read() == self._page,
        )


@pytest.fixture
def target(dashboard):
    return Target(dashboard)


@pytest.fixture
def page(browser):
    context = browser.new_context()
    yield context.new_page()
    context.close()


class Sent:
    """Counts a page's requests to the target by their response status."""

    def __init__(self, page, endpoint: str) -> None:
        self.number = 0
        self.statuses: set[int] = set()
        self._port = urlsplit(endpoint).port
        page.on("request", self._sent)
        page.on("response", self._answered)

    def _sent(self, request) -> None:
        self.number += urlsplit(request.url).port == self._port

    def _answered(self, response) -> None:
        if urlsplit(response.url).port == self._port:
            self.statuses.add(response.status)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "evil.localhost", "evil.example"])
@pytest.mark.parametrize("sandboxed", [False, True])
def test_a_page_of_another_origin_changes_and_reads_nothing(page, target, host, port, sandboxed):
    page.goto(f"http://{host}:{port}/")
    sent = Sent(page, target.endpoint)

    succeeded = page.frames[int(sandboxed)].evaluate(ATTACK, target.arguments())

    assert succeeded == []
    assert sent.number >= REQUESTS
    assert sent.statuses == {403}
    assert target.is_unharmed()


def test_a_page_that_uses_dns_rebinding_changes_and_reads_nothing(page, target):
    port = urlsplit(target.endpoint).port
    own = f"http://rebound.example:{port}"
    # In an attack, a page already has this origin when its name is rebound to this host. Here, the
    # response that refuses the request is the page with that origin.
    page.goto(f"{own}/")
    sent = Sent(page, target.endpoint)

    arguments = json.loads(json.dumps(target.arguments()).replace(target.endpoint, own))
    arguments |= {
        "page": f"{own}/",
        "websocket": arguments["websocket"].replace("127.0.0.1", "rebound.example"),
    }
    succeeded = page.evaluate(ATTACK, arguments)

    # The page has the same origin, so it can read each refusal, but nothing else.
    assert {one.partition(": ")[2][:3] for one in succeeded} == {"403"}
    assert sent.number >= REQUESTS
    assert sent.statuses == {403}
    assert target.is_unharmed()


@pytest.mark.parametrize("host", ["127.0.0.1", "evil.example"])
def test_a_navigation_from_another_page_triggers_no_action(page, target, host, port):
    for query in target.arguments()["actions"]:
        page.goto(f"http://{host}:{port}/")
        with page.expect_navigation() as answer:
            page.evaluate("(url) => { location = url }", f"{target.endpoint}/x?{query}")
        assert answer.value.status == 403

    assert target.is_unharmed()


def test_a_url_typed_into_the_address_bar_triggers_no_action(page, target):
    for query in target.arguments()["actions"]:
        assert page.goto(f"{target.endpoint}/x?{query}").status == 403
        assert page.goto(f"{target.endpoint}/?{query}").status == 403

    assert target.is_unharmed()


def test_the_page_is_live_when_opened_by_another_name_of_this_host(page, dashboard):
    page.goto(dashboard.info["dashboard"].replace("127.0.0.1", "localhost") + "#/health")

    page.wait_for_selector(".status[data-state=live]")
    assert page.url == dashboard.info["dashboard"] + "#/health"
