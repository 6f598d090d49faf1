// What nobody asked for, such as that a timer rings: told over a WebSocket for as long as somebody listens.
import { currentKey } from "../../api/key";

/** Something that the platform says by itself. */
export interface Unasked {
  id: string;
  text: string;
  language: string;
  intent: string;
}

/** How long to wait before a connection is made again, milliseconds, and at most. */
const FIRST = 1_000;
const LONGEST = 30_000;

/** Hears what is for a person, also after a cut. Returns what ends it. A browser's WebSocket carries no key, so that only
 * people of the platform's own machine are told. */
export function listenFor(person: string, tell: (unasked: Unasked) => void): () => void {
  if (currentKey()) return () => undefined;
  let wait = FIRST;
  let again: ReturnType<typeof setTimeout> | undefined;
  let socket: WebSocket | undefined;
  const open = () => {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    socket = new WebSocket(`${scheme}://${location.host}/api/dialog/stream?userId=${encodeURIComponent(person)}`);
    socket.onopen = () => (wait = FIRST);
    socket.onmessage = ({ data }) => heard(String(data), tell);
    socket.onclose = () => {
      again = setTimeout(open, wait);
      wait = Math.min(wait * 2, LONGEST);
    };
  };
  open();
  return () => {
    clearTimeout(again);
    if (!socket) return;
    socket.onclose = null;
    socket.close();
  };
}

function heard(data: string, tell: (unasked: Unasked) => void) {
  const { type, messageId, payload } = JSON.parse(data) as { type: string; messageId: string; payload: Record<string, never> };
  if (type === "DIALOG_RESPONSE") tell({ ...(payload as unknown as Unasked), id: messageId });
  const audio = payload["audio"] as { data: string; sampleRate: number } | undefined;
  if (type === "DIALOG_AUDIO" && audio) play(audio.data, audio.sampleRate);
}

/** Plays samples of 16 bits, little-endian, in base64. A browser may refuse before somebody has touched the page. */
function play(data: string, rate: number) {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const samples = new DataView(bytes.buffer);
  const context = new AudioContext();
  const buffer = context.createBuffer(1, Math.max(1, bytes.length >> 1), rate);
  const channel = buffer.getChannelData(0);
  for (let at = 0; at + 1 < bytes.length; at += 2) channel[at >> 1] = samples.getInt16(at, true) / 32_768;
  const source = new AudioBufferSourceNode(context, { buffer });
  source.connect(context.destination);
  source.onended = () => void context.close();
  source.start();
}
