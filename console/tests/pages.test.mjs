// Every page in both languages and both looks: it shows itself, keeps nobody out, and nothing moves.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";

import { ask, barriers, demo, open, settled } from "./browser.mjs";

const PAGES = {
  "/": { en: "Events", ko: "이벤트" },
  "/events/coffee-fair": { en: "커피 박람회", ko: "커피 박람회" },
  "/insights": { en: "Insights", ko: "인사이트" },
  "/voice": { en: "Voice", ko: "음성" },
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
        await page.waitForFunction((title) => document.title.includes(title), titles[language]);
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
      const since = new Date(Date.now() - 600_000).toISOString();
      const alert = { kind: "capacity.90", severity: "critical", message: "90 % of what it holds", since };
      const stale = { ...events[0], freshness: "stale", ageSeconds: 4_020, alerts: [alert] };
      const body = `event: states\ndata: ${JSON.stringify({ events: [stale, ...events.slice(1)] })}\n\n`;
      await page.route("**/api/events/stream", (route) => route.fulfill({ contentType: "text/event-stream", body }));
      const source = { eventId: stale.eventId, lastError: "connecting to the source timed out" };
      await page.route("**/api/operator/sources", (route) => route.fulfill({ json: { sources: [source] } }));
      await page.goto(platform.url);
      await page.getByText(`${why}: connecting to the source timed out`).waitFor();
      const row = page.getByRole("region", { name: language === "ko" ? "이벤트" : "Events", exact: true });
      await row.getByText("90 % of what it holds").waitFor();
      // Until it is shown a minute may pass.
      await row.getByText(language === "ko" ? /1[0-4]분 전부터/ : /since 1[0-4] min ago/).waitFor();
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

  for (const [language, said] of Object.entries({
    en: {
      compare: "People inside, people who came",
      line: "The alerts that stand",
      silent: "gate 북문 has not scanned for 12 minutes",
      why: "nobody answers there",
      few: "20 hours of history are too few",
      since: "since 2 h ago",
      table: "Show as table",
    },
    ko: {
      compare: "이벤트별 현재 입장객",
      line: "지금 유효한 알림과",
      silent: "북문 게이트는 12분째 스캔이 없습니다",
      why: "연결할 수 없습니다",
      few: "48시간의 기록이 필요한데 아직 20시간뿐입니다",
      since: "2시간 전부터",
      table: "표로 보기",
    },
  })) {
    test(`events side by side and alerts over time move with the stream and are said in ${language}`, async () => {
      const { page, errors, close } = await open({ language });
      const { events } = await ask(platform, "GET", "/api/events");
      const since = new Date(Date.now() - 7_200_000).toISOString();
      const values = { gate: "북문", minutes: 12, missing: 30 };
      const silent = { kind: "gate.silent", severity: "warning", message: "English", since, wording: { code: "gate.silent", values } };
      const strange = { kind: "source.alert", severity: "info", message: "a sentence of the source", wording: { code: "of.tomorrow" } };
      let inside = 4_321;
      const picture = () => {
        const metrics = { ...events[0].metrics, currentAttendees: inside };
        const first = { ...events[0], metrics, freshness: "stale", ageSeconds: 4_020, alerts: [silent, strange] };
        return `event: states\ndata: ${JSON.stringify({ events: [first, ...events.slice(1)] })}\n\n`;
      };
      // Each answer is one picture; the page then asks again, as after any stream that ended.
      await page.route("**/api/events/stream", (route) => route.fulfill({ contentType: "text/event-stream", body: picture() }));
      const source = { eventId: events[0].eventId, lastError: "English", lastErrorWording: { code: "source.unreachable" } };
      await page.route("**/api/operator/sources", (route) => route.fulfill({ json: { sources: [source] } }));
      const refused = { eventId: events[0].eventId, step: "hour", refused: "English", refusedWording: { code: "forecast.too_few_hours", values: { has: 20, needed: 48 } }, level: 0.9, score: { steps: 0, within: 0, absoluteError: 0, actual: 0 }, points: [] };
      await page.route("**/forecast?step=hour", (route) => route.fulfill({ json: refused }));
      await page.goto(platform.url);
      const compared = page.getByRole("figure", { name: said.compare });
      await compared.getByRole("button", { name: said.table }).press("Enter");
      await compared.getByRole("cell", { name: "4,321" }).waitFor();
      inside = 5_432;
      await compared.getByRole("cell", { name: "5,432" }).waitFor();
      const line = page.getByRole("figure", { name: said.line });
      await line.getByText(said.silent).waitFor();
      await line.getByText(said.since).waitFor();
      await line.getByText("a sentence of the source").waitFor();
      await page.getByText(said.why).waitFor();
      assert.equal(await page.getByText("English", { exact: true }).count(), 0, "what has a code is said in words of its language");
      for (const scheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme: scheme });
        await page.locator(`html[data-${scheme}]`).waitFor();
        assert.deepEqual(await barriers(page), [], scheme);
      }
      await line.getByRole("button", { name: said.table }).press("Enter");
      await line.getByRole("cell", { name: said.silent }).waitFor();
      const shifted = await page.evaluate(() => window.shifted);
      assert.ok(shifted < STILL, `the page moved by ${shifted}`);
      await page.goto(`${platform.url}/events/${events[0].eventId}`);
      await page.getByText(said.few).waitFor();
      assert.deepEqual(errors, []);
      await close();
    });
  }

  for (const [language, said] of Object.entries({
    en: { ask: "Ask", cost: "privacy budget", pattern: "When they enter", hour: "0–1 h in", hidden: "1 group is left out", left: "budget: 19 of 20 left", usedUp: "is used up" },
    ko: { ask: "조회", cost: "개인정보 보호 예산", pattern: "입장 시점", hour: "시작 후 0~1시간", hidden: "1개 집단 숨김", left: "예산: 20 중 19 남음", usedUp: "모두 사용했습니다" },
  })) {
    test(`what visitors do is asked for by a person, and told with what it cost, in ${language}`, async () => {
      const { page, errors, close } = await open({ language });
      let asked = 0;
      const pattern = { cells: [{ label: "-1", people: 60 }, { label: "0", people: 90 }, { label: "1" }], hidden: 1 };
      const nothing = { cells: [{ label: "0" }, { label: "5+" }], hidden: 2 };
      const told = { eventId: "coffee-fair", until: "2026-05-02T03:00:00Z", entryPattern: pattern, stay: nothing, engagement: nothing, dropOff: pattern, people: 150, k: 5, l: 2, epsilon: 1, remembered: false, budget: { limit: 20, left: 19, refillsAt: "2026-06-01T00:00:00Z" } };
      const refusal = { status: 429, contentType: "application/problem+json", body: JSON.stringify({ status: 429, reason: "analytics.privacy.used_up", detail: "used up" }) };
      await page.route("**/api/insights/*/behaviour", (route) => route.fulfill((asked += 1) === 1 ? { json: told } : refusal));
      await page.goto(`${platform.url}/events/coffee-fair`);
      await settled(page);
      await page.getByText(said.cost).waitFor();
      assert.equal(asked, 0, "nothing is spent by looking at the page");
      await page.getByRole("button", { name: said.ask, exact: true }).press("Enter");
      await page.getByRole("figure", { name: said.pattern }).waitFor();
      await page.getByText(said.hidden).first().waitFor();
      await page.getByText(said.left).waitFor();
      const figure = page.getByRole("figure", { name: said.pattern });
      await figure.getByRole("button").click();
      await figure.getByRole("rowheader", { name: said.hour }).waitFor();
      for (const scheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme: scheme });
        await page.locator(`html[data-${scheme}]`).waitFor();
        assert.deepEqual(await barriers(page), [], scheme);
      }
      await page.getByRole("button", { name: language === "en" ? "Ask again" : "다시 조회" }).click();
      await page.getByText(said.usedUp).waitFor();
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

  test("a narrow window shows all of the table of devices, and commands as something to type", async () => {
    const { page, errors, close } = await open({ width: 390 });
    await page.goto(`${platform.url}/voice`);
    await settled(page);
    const panel = page.locator("section", { has: page.getByRole("heading", { name: "Devices", exact: true }) });
    assert.deepEqual(await panel.locator("code").allInnerTexts(), ["ieum device add", "ieum device run"]);
    assert.ok(!(await panel.innerText()).includes("`"), "no mark of ours is left in it");
    const device = { deviceId: "living-room-lamp-and-speaker", connected: false, lastSeenAt: new Date(Date.now() - 3_600_000).toISOString(), waiting: 1_234, hasSecret: false };
    await page.route("**/api/operator/voice/devices", (route) => route.fulfill({ json: { devices: [device] } }));
    await page.reload();
    const table = page.getByRole("region", { name: "Devices", exact: true }).and(page.locator("[tabindex='0']"));
    await table.getByRole("cell", { name: "1,234" }).waitFor();
    const wider = await table.evaluate((element) => element.scrollWidth - element.clientWidth);
    assert.equal(wider, 0, "the number of messages that wait is in sight");
    assert.deepEqual(await barriers(page), []);
    assert.deepEqual(errors, []);
    await close();
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
