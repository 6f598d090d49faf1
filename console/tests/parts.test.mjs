// A process that runs only some parts: the console shows what is there, says what is not, and is not signed out.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";

import { barriers, open, settled, up } from "./browser.mjs";

describe("a process that only voice runs in", () => {
  let platform;
  before(async () => {
    platform = await up(["voice"]);
  });

  for (const [language, said] of Object.entries({
    en: { voice: "Voice", pages: ["Voice", "Dead letters", "Health"], connected: "Connected", signIn: "Sign in", hint: "Run it with" },
    ko: { voice: "음성", pages: ["음성", "처리 실패", "시스템 상태"], connected: "연결됨", signIn: "로그인", hint: "실행하거나" },
  })) {
    test(`it opens with voice, offers only what runs here, and is connected, in ${language}`, async () => {
      const { page, errors, close } = await open({ language });
      const lost = [];
      page.on("response", (response) => response.status() === 404 && lost.push(response.url()));
      assert.equal(platform.page, `${platform.url}/voice`, "the address that is printed");
      await page.goto(platform.url);
      await page.getByRole("heading", { level: 1, name: said.voice }).waitFor();
      await settled(page, "here");
      assert.equal(new URL(page.url()).pathname, "/voice", "the first page is one that runs here");
      await page.getByText(said.connected, { exact: true }).waitFor();
      assert.equal(await page.getByRole("button", { name: said.signIn }).count(), 0, "nothing here needs a key");
      assert.deepEqual(await page.getByRole("navigation").getByRole("link").allInnerTexts(), said.pages);
      for (const name of said.pages) {
        await page.getByRole("link", { name }).click();
        await page.getByRole("heading", { level: 1, name }).waitFor();
        await settled(page, "here");
        assert.deepEqual(await page.locator("main .MuiAlert-root").allInnerTexts(), [], `${name} shows no error`);
        assert.deepEqual(await barriers(page), [], name);
      }
      assert.deepEqual(lost, [], "nothing is asked for that does not run here");
      assert.deepEqual(errors, []);
      await close();
    });

    test(`a page whose part does not run here says so in ${language}`, async () => {
      const { page, errors, close } = await open({ language });
      for (const [path, command] of Object.entries({
        "/events/coffee-fair": "ieum up events",
        "/insights": "ieum up events analytics",
        "/sources": "ieum up events",
        "/partners": "ieum up events partners",
        "/webhooks": "ieum up events partners",
      })) {
        await page.goto(platform.url + path);
        await settled(page, "here");
        const sentence = page.getByText(said.hint, { exact: false });
        await sentence.waitFor();
        assert.ok((await sentence.locator("code").allInnerTexts()).includes(command), path);
        for (const scheme of ["light", "dark"]) {
          await page.emulateMedia({ colorScheme: scheme });
          await page.locator(`html[data-${scheme}]`).waitFor();
          assert.deepEqual(await barriers(page), [], `${path} in ${scheme}`);
        }
      }
      assert.deepEqual(errors, []);
      await close();
    });
  }

  test("from elsewhere it asks for a key, and a platform that ends is told", async () => {
    const own = await up(["voice"]);
    const { page, close } = await open();
    await page.goto(`${own.url}/voice`);
    await settled(page, "here");
    await page.setExtraHTTPHeaders({ "x-forwarded-for": "192.0.2.7" });
    await page.reload();
    await page.locator("[data-connection=refused]").waitFor();
    await page.getByRole("button", { name: "Sign in" }).waitFor();
    await own.stop("SIGKILL");
    await page.locator("[data-connection=lost]").waitFor();
    await close();
  });
});
