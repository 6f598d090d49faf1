// The browser's microphone as a WAVE file: one channel of 16-bit samples at 16 kHz, which every engine takes.
import { AWAY, headers, Problem, problemOf } from "../../api/client";
import type { DialogAnswer } from "../../api/types";

const RATE = 16_000;

/** A recording under way. */
export class Recorder {
  private constructor(
    private readonly stream: MediaStream,
    private readonly recorder: MediaRecorder,
    private readonly pieces: Blob[],
  ) {}

  /** Asks for the microphone and begins. Fails where there is none, or it is refused. */
  static async begin(): Promise<Recorder> {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
    const recorder = new MediaRecorder(stream);
    const pieces: Blob[] = [];
    recorder.ondataavailable = ({ data }) => pieces.push(data);
    recorder.start();
    return new Recorder(stream, recorder, pieces);
  }

  /** Ends it and returns the WAVE file. */
  async end(): Promise<Blob> {
    await new Promise((ended) => {
      this.recorder.addEventListener("stop", ended, { once: true });
      this.recorder.stop();
    });
    this.release();
    const encoded = await new Blob(this.pieces).arrayBuffer();
    const decoded = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(encoded);
    return wave(decoded.getChannelData(0));
  }

  /** Ends it for nothing. */
  cancel() {
    if (this.recorder.state !== "inactive") this.recorder.stop();
    this.release();
  }

  private release() {
    this.stream.getTracks().forEach((track) => track.stop());
  }
}

/** Writes samples between -1 and 1 as a WAVE file. */
export function wave(samples: Float32Array): Blob {
  const data = new Int16Array(samples.length);
  samples.forEach((sample, at) => (data[at] = Math.round(Math.max(-1, Math.min(1, sample)) * 32_767)));
  const head = new DataView(new ArrayBuffer(44));
  const text = (at: number, letters: string) => [...letters].forEach((letter, i) => head.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  head.setUint32(4, 36 + data.byteLength, true);
  text(8, "WAVEfmt ");
  head.setUint32(16, 16, true);
  head.setUint16(20, 1, true);
  head.setUint16(22, 1, true);
  head.setUint32(24, RATE, true);
  head.setUint32(28, RATE * 2, true);
  head.setUint16(32, 2, true);
  head.setUint16(34, 16, true);
  text(36, "data");
  head.setUint32(40, data.byteLength, true);
  return new Blob([head, data], { type: "audio/wav" });
}

/** Sends a recording and returns the answer. */
export async function upload(recording: Blob, fields: Record<string, string>): Promise<DialogAnswer> {
  const form = new FormData();
  Object.entries(fields).forEach(([name, value]) => form.append(name, value));
  form.append("audio", recording, "turn.wav");
  let response: Response;
  try {
    response = await fetch("/api/dialog/audio", { method: "POST", headers: headers(), body: form });
  } catch (error) {
    throw new Problem(AWAY, "unavailable", "console.away", String(error));
  }
  if (!response.ok) throw await problemOf(response);
  return (await response.json()) as DialogAnswer;
}
