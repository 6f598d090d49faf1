// Every page in both languages and both looks: it shows itself, keeps nobody out, and nothing moves.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";

import { ask, barriers, demo, open, settled } from "./browser.mjs";

const PAGES = {
  "/": { en: "Events", ko: "이벤트" },
  "/events/coffee-fair": { en: "커피 박람회", ko: "커피 박람회" },
  "/insights": { en: "Insights", ko: "인사이트" },
  "/sources": { en: "Sources", ko: "소스" },
  "/partners": { en: "Partners", ko: "파트너" },
  "/webhooks": { en: "Webhooks", ko: "웹훅" },
  "/dead-letters": { en: "Dead letters", ko: "처리 실패" },
  "/system": { en: "Health", ko: "시스템 상태" },
  "/nowhere": { en: "There is no page here", ko: "페이지를 찾을 수 없습니다" },
};

/** The sum of layout shifts up to which people see nothing move; the metric's own "good" is 0.1. */
const STILL = 0.02;

/** A dead letter, which a healthy demonstration has none of. */
const LETTER = {
  id: "one",
  topic: "event-data-updates",
  group: "analytics",
  key: "fair",
  eventId: "01a1ffca-1aa8-76ff-9f91-3e7c8ee09923",
  source: "tests",
  body: '{"data":{"nonsense":true}}',
  code: "invalid_argument",
  reason: "analytics.event.malformed",
  message: "reading an event: missing field `eventId`",
  attempts: 1,
  firstAt: "2026-01-01T00:00:00Z",
  lastAt: "2026-01-01T00:00:00Z",
  payloadHash: "",
  state: "parked",
};

describe("pages", () => {
  let platform;
  before(async () => {
    platform = await demo();
    const wish = { name: "한빛 라디오", tier: "partner", events: ["*"] };
    const key = await ask(platform, "POST", "/api/operator/keys", wish);
    // Nobody listens there: attempts fail, and the log shows them.
    await ask(platform, "POST", "/api/partner/webhooks", { url: "http://127.0.0.1:9/hook" }, key.text);
  });

  for (const language of ["en", "ko"]) {
    for (const [path, titles] of Object.entries(PAGES)) {
      test(`${path} in ${language} keeps nobody out in light and dark`, async () => {
        const { page, errors, close } = await open({ language });
        await page.route("**/api/operator/dead", (route) => route.fulfill({ json: { letters: [LETTER] } }));
        // An address that is no page is answered by the server; the page's own word for it needs a way there.
        await page.goto(platform.url + (path === "/nowhere" ? "/events/x" : path));
        if (path === "/nowhere") await page.evaluate(() => history.pushState(null, "", "/nowhere"));
        await settled(page);
        await page.locator("main h1", { hasText: titles[language] }).waitFor();
        assert.equal(await page.evaluate(() => document.documentElement.lang), language);
        assert.match(await page.title(), new RegExp(titles[language]));
        for (const scheme of ["light", "dark"]) {
          await page.emulateMedia({ colorScheme: scheme });
          await page.locator(`html[data-${scheme}]`).waitFor();
          assert.deepEqual(await barriers(page), [], scheme);
        }
        const shifted = await page.evaluate(() => window.shifted);
        assert.ok(shifted < STILL, `${path} moved by ${shifted}`);
        assert.deepEqual(errors, []);
        await close();
      });
    }
  }

  for (const [language, why] of Object.entries({ en: "Reading the source fails", ko: "소스를 읽지 못하고 있습니다" })) {
    test(`a stale event and its alerts are said in words in ${language}`, async () => {
      const { page, errors, close } = await open({ language });
      const { events } = await ask(platform, "GET", "/api/events");
      const alert = { kind: "capacity.90", severity: "critical", message: "90 % of what it holds" };
      const stale = { ...events[0], freshness: "stale", ageSeconds: 4_020, alerts: [alert] };
      const body = `event: states\ndata: ${JSON.stringify({ events: [stale, ...events.slice(1)] })}\n\n`;
      await page.route("**/api/events/stream", (route) => route.fulfill({ contentType: "text/event-stream", body }));
      const source = { eventId: stale.eventId, lastError: "connecting to the source timed out" };
      await page.route("**/api/operator/sources", (route) => route.fulfill({ json: { sources: [source] } }));
      await page.goto(platform.url);
      await page.getByText(`${why}: connecting to the source timed out`).waitFor();
      await page.getByText("90 % of what it holds").waitFor();
      if (language === "ko") await page.getByText("수용 인원의 90%에 도달했습니다").waitFor();
      for (const scheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme: scheme });
        await page.locator(`html[data-${scheme}]`).waitFor();
        assert.deepEqual(await barriers(page), [], scheme);
      }
      assert.deepEqual(errors, []);
      await close();
    });
  }

  test("files travel compressed and stay with the browser", async () => {
    const [file] = /assets\/index-[^"]+\.js/.exec(await (await fetch(platform.url)).text());
    const answer = await fetch(`${platform.url}/${file}`);
    assert.equal(answer.headers.get("content-encoding"), "gzip");
    assert.match(answer.headers.get("cache-control"), /immutable/);
    assert.ok((await answer.text()).length > 100_000, "it is the whole file");
  });

  test("a narrow window shows every page without scrolling sideways", async () => {
    const { page, close } = await open({ width: 390 });
    for (const path of Object.keys(PAGES).filter((path) => path !== "/nowhere")) {
      await page.goto(platform.url + path);
      await settled(page);
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.equal(wider, 0, `${path} is wider than the window`);
    }
    assert.deepEqual(await barriers(page), []);
    await close();
  });
});
