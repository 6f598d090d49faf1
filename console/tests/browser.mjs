// What the tests of the console share: a running platform with demo data, and a browser that looks at it.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** The binary under test, and where a Chromium listens for DevTools. */
const { IEUM_BINARY: BINARY, IEUM_TEST_CHROMIUM_URL: CHROMIUM } = process.env;

/** How long anything may take on a busy machine, milliseconds. */
export const PATIENCE = 120_000;

/** What ends with the last test of a file. */
const started = [];
const folders = [];
let browser;
after(async () => {
  await browser?.close();
  await Promise.all(started.map((stop) => stop("SIGKILL")));
  folders.forEach((folder) => rmSync(folder, { recursive: true, force: true }));
});

/** Starts `ieum demo` and returns once it is ready. `listen` may name the port of one that ended; `settings` are more of
 *  the environment. */
export const demo = (listen = "127.0.0.1:0", settings = {}) => start(["demo"], listen, settings);

/** Starts `ieum up` with the parts named, on data of its own, and returns once it is ready. */
export async function up(parts, settings = {}) {
  const data = mkdtempSync(join(tmpdir(), "ieum-console-"));
  folders.push(data);
  return start(["--data", data, "up", ...parts], "127.0.0.1:0", settings);
}

async function start(command, listen, settings) {
  const child = spawn(BINARY, ["--json", ...command], {
    cwd: "/",
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...process.env,
      IEUM__SERVER__LISTEN: listen,
      IEUM__DEVICE__LISTEN: "127.0.0.1:0",
      IEUM__SERVER__DRAIN: "1s",
      IEUM__TELEMETRY__LOG: "error",
      // A test looks at more pages a minute than a person.
      IEUM__GATEWAY__PUBLIC_PER_MINUTE: "60000",
      ...settings,
    },
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  let text = "";
  for await (const piece of child.stdout) {
    text += piece;
    if (text.includes("}")) break;
  }
  const { address, page } = JSON.parse(text);
  const stop = async (signal = "SIGTERM") => {
    child.kill(signal);
    await ended;
  };
  started.push(stop);
  return { address, url: `http://${address}`, page, stop };
}

/** Asks the platform directly, for what a test needs to be there. */
export async function ask(platform, method, path, body, key) {
  const headers = { "content-type": "application/json", ...(key && { "x-api-key": key }) };
  const answer = await fetch(platform.url + path, { method, headers, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}


/** Opens a window of its own, with nothing remembered. What goes wrong in the page fails the test by `errors`. */
export async function open({ language = "en", scheme = "light", width = 1280 } = {}) {
  if (!browser) {
    browser = await chromium.connectOverCDP(CHROMIUM);
  }
  const context = await browser.newContext({
    locale: language === "ko" ? "ko-KR" : "en-GB",
    colorScheme: scheme,
    viewport: { width, height: 800 },
  });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    // The browser reports answers that the page expects and shows in words.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) errors.push(message.text());
  });
  await page.addInitScript(() => {
    window.shifted = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
  });
  return { page, errors, close: () => context.close() };
}

/** Returns once the page shows its heading, nothing is loading any more and the connection is as it is to be. */
export async function settled(page, connection = "live") {
  await page.locator("main h1").waitFor();
  await page.waitForFunction(() => !document.querySelector("main .MuiSkeleton-root"));
  await page.locator(`[data-connection=${connection}]`).waitFor();
}

/** Presses Escape in the open dialog, once it holds the focus: a button that was just disabled gives it away for a moment. */
export async function dismiss(page) {
  await page.waitForFunction(() => document.activeElement?.closest(".MuiDialog-root"));
  await page.keyboard.press("Escape");
}

/** Waits until an element has the focus, and returns it. */
export async function focused(element) {
  await element.and(element.page().locator(":focus")).waitFor();
  return element;
}

/** Returns what axe finds that keeps people out: rule, and where. */
export async function barriers(page) {
  await page.evaluate(AXE);
  let found = [];
  // A look takes long enough for something to begin to fade in meanwhile; what keeps people out is there in the next, too.
  for (let look = 0; look < 3 && (look === 0 || found.length > 0); look += 1) {
    found = await violations(page);
  }
  return found;
}

async function violations(page) {
  // What is half faded in has no colours yet that could be judged.
  await page.waitForFunction(() =>
    document.getAnimations().every((one) => one.playState !== "running" || one.effect?.getComputedTiming().endTime === Infinity),
  );
  const found = await page.evaluate(() =>
    window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] }),
  );
  return found.violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target} ${node.any[0]?.message ?? ""}`).join("; ")}`);
}
