// The console in use: figures that move by themselves, the keyboard alone, and what people do with it.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";

import { ask, barriers, demo, dismiss, focused, open, settled } from "./browser.mjs";

describe("use", () => {
  let platform;
  before(async () => {
    platform = await demo();
  });

  test("figures, lines and the announcement move without a reload", async () => {
    const { page, close } = await open();
    await page.goto(platform.url);
    await settled(page);
    await page.evaluate(() => (window.isSame = true));
    const inside = page.locator("[data-event=coffee-fair] [data-figure=inside]");
    const first = await inside.textContent();
    await page.waitForFunction(
      (before) => document.querySelector("[data-event=coffee-fair] [data-figure=inside]").textContent !== before,
      first,
    );
    await page.locator("[data-announcer]", { hasText: /people inside, 3 events/ }).waitFor({ state: "attached" });
    await page.getByRole("link", { name: "커피 박람회" }).click();
    const line = page.locator("figure path[class*='ine']").first();
    await line.waitFor({ state: "attached" });
    const drawn = await line.getAttribute("d");
    await page.waitForFunction(
      (before) => document.querySelector("figure path[class*='ine']").getAttribute("d") !== before,
      drawn,
    );
    assert.equal(await page.evaluate(() => window.isSame), true, "the page was not loaded anew");
    const spoken = await page.evaluate(() => window.shifted);
    assert.ok(spoken < 0.02, `moving figures moved the page by ${spoken}`);
    await close();
  });

  test("the keyboard alone reaches the content, every page, and a chart's table", async () => {
    const { page, close } = await open();
    await page.goto(platform.url);
    await settled(page);
    await page.keyboard.press("Tab");
    await focused(page.getByRole("link", { name: "Skip to the content" }));
    await page.keyboard.press("Enter");
    await focused(page.locator("#content"));
    await page.getByRole("navigation").getByRole("link").first().focus();
    for (const name of ["Insights", "Voice", "Sources", "Partners", "Webhooks", "Dead letters", "Health"]) {
      await page.keyboard.press("Tab");
      await focused(page.getByRole("navigation").getByRole("link", { name, exact: true }));
    }
    await page.keyboard.press("Enter");
    // The heading has the focus, so that it is read.
    await focused(page.locator("main h1", { hasText: "Health" }));
    await page.locator("nav [aria-current=page]", { hasText: "Health" }).waitFor();
    await page.goto(`${platform.url}/events/coffee-fair`);
    await settled(page);
    const button = page.getByRole("button", { name: "Show as table" }).first();
    await button.focus();
    await page.keyboard.press("Enter");
    await page.locator("figure table tbody tr").first().waitFor();
    assert.deepEqual(await barriers(page), []);
    await close();
  });

  test("a person is registered, types a turn, and sees what was understood and how long it took", async () => {
    const { page, close } = await open();
    await page.goto(`${platform.url}/voice`);
    await settled(page);
    const say = async (words) => {
      await page.getByLabel("What to say").fill(words);
      await page.keyboard.press("Enter");
    };
    const log = page.getByRole("log", { name: "Conversation" });
    await say("what time is it");
    await log.getByText("Unknown person").waitFor();
    await page.getByRole("button", { name: "Register console and ask again" }).click();
    await log.getByText("Unknown person").waitFor({ state: "detached" });
    await log.getByText("time.query").waitFor();
    await log.getByRole("img", { name: /understood [\d.,]+ ms, answered [\d.,]+ ms/ }).waitFor();
    await say("타이머 맞춰 줘");
    await log.getByText("몇 분으로 맞출까요?").waitFor();
    await log.getByText("Asked back").waitFor();
    await say("5분");
    await log.getByText("5분 타이머를 시작했어요.").waitFor();
    // What rings is told here, where it was set.
    await say("1초 타이머");
    await log.getByText("1초 타이머가 끝났어요.").waitFor();
    await log.getByText("timer.rang").waitFor();
    // The same turns as the platform keeps them, by their session.
    const session = page.locator("[data-session='user:console']");
    await session.getByText("what time is it").first().waitFor();
    await session.getByRole("img", { name: /understood [\d.,]+ ms, answered [\d.,]+ ms/ }).first().waitFor();
    // One of them is replayed, by keyboard, within what was asked before it; nothing comes of it.
    const kept = async () => (await ask(platform, "GET", "/api/operator/voice/turns")).turns.map(({ id }) => id);
    const before = await kept();
    const replay = session.getByRole("button", { name: "Replay: 5분", exact: true });
    await replay.focus();
    await page.keyboard.press("Enter");
    const replayed = session.getByRole("group", { name: "Replay of “5분”" });
    await replayed.getByText("5분 타이머를 시작했어요.").waitFor();
    await replayed.getByText("The same today.").waitFor();
    await replayed.getByText(/^would happen besides: timer · /).waitFor();
    await focused(replay);
    assert.deepEqual(await kept(), before, "it is no turn");
    assert.deepEqual(await barriers(page), []);
    await page.route("**/api/v2/dialog/text", (route) =>
      route.fulfill({ status: 503, json: { code: "unavailable", detail: "the store is away" } }),
    );
    await say("again");
    await log.getByText("the store is away").waitFor();
    await close();
  });

  for (const [language, said] of Object.entries({
    en: {
      connected: "Connected", away: "Away", never: "never heard of", more: "and 1 earlier turn",
      taken: "heard “지금 몇 시냐 1”, taken as “지금 몇 시야? 1”", measured: "measured 0 s ago",
      values: ["temperature21.55", "air.co21,204", "lightson", "windowno"],
      replay: "Replay: 지금 몇 시야? 2", replayed: "Replay of “지금 몇 시야? 2”",
      differs: "Different today: what is meant, the answer, what happens besides.", effects: /^would happen besides: alarm · 약 · /,
      without: /^Replayed without what the session was about before/, gone: "This does not exist, or no longer.",
    },
    ko: {
      connected: "연결됨", away: "연결 안 됨", never: "연락된 적 없음", more: "이전 대화 1건 더",
      taken: "들린 말 “지금 몇 시냐 1”, 이해한 말 “지금 몇 시야? 1”", measured: "0초 전 측정됨",
      values: ["temperature21.55", "air.co21,204", "lightson", "window아니요"],
      replay: "다시 돌려 보기: 지금 몇 시야? 2", replayed: "“지금 몇 시야? 2” 다시 돌려 본 결과",
      differs: "지금은 다릅니다: 의도, 답변, 함께 하는 일.", effects: /^함께 할 일: 알람 · 약 · /,
      without: /^이 대화 직전의 맥락은 남아 있지 않아/, gone: "존재하지 않거나 삭제되었습니다.",
    },
  })) {
    test(`devices and sessions are shown in ${language}, each turn with its stages, in light and dark`, async () => {
      const { page, errors, close } = await open({ language });
      // Of a clock ahead of the browser's, so that nothing is older than now.
      const now = new Date(Date.now() + 3_600_000).toISOString();
      const data = { temperature: 21.55, air: { co2: 1204 }, lights: "on", window: false };
      const devices = [
        { deviceId: "kitchen", connected: true, lastSeenAt: now, waiting: 0, hasSecret: true, measured: { at: now, data } },
        { deviceId: "hall", connected: false, waiting: 3, hasSecret: false },
      ];
      const stages = [{ stage: "understood", ms: 1.5 }, { stage: "answered", ms: 0.5 }];
      const turn = (number) => ({
        id: String(number),
        at: now,
        deviceId: "kitchen",
        said: `지금 몇 시야? ${number}`,
        answer: {
          turnId: String(number), sessionId: "device:kitchen", userId: "lee", text: "오후 세 시예요.", language: "ko",
          intent: "time.query", confidence: 1, slots: {}, outcome: "answered", stages,
          ...(number === 1 && { heard: "지금 몇 시야? 1", firstHeard: "지금 몇 시냐 1" }),
        },
      });
      const again = {
        kept: { ...turn(2), effects: [] }, now, context: "unknown", meanings: [], differences: ["intent", "text", "effects"],
        answer: { ...turn(2).answer, intent: "alarm.set", text: "오전 7시에 알람을 맞췄어요." },
        effects: [{ effect: "schedule", kind: "alarm", at: now, label: "약" }],
      };
      const missing = { status: 404, json: { code: "not_found", reason: "voice.turn.unknown", detail: "none is kept" } };
      await page.route("**/api/operator/voice/turns/*/replay", (route) =>
        route.fulfill(route.request().method() === "POST" && route.request().url().includes("/turns/2/") ? { json: again } : missing),
      );
      await page.route("**/api/operator/voice/devices", (route) => route.fulfill({ json: { devices } }));
      await page.route("**/api/operator/voice/turns", (route) => route.fulfill({ json: { turns: [1, 2, 3, 4, 5, 6, 7].map(turn) } }));
      await page.goto(`${platform.url}/voice`);
      await settled(page);
      await page.locator("[data-device=kitchen]").getByText(said.connected, { exact: true }).waitFor();
      const hall = page.locator("[data-device=hall]");
      await hall.getByText(said.away, { exact: true }).waitFor();
      await hall.getByText(said.never).waitFor();
      const session = page.locator("[data-session='device:kitchen']");
      await session.getByText("지금 몇 시야? 1", { exact: true }).waitFor();
      await session.getByText(said.taken, { exact: true }).waitFor();
      const measured = page.locator("[data-measured=kitchen]");
      await measured.getByText(said.measured, { exact: true }).waitFor();
      assert.deepEqual(await measured.locator("dl > div").evaluateAll((all) => all.map((one) => one.textContent)), said.values);
      assert.equal(await page.locator("[data-measured=hall]").count(), 0, "it measured nothing");
      await session.getByText(said.more).waitFor();
      assert.ok((await page.evaluate(() => window.shifted)) < 0.02, "nothing moved");
      await session.getByRole("button", { name: said.replay, exact: true }).focus();
      await page.keyboard.press("Enter");
      const replayed = session.getByRole("group", { name: said.replayed, exact: true });
      await replayed.getByText(said.differs, { exact: true }).waitFor();
      await replayed.getByText("오전 7시에 알람을 맞췄어요.", { exact: true }).waitFor();
      await replayed.getByText(said.effects).waitFor();
      await replayed.getByText(said.without).waitFor();
      await session.getByRole("button", { name: said.replay.replace("2", "3"), exact: true }).click();
      await session.getByText(said.gone, { exact: true }).waitFor();
      for (const scheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme: scheme });
        await page.locator(`html[data-${scheme}]`).waitFor();
        assert.deepEqual(await barriers(page), [], scheme);
      }
      const beside = { was: await session.getByText("오후 세 시예요.").nth(1).boundingBox(), is: await replayed.boundingBox() };
      assert.ok(beside.is.x > beside.was.x + beside.was.width, "what is stands beside what was");
      await page.setViewportSize({ width: 390, height: 800 });
      await page.waitForFunction(() => document.documentElement.scrollWidth <= window.innerWidth);
      const { x, width } = await measured.locator("dl").boundingBox();
      assert.ok(x >= 0 && x + width <= 390, "what was measured is within it");
      const narrow = await replayed.boundingBox();
      assert.ok(narrow.x >= 0 && narrow.x + narrow.width <= 390 && narrow.x < beside.is.x, "a replay is below what was");
      assert.deepEqual(errors, []);
      await close();
    });
  }

  test("the language comes from the browser, is switched by keyboard, and is remembered", async () => {
    const { page, close } = await open({ language: "ko" });
    await page.goto(platform.url);
    await settled(page);
    assert.equal(await page.locator("main h1").textContent(), "이벤트");
    await page.getByRole("button", { name: /^언어/ }).focus();
    await page.keyboard.press("Enter");
    await focused(page.getByRole("menuitemradio", { name: "한국어" }));
    await page.keyboard.press("ArrowDown");
    await focused(page.getByRole("menuitemradio", { name: "English" }));
    await page.keyboard.press("Enter");
    await page.locator("main h1", { hasText: "Events" }).waitFor();
    await page.reload();
    await settled(page);
    assert.equal(await page.locator("main h1").textContent(), "Events");
    await page.getByRole("button", { name: /^Appearance/ }).click();
    await page.getByRole("menuitemradio", { name: "Dark" }).click();
    await page.locator("html[data-dark]").waitFor();
    await page.reload();
    await page.locator("html[data-dark]").waitFor();
    await close();
  });

  test("a source is checked, removed and connected again", async () => {
    const { sources } = await ask(platform, "GET", "/api/operator/sources");
    const source = sources.find(({ eventId }) => eventId === "rust-meetup");
    const { page, errors, close } = await open();
    await page.goto(`${platform.url}/sources`);
    await settled(page);
    await page.getByRole("button", { name: "Check: rust-meetup" }).click();
    await page.getByText("Every necessary check passed.").waitFor();
    assert.deepEqual(await barriers(page), []);
    await page.getByRole("button", { name: "Close" }).click();
    await page.getByRole("button", { name: "Remove: rust-meetup" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await page.locator("[data-source=rust-meetup]").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Connect a system" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Event id").fill("rust-meetup");
    await dialog.getByLabel("Address of the API").fill("http://127.0.0.1:9/api");
    await dialog.getByRole("button", { name: "Connect a system" }).click();
    await dialog.getByRole("alert").waitFor();
    assert.deepEqual(await barriers(page), []);
    await dialog.getByLabel("Address of the API").fill(source.api);
    await dialog.getByLabel("Health address").fill(source.api.replace(/\/api$/, "/health"));
    await dialog.getByLabel("Seconds between two reads").fill("1");
    await dialog.getByRole("button", { name: "Connect a system" }).click();
    await page.getByText("First read · done").waitFor();
    await page.getByRole("button", { name: "Close" }).click();
    await page.locator("[data-source=rust-meetup]").waitFor();
    assert.deepEqual(errors, []);
    await close();
  });

  test("a key is made, shown once, rotated and revoked by keyboard", async () => {
    const { page, errors, close } = await open();
    await page.goto(`${platform.url}/partners`);
    await settled(page);
    await page.getByRole("button", { name: "New key" }).focus();
    await page.keyboard.press("Enter");
    await focused(page.getByLabel("Partner"));
    await page.keyboard.type("City Transport");
    await page.keyboard.press("Enter");
    const text = await page.locator("[data-secret]").textContent();
    assert.match(text, /^ieum_partner_/);
    assert.deepEqual(await barriers(page), []);
    await dismiss(page);
    await page.locator("[data-secret]").waitFor({ state: "detached" });
    const seen = await ask(platform, "GET", "/api/partner/events", undefined, text);
    assert.equal(seen.events.length, 3, "the key works");
    await page.getByRole("button", { name: "Rotate: City Transport" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Rotate" }).click();
    assert.notEqual(await page.locator("[data-secret]").textContent(), text);
    await dismiss(page);
    await page.getByText(/The text before works until/).waitFor();
    await page.getByRole("button", { name: "Revoke: City Transport" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await page.locator("[data-key]", { hasText: "City Transport" }).getByText("Revoked").waitFor();
    await assert.rejects(ask(platform, "GET", "/api/partner/events", undefined, text), /401/);
    assert.deepEqual(errors, []);
    await close();
  });

  test("a device is given a secret, shown once, another beside it, and none", async () => {
    const { page, errors, close } = await open();
    await page.goto(`${platform.url}/voice`);
    await settled(page);
    await page.getByRole("button", { name: "Add a device" }).focus();
    await page.keyboard.press("Enter");
    await focused(page.getByLabel("Device id"));
    await page.keyboard.type("attic");
    await page.keyboard.press("Enter");
    const secret = async () => (await page.locator("[data-secret]").textContent());
    const first = await secret();
    assert.match(first, /^[\w-]{43}$/);
    await page.getByText("ieum device run --url mqtt://HOST:1883 --device attic --secret-file FILE").waitFor();
    assert.deepEqual(await barriers(page), []);
    await dismiss(page);
    await page.locator("[data-secret]").waitFor({ state: "detached" });
    const may = async (password) => {
      const authorization = `Basic ${Buffer.from(`attic:${password}`).toString("base64")}`;
      const body = JSON.stringify({ deviceId: "attic", text: "what time is it" });
      const headers = { authorization, "content-type": "application/json" };
      return (await fetch(`${platform.url}/api/v2/dialog/text`, { method: "POST", headers, body })).status;
    };
    assert.equal(await may(first), 200);
    // One that has a secret is not added again.
    await page.getByRole("button", { name: "Add a device" }).click();
    await page.getByLabel("Device id").fill("attic");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText(/^adding the device "attic": it has had a secret since/).waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("button", { name: "New secret: attic" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Make a secret" }).click();
    await page.getByText(/^The secret before stays valid until /).waitFor();
    const second = await secret();
    assert.deepEqual([await may(first), await may(second)], [200, 200]);
    await dismiss(page);
    await page.locator("[data-secret]").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Revoke: attic" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await page.getByRole("button", { name: "Revoke: attic" }).waitFor({ state: "detached" });
    await focused(page.getByRole("button", { name: "Add a device" }));
    assert.deepEqual([await may(first), await may(second)], [401, 401]);
    assert.deepEqual(errors, []);
    await close();
  });

  test("a delivery is shown with its body and answer, and sent again", async () => {
    const received = [];
    const receiver = createServer((request, response) => {
      received.push(request.headers["webhook-id"]);
      request.resume();
      response.writeHead(200).end("thank you");
    });
    await new Promise((resolve) => receiver.listen(0, "127.0.0.1", resolve));
    after(() => receiver.close());
    const wish = { name: "Radio", tier: "partner", events: ["*"] };
    const key = await ask(platform, "POST", "/api/operator/keys", wish);
    const url = `http://127.0.0.1:${receiver.address().port}/hook`;
    await ask(platform, "POST", "/api/partner/webhooks", { url }, key.text);
    const { page, errors, close } = await open();
    await page.goto(`${platform.url}/webhooks`);
    await settled(page);
    await page.getByRole("button", { name: url, exact: true }).click();
    await page.getByRole("button", { name: /^Show delivery/ }).first().click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText('"eventId"').waitFor();
    await dialog.getByText("thank you").waitFor();
    assert.deepEqual(await barriers(page), []);
    const id = await dialog.locator("dd code").first().textContent();
    await dialog.getByRole("button", { name: "Send again" }).click();
    await page.getByText("It is due again").waitFor();
    while (received.filter((one) => one === id).length < 2) await new Promise((resolve) => receiver.once("request", resolve));
    await dismiss(page);
    await page.getByRole("button", { name: `Disable: ${url}` }).click();
    await page.getByRole("button", { name: `Enable: ${url}` }).waitFor();
    assert.deepEqual(errors, []);
    await close();
  });

  test("a breaker is held open with a reason and released", async () => {
    const { page, errors, close } = await open();
    await page.goto(`${platform.url}/system`);
    await settled(page);
    const link = page.locator("[data-link='events.state']");
    const steer = async (order, reason) => {
      await page.getByRole("button", { name: "Steer the breaker of events.state" }).click();
      await page.getByRole("menuitem", { name: order }).click();
      const dialog = page.getByRole("dialog");
      if (reason) await dialog.getByLabel("Reason").fill(reason);
      await dialog.getByRole("button", { name: "Steer" }).click();
    };
    await steer(/^Hold open/, "an exercise");
    await link.getByText("Held open").waitFor();
    await link.getByText("an exercise").waitFor();
    await steer(/^Release/);
    await link.getByText("Held open").waitFor({ state: "detached" });
    await page.getByLabel("Id of a bus event").fill("nothing");
    await page.getByRole("button", { name: "Find" }).click();
    await page.getByText("Nobody here has seen it").waitFor();
    assert.deepEqual(errors, []);
    await close();
  });

  test("a plugin's process is shown with why it ended", async () => {
    const { page, errors, close } = await open();
    const counts = { calls: 3, inFlight: 0, failures: 1, rejected: {}, fallbacks: {}, retries: 0, instances: [] };
    const ended = "it was ended for its memory: it held 70 MiB and may hold 64 MiB";
    const process = { state: "waiting", restarts: 2, ended };
    const link = { name: "voice.plugin/coffee", to: "process:python3", wire: "process", fallback: "off", ...counts, process };
    await page.route("**/api/operator/links", (route) => route.fulfill({ json: { links: [link] } }));
    await page.goto(`${platform.url}/system`);
    await settled(page);
    const shown = page.locator("[data-link='voice.plugin/coffee']");
    await shown.getByText("Process ended, starts again").waitFor();
    await shown.getByText("started again 2 times").waitFor();
    await shown.getByText(ended).waitFor();
    assert.deepEqual(errors, []);
    await close();
  });
});
