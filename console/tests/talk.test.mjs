// Talking in the browser: what the microphone records reaches the engine that listens, and its words are answered.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { after, test } from "node:test";

import { demo, open, settled } from "./browser.mjs";

/** What the engine hears, whatever was said. */
const HEARD = "what time is it";

/** An engine that listens by the Wyoming protocol; `bytes` tells how much speech each recording had. */
async function engine() {
  const bytes = [];
  const info = { asr: [{ name: "ear", installed: true, models: [{ name: "ear", installed: true, languages: ["en", "ko"] }] }] };
  const server = createServer((socket) => {
    let held = Buffer.alloc(0);
    let speech = 0;
    const tell = (type, data) => socket.write(`${JSON.stringify({ type, data })}\n`);
    socket.on("error", () => {});
    socket.on("data", (piece) => {
      held = Buffer.concat([held, piece]);
      for (let end = held.indexOf(10); end >= 0; end = held.indexOf(10)) {
        const { type, data_length: data = 0, payload_length: payload = 0 } = JSON.parse(held.subarray(0, end));
        if (held.length < end + 1 + data + payload) return;
        held = held.subarray(end + 1 + data + payload);
        if (type === "describe") tell("info", info);
        if (type === "audio-chunk") speech += payload;
        if (type === "audio-stop") {
          bytes.push(speech);
          tell("transcript", { text: HEARD });
        }
      }
    });
  });
  await new Promise((listens) => server.listen(0, "127.0.0.1", listens));
  after(() => server.close());
  return { url: `wyoming://127.0.0.1:${server.address().port}`, bytes };
}

test("somebody talks into the microphone and is answered", async () => {
  const ear = await engine();
  const platform = await demo("127.0.0.1:0", { IEUM__VOICE__EARS: ear.url });
  const { page, errors, close } = await open();
  await page.goto(`${platform.url}/voice`);
  await settled(page);
  const log = page.getByRole("log", { name: "Conversation" });
  await page.getByLabel("What to say").fill("hello");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Register console and ask again" }).click();
  await log.getByText("Unknown person").waitFor({ state: "detached" });
  const listening = page.getByRole("button", { name: "Stop and send", pressed: true });
  await page.getByRole("button", { name: "Speak" }).click();
  await listening.waitFor();
  // Some seconds of beeps: a busy browser begins late, and the first of them are lost.
  await page.waitForFunction((begun) => performance.now() - begun > 3_000, await page.evaluate(() => performance.now()));
  await listening.click();
  await log.getByText("time.query").waitFor();
  await log.getByText(HEARD, { exact: true }).waitFor();
  await log.getByRole("img", { name: /heard [\d.,]+ ms, .*understood [\d.,]+ ms/ }).waitFor();
  // 16,000 samples of two bytes a second, less what the recorder needs to begin.
  assert.ok(ear.bytes.length === 1 && ear.bytes[0] > 16_000, `${ear.bytes}`);
  assert.deepEqual(errors, []);
  await close();
});
