// Sound as it is spoken, over a WebSocket. Usage: socket.js PORT WAVE
const assert = require('assert');
const fs = require('fs');
const WebSocket = require('ws');
const [port, clip] = process.argv.slice(-2);
const file = fs.readFileSync(clip);
const rate = file.readUInt32LE(24);
const samples = file.subarray(44, file.length - (file.length - 44) % 2);
const url = `ws://127.0.0.1:${port}/api/dialog/stream?deviceId=den&language=en&sampleRate=${rate}&partials=true`;
const socket = new WebSocket(url);
const told = [];
const late = setTimeout(() => { console.error(JSON.stringify(told)); process.exit(1); }, 300000);
socket.onerror = error => { console.error(error); process.exit(1); };
socket.onmessage = ({ data }) => {
  const message = JSON.parse(data);
  told.push({ type: message.type, payload: { ...message.payload, audio: undefined } });
  if (message.type !== 'DIALOG_AUDIO') return;
  clearTimeout(late);
  const partials = told.filter(one => one.type === 'DIALOG_PARTIAL');
  assert.ok(partials.some(one => one.payload.settled || one.payload.rest), JSON.stringify(told));
  const answer = told.find(one => one.type === 'DIALOG_RESPONSE');
  assert.ok(answer && answer.payload.turnId === 's1' && answer.payload.text, JSON.stringify(told));
  socket.close();
  console.log('all well');
};
socket.onopen = async () => {
  const tenth = Math.floor(rate / 10) * 2;
  for (let at = 0; at < samples.length; at += tenth) {
    socket.send(samples.subarray(at, at + tenth));
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  socket.send(JSON.stringify({ type: 'end', messageId: 's1' }));
};
