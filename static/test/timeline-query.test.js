import assert from "node:assert/strict";
import { test } from "node:test";
import { COUNTERS, DEFAULTS, parseView, queryOf } from "../src/timeline-query.js";

const AT = Date.UTC(2026, 10, 23, 10) / 1000;
const EVERYTHING = /** @type {import("../src/timeline-query.js").View} */ ({
  age: "human_clicks", grain: "hour", zoom: [AT, AT + 6 * 3600], hidden: ["deliveries", "opens"],
});

test("the timeline as it is first shown has no parameters", () => {
  assert.equal(queryOf(DEFAULTS), "");
  assert.deepEqual(parseView(""), { view: DEFAULTS, problems: [] });
});

test("a URL holds the age, the interval, the zoom and the hidden counters, and restores them", () => {
  const query = "age=human_clicks&grain=hour&from=2026-11-23T10:00Z&to=2026-11-23T16:00Z&hide=deliveries,opens";

  assert.equal(queryOf(EVERYTHING), query);
  assert.deepEqual(parseView(query), { view: EVERYTHING, problems: [] });
});

for (const name of /** @type {(keyof typeof EVERYTHING)[]} */ (Object.keys(EVERYTHING))) {
  test(`a URL holds the timeline's ${name} alone, without the defaults of the others`, () => {
    const view = { ...DEFAULTS, [name]: EVERYTHING[name] };

    assert.deepEqual(parseView(queryOf(view)), { view, problems: [] });
  });
}

test("counters are in the order of the charts, however they were hidden", () => {
  assert.equal(queryOf({ ...DEFAULTS, hidden: [...COUNTERS].reverse() }), `hide=${COUNTERS.join()}`);
});

test("a browser that encodes commas and colons changes nothing", () => {
  assert.deepEqual(parseView(String(new URLSearchParams(queryOf(EVERYTHING)))).view, EVERYTHING);
});

const TEN = "2026-11-23T10:00Z";
const BAD = [
  ["age=days", "timeline.bad_age"], ["grain=week", "timeline.bad_grain"], ["hide=opens,secrets", "timeline.bad_hide"],
  ["hide=", "timeline.bad_hide"], ["hide=constructor", "timeline.bad_hide"], ["colour=red", "timeline.bad_unknown"],
  ["grain=day&grain=hour", "timeline.bad_repeated"],
  [`from=${TEN}`, "timeline.bad_range"], [`to=${TEN}`, "timeline.bad_range"],
  [`from=${TEN}&to=${TEN}`, "timeline.bad_range"], [`from=${TEN}&to=2026-11-23T09:00Z`, "timeline.bad_range"],
];
for (const [text, problem] of BAD) {
  test(`${text} in a URL is a problem, and does not zoom or hide`, () => {
    const { view: { grain: _, ...view }, problems } = parseView(String(text));

    assert.deepEqual({ ...view, grain: null }, DEFAULTS);
    assert.deepEqual(problems.map((one) => one.text), [problem]);
  });
}

for (const value of ["yesterday", "2026-02-30T10:00Z", "2026-11-23T10:00:00Z", "2026-11-23T10:00", "2026-11-23", "+275760-09-13T00:01Z", ""]) {
  test(`${value || "an empty text"} is no beginning of a zoom`, () => {
    const { view, problems } = parseView(`from=${encodeURIComponent(value)}&to=2026-11-24T00:00Z`);

    assert.equal(view.zoom, null);
    assert.deepEqual(problems.map((one) => one.text), ["timeline.bad_from", "timeline.bad_range"]);
  });
}

test("a valid parameter of the timeline works beside an invalid one", () => {
  assert.deepEqual(parseView("hide=opens&grain=week").view, { ...DEFAULTS, hidden: ["opens"] });
});
