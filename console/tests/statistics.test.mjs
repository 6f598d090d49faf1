// How conversations went, drawn by day: the bars, their words in two languages, and the same as a table.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";

import { ask, barriers, open, settled, up } from "./browser.mjs";

describe("statistics", () => {
  let platform;
  before(async () => {
    platform = await up(["voice"]);
  });

  for (const [language, said] of Object.entries({
    en: {
      label: "Turns of the last 7 days by what became of them: 1,013 together",
      longer: "Turns of the last 30 days by what became of them: 1,018 together",
      legend: ["Answered", "Not understood", "Unknown person"],
      head: ["Day", "Answered", "Not understood", "Unknown person", "Together"],
      first: ["15 May 2026", "0", "0", "0", "0"],
      latest: ["21 May 2026", "1,005", "2", "1", "1,008"],
      ticks: ["15 May", "16 May", "17 May", "18 May", "19 May", "20 May", "21 May"],
      narrow: ["15 May", "18 May", "21 May"],
      intents: ["What was meant in these days", "Intent", "Turns", "Share"],
      meant: [["time.query", "1,006", "99%"], ["weather.query", "5", "0%"], ["Not understood", "2", "0%"]],
      people: ["Who has spoken", "Person", "Turns", "Share"],
      spoke: [["kim", "1,500", "75%"], ["device:hall", "500", "25%"]],
      last: ["time.query", "Not understood"],
      range: "30 days",
      table: "Show as table",
      nothing: "Nobody said anything in these days.",
    },
    ko: {
      label: "최근 7일 동안의 결과별 대화 수: 모두 1,013건",
      longer: "최근 30일 동안의 결과별 대화 수: 모두 1,018건",
      legend: ["답변함", "이해하지 못함", "등록되지 않은 사람"],
      head: ["날짜", "답변함", "이해하지 못함", "등록되지 않은 사람", "합계"],
      first: ["2026년 5월 15일", "0", "0", "0", "0"],
      latest: ["2026년 5월 21일", "1,005", "2", "1", "1,008"],
      ticks: ["5월 15일", "5월 16일", "5월 17일", "5월 18일", "5월 19일", "5월 20일", "5월 21일"],
      narrow: ["5월 15일", "5월 18일", "5월 21일"],
      intents: ["이 기간의 의도별 대화", "의도", "대화 수", "비율"],
      meant: [["time.query", "1,006", "99%"], ["weather.query", "5", "0%"], ["이해하지 못함", "2", "0%"]],
      people: ["사람별 대화", "사람", "대화 수", "비율"],
      spoke: [["kim", "1,500", "75%"], ["device:hall", "500", "25%"]],
      last: ["time.query", "이해하지 못함"],
      range: "30일",
      table: "표로 보기",
      nothing: "이 기간에는 대화가 없었습니다.",
    },
  })) {
    test(`turns are drawn by day, in pieces by what became of them, in ${language}, in light and dark, wide and narrow`, async () => {
      const { page, errors, close } = await open({ language });
      const tally = (day, intent, outcome, turns) => ({ day, intent, outcome, turns });
      // Of a platform for which another day has begun than for the browser.
      let tallies = [
        tally("2026-05-21", "time.query", "answered", 1_000),
        tally("2026-05-21", "weather.query", "answered", 5),
        tally("2026-05-21", "unknown", "not_understood", 2),
        tally("2026-05-21", "time.query", "user_not_found", 1),
        tally("2026-05-18", "time.query", "answered", 5),
        tally("2026-05-01", "time.query", "answered", 5),
      ];
      const at = new Date(Date.now() - 60_000).toISOString();
      const people = [
        { userId: "device:hall", turns: 500, at, intent: "unknown" },
        { userId: "kim", turns: 1_500, at, intent: "time.query" },
      ];
      const asked = [];
      await page.route("**/api/operator/voice/statistics?*", (route) => {
        asked.push(new URL(route.request().url()).searchParams.get("days"));
        return route.fulfill({ json: { today: "2026-05-21", tallies, people: tallies.length > 0 ? people : [] } });
      });
      await page.goto(`${platform.url}/voice`);
      await settled(page, "here");
      const figure = page.getByRole("figure", { name: said.label });
      const texts = (selector) => figure.locator(selector).allTextContents();
      // The first day has no turn, and its bars no height.
      await figure.locator("svg .MuiBarChart-element").first().waitFor({ state: "attached" });
      assert.deepEqual(await texts(".MuiChartsLegend-label"), said.legend, "what did not happen has no place");
      assert.deepEqual((await texts("svg text")).filter((text) => /May|월/.test(text)), said.ticks);
      // A piece stands on the one below it, and is as high as what it counts.
      const height = async (place) => {
        const pieces = figure.locator(`svg .MuiBarChart-series >> nth=${place}`).locator(".MuiBarChart-element");
        return Promise.all((await pieces.all()).map(async (piece) => (await piece.boundingBox())?.height ?? 0));
      };
      const answered = await height(0);
      const tallest = Math.max(...answered);
      assert.ok(tallest > 100 && answered.filter((one) => one === tallest).length === 1, `${answered}`);
      // What was meant and who spoke, the most first; what was meant belongs to the days that are shown.
      const rows = async ([title]) => {
        const all = await page.getByRole("region", { name: title }).getByRole("row").all();
        return Promise.all(all.map((row) => row.locator("th code, th, td").allTextContents()));
      };
      const [heads, ...meant] = await rows(said.intents);
      assert.deepEqual(heads, said.intents.slice(1));
      const without = (all, place) => all.filter((_, i) => i !== place);
      assert.deepEqual(meant.map((cells) => (cells.length > 3 ? without(cells, 0) : cells)), said.meant);
      const [people_heads, ...spoke] = await rows(said.people);
      assert.deepEqual(people_heads, said.people.slice(1));
      assert.deepEqual(spoke.map((cells) => without(cells, 0)), said.spoke);
      spoke.forEach(([whole], place) => assert.ok(whole.endsWith(said.last[place]), `${whole}`));
      const shifted = await page.evaluate(() => window.shifted);
      assert.ok(shifted < 0.02, `the page moved by ${shifted}`);
      for (const width of [1280, 400]) {
        await page.setViewportSize({ width, height: 800 });
        for (const scheme of ["light", "dark"]) {
          await page.emulateMedia({ colorScheme: scheme });
          await page.locator(`html[data-${scheme}]`).waitFor();
          assert.deepEqual(await barriers(page), [], `${scheme}, ${width} wide`);
        }
      }
      const isNarrow = (ticks) => {
        const shown = [...document.querySelectorAll("figure svg text")].map((text) => text.textContent);
        return JSON.stringify(shown.filter((text) => /May|월/.test(text))) === JSON.stringify(ticks);
      };
      await page.waitForFunction(isNarrow, said.narrow);
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.equal(wider, 0, "the chart fits a narrow window");
      await figure.getByRole("button", { name: said.table }).press("Enter");
      const row = async (place) => (await figure.locator(`tr >> nth=${place}`).locator("th, td").allTextContents()).map((text) => text.replaceAll("\u00a0", " "));
      assert.deepEqual(await row(0), said.head);
      assert.deepEqual(await row(1), said.first, "a day without a turn is a day");
      assert.deepEqual(await row(7), said.latest);
      await page.getByRole("button", { name: said.range }).click();
      await page.getByRole("figure", { name: said.longer }).waitFor();
      assert.deepEqual([...new Set(asked)], ["7", "30"]);
      tallies = [];
      await page.reload();
      await page.getByText(said.nothing).waitFor();
      assert.deepEqual(errors, []);
      await close();
    });
  }

  test("turns that were just said are drawn", async () => {
    const { page, close } = await open();
    const turn = { deviceId: "hall", text: "what time is it", language: "en" };
    await ask(platform, "POST", "/api/v2/dialog/text", turn);
    await page.goto(`${platform.url}/voice`);
    await page.getByRole("figure", { name: "Turns of the last 7 days by what became of them: 1 together" }).waitFor();
    await close();
  });
});
