// The platform goes away and comes back: the console says so, keeps what it knew, and goes on by itself.
import assert from "node:assert/strict";
import { test } from "node:test";

import { ask, barriers, demo, open, settled } from "./browser.mjs";

test("a platform that goes away is said so, and its return needs no reload", async () => {
  const platform = await demo();
  const { page, errors, close } = await open();
  await page.goto(platform.url);
  await settled(page);
  await page.evaluate(() => (window.isSame = true));
  await page.waitForFunction(() => performance.getEntriesByType("resource").some(({ name }) => /Partners-/.test(name)));
  await platform.stop("SIGKILL");
  await page.getByRole("alert").getByText("The platform does not answer.", { exact: false }).waitFor();
  await page.locator("[data-connection=lost]").waitFor();
  assert.equal(await page.locator("[data-event]").count(), 3, "the last known figures stay");
  assert.deepEqual(await barriers(page), []);
  // Pages were fetched ahead, so that they open and say why they know nothing.
  await page.getByRole("link", { name: "Partners" }).click();
  await page.getByRole("button", { name: "Try again" }).waitFor();
  assert.deepEqual(await barriers(page), []);

  const again = await demo(platform.address);
  await page.locator("[data-connection=live]").waitFor();
  await page.getByText("No partner has a key yet").waitFor();
  await page.getByRole("link", { name: "Events" }).click();
  await page.locator("[data-event=coffee-fair]").waitFor();
  assert.equal(await page.evaluate(() => window.isSame), true, "the page was not loaded anew");
  assert.deepEqual(errors, []);
  assert.equal((await ask(again, "GET", "/api/operator/sources")).sources.length, 3);
  await close();
});

test("from elsewhere the console asks for a key and works with it", async () => {
  const platform = await demo();
  const scopes = ["events:read", "analytics:read", "hub:operate"];
  const key = await ask(platform, "POST", "/api/operator/keys", { name: "Operator", tier: "partner", scopes, events: ["*"] });
  const { page, close } = await open();
  // As a proxy would: the request is then one from elsewhere.
  await page.setExtraHTTPHeaders({ "x-forwarded-for": "192.0.2.7" });
  await page.goto(platform.url);
  await page.getByText("This can only be seen with a key from here", { exact: false }).waitFor();
  assert.deepEqual(await barriers(page), []);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByLabel("API key").fill(key.text);
  await page.getByRole("dialog").getByRole("button", { name: "Sign in" }).click();
  await page.locator("[data-event=coffee-fair]").waitFor();
  await page.getByRole("link", { name: "Sources" }).click();
  await page.locator("[data-source=coffee-fair]").waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByText("This can only be seen with a key from here", { exact: false }).waitFor();
  await close();
});
